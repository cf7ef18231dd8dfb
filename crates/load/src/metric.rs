//! What is measured: every figure's name, unit and meaning, in one table.

use driver::JoinStep;

use crate::Unit;

/// A figure that many callers contribute samples to.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, as thresholds and reports spell it.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it means, in a few words, for reports.
    pub what: &'static str,
    /// Whether it is also kept over time.
    pub over_time: bool,
    /// Which way is better.
    pub better: Better,
    /// How many of its values come from one caller.
    pub values: Values,
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// The less the better.
    Lower,
    /// The more the better.
    Higher,
    /// Neither: it is a cost, or about the generator itself.
    Neither,
}

/// How many values of a figure come from one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// One for each join, request or stay.
    Single,
    /// One every few seconds, each much like the one before.
    Repeated,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $unit:ident $over_time:literal $better:ident $values:ident $what:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $what, ".")]
            pub static $constant: Metric = Metric {
                name: $name, unit: Unit::$unit, what: $what, over_time: $over_time,
                better: Better::$better, values: Values::$values,
            };
        )*
        /// All of them, in the order of the reports.
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    JOIN_DNS "join.dns" Seconds false Lower Single "from the start until the node's name was looked up";
    JOIN_CONNECTED "join.connected" Seconds false Lower Single "until the first connection was there, TLS included";
    JOIN_TOKEN "join.token" Seconds false Lower Single "until the token was granted";
    JOIN_EVENTS "join.events" Seconds false Lower Single "until the event stream was open";
    JOIN_SDP "join.sdp" Seconds false Lower Single "until the SDP answer came";
    JOIN_ICE "join.ice" Seconds false Lower Single "until ICE was connected";
    JOIN_ACK "join.ack" Seconds false Lower Single "until ack was answered";
    JOIN_DTLS "join.dtls" Seconds false Lower Single "until DTLS was connected";
    JOIN_ROSTER "join.roster" Seconds false Lower Single "until the roster showed the caller in the conference";
    JOIN_FIRST_AUDIO "join.first_audio" Seconds false Lower Single "until the first audio packet came";
    JOIN_FIRST_VIDEO "join.first_video" Seconds false Lower Single "until the first video packet came";
    JOIN_AUDIO_REPORTED "join.audio_reported" Seconds false Lower Single "until a report of the node named the audio sent";
    JOIN_VIDEO_REPORTED "join.video_reported" Seconds false Lower Single "until a report of the node named the video sent";
    JOIN_WAITING_ROOM "join.waiting_room" Seconds false Neither Single "spent in the waiting room";
    JOIN_TOTAL "join.total" Seconds true Lower Single "until in the conference with media flowing, the waiting room not counted";
    RTT "rtt" Seconds true Lower Repeated "round trip of media, from RTCP reports (RFC 3550 §6.4.1)";
    AUDIO_JITTER "audio.jitter" Seconds true Lower Repeated "interarrival jitter of received audio (RFC 3550 §6.4.1)";
    VIDEO_JITTER "video.jitter" Seconds false Lower Repeated "interarrival jitter of received video (RFC 3550 §6.4.1)";
    AUDIO_LOSS "audio.loss" Ratio true Lower Repeated "share of audio packets that never came, per caller and interval";
    VIDEO_LOSS "video.loss" Ratio true Lower Repeated "share of video packets that never came, per caller and interval";
    SENT_LOSS "sent.loss" Ratio true Lower Repeated "share of the packets sent that the node reports lost";
    SENT_JITTER "sent.jitter" Seconds false Lower Repeated "interarrival jitter of what was sent, as the node reports it";
    AUDIO_BIT_RATE "audio.bit_rate" BitsPerSecond true Neither Repeated "received audio, payload alone";
    VIDEO_BIT_RATE "video.bit_rate" BitsPerSecond true Neither Repeated "received video, payload alone";
    VIDEO_FRAME_RATE "video.frame_rate" Score true Higher Repeated "frames received a second, counted without decoding";
    VIDEO_FREEZES "video.freezes" Count false Lower Single "freezes per caller (W3C freezeCount), from packets, without decoding";
    VIDEO_FROZEN "video.frozen" Ratio false Lower Single "share of the time in the conference that the picture froze, without decoding";
    AUDIO_GAPS "audio.gaps" Count false Lower Single "pauses of received audio longer than half a second, per caller";
    AUDIO_R "audio.r" Score false Higher Repeated "R factor of received audio (ITU-T G.107), without decoding";
    AUDIO_MOS "audio.mos" Score true Higher Repeated "MOS estimated from R (ITU-T G.107 Annex B), without decoding";
    AUDIO_DELAY "audio.delay" Seconds true Lower Repeated "from mouth to ear by marks in the sound, decoded; without the listener's own playout buffer";
    VIDEO_DELAY "video.delay" Seconds true Lower Repeated "from the sending of a marked picture until it could be decoded";
    AV_SKEW "av.skew" Seconds true Lower Repeated "how far apart sound and picture of the same moment came, by marks, decoded, before a receiver aligns them";
    AV_SOUND_LATE "av.sound_late" Seconds false Lower Repeated "the sound came so much after its picture, where it came after";
    AV_SOUND_EARLY "av.sound_early" Seconds false Lower Repeated "the sound came so much before its picture, where it came before";
    AUDIO_SILENCE "audio.silence" Ratio true Lower Repeated "share of the decoded sound that is silent (below -60 dBFS), per decoded caller and interval";
    VIDEO_DECODED_FPS "video.decoded_fps" Rate true Higher Repeated "pictures decoded a second, per decoded caller and interval";
    VIDEO_BLANK "video.blank" Ratio true Lower Repeated "share of the decoded pictures that are of one colour, per decoded caller and interval";
    EVENTS_RATE "events.rate" Rate true Neither Repeated "events received a second, per caller and interval";
    EVENTS_BIT_RATE "events.bit_rate" BitsPerSecond true Neither Repeated "what events came to, names and texts, per caller and interval";
    EVENTS_GAP "events.gap" Seconds false Lower Single "an event stream was lost, until it was open again";
    HTTP_ALL "http" Seconds true Lower Single "a request of any kind, from the first byte out to the last one in";
    HTTP_REQUEST_TOKEN "http.request_token" Seconds false Lower Single "request_token";
    HTTP_REFRESH_TOKEN "http.refresh_token" Seconds false Lower Single "refresh_token";
    HTTP_RELEASE_TOKEN "http.release_token" Seconds false Lower Single "release_token";
    HTTP_CALLS "http.calls" Seconds false Lower Single "calls";
    HTTP_ACK "http.ack" Seconds false Lower Single "ack";
    HTTP_NEW_CANDIDATE "http.new_candidate" Seconds false Lower Single "new_candidate";
    HTTP_UPDATE "http.update" Seconds false Lower Single "update";
    HTTP_DISCONNECT "http.disconnect" Seconds false Lower Single "calls/…/disconnect";
    GENERATOR_LATE "generator.late" Seconds true Neither Repeated "a frame was handed to the network so long after it was due";
    GENERATOR_TIMER "generator.timer" Seconds false Neither Repeated "a timer fired so long after it was due";
    GENERATOR_CPU "generator.cpu" Ratio true Neither Repeated "share of the machine's cores that the generator used";
}

/// Returns the figure of this name.
pub fn by_name(name: &str) -> Option<&'static Metric> {
    ALL.iter().copied().find(|metric| metric.name == name)
}

/// Returns the figure of a step of joining.
pub fn of_step(step: JoinStep) -> Option<&'static Metric> {
    Some(match step {
        JoinStep::Dns => &JOIN_DNS,
        JoinStep::Connected => &JOIN_CONNECTED,
        JoinStep::Token => &JOIN_TOKEN,
        JoinStep::Events => &JOIN_EVENTS,
        JoinStep::Sdp => &JOIN_SDP,
        JoinStep::Ice => &JOIN_ICE,
        JoinStep::Ack => &JOIN_ACK,
        JoinStep::Dtls => &JOIN_DTLS,
        JoinStep::Roster => &JOIN_ROSTER,
        JoinStep::FirstAudio => &JOIN_FIRST_AUDIO,
        JoinStep::FirstVideo => &JOIN_FIRST_VIDEO,
        JoinStep::AudioReported => &JOIN_AUDIO_REPORTED,
        JoinStep::VideoReported => &JOIN_VIDEO_REPORTED,
        _ => return None,
    })
}

/// Returns the figure of a request, by the name the API spells it.
pub fn of_verb(verb: &str) -> Option<&'static Metric> {
    let verb = verb.rsplit('/').next().unwrap_or(verb);
    ALL.iter()
        .copied()
        .find(|metric| metric.name.strip_prefix("http.") == Some(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for metric in ALL {
            assert!(std::ptr::eq(by_name(metric.name).expect("known"), *metric));
        }
        assert!(by_name("join.totals").is_none());
    }

    #[test]
    fn every_step_of_joining_has_its_figure() {
        assert!(JoinStep::ALL.iter().all(|step| of_step(*step).is_some()));
    }

    #[test]
    fn requests_are_found_by_their_last_word() {
        assert_eq!(
            of_verb("calls/…/disconnect").expect("known").name,
            "http.disconnect"
        );
        assert_eq!(of_verb("calls").expect("known").name, "http.calls");
        assert!(of_verb("dial").is_none());
    }
}
