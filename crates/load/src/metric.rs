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
}

macro_rules! metrics {
    ($($constant:ident $name:literal $unit:ident $over_time:literal $what:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $what, ".")]
            pub static $constant: Metric = Metric {
                name: $name, unit: Unit::$unit, what: $what, over_time: $over_time,
            };
        )*
        /// All of them, in the order of the reports.
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    JOIN_DNS "join.dns" Seconds false "from the start until the node's name was looked up";
    JOIN_CONNECTED "join.connected" Seconds false "until the first connection was there, TLS included";
    JOIN_TOKEN "join.token" Seconds false "until the token was granted";
    JOIN_EVENTS "join.events" Seconds false "until the event stream was open";
    JOIN_SDP "join.sdp" Seconds false "until the SDP answer came";
    JOIN_ICE "join.ice" Seconds false "until ICE was connected";
    JOIN_ACK "join.ack" Seconds false "until ack was answered";
    JOIN_DTLS "join.dtls" Seconds false "until DTLS was connected";
    JOIN_ROSTER "join.roster" Seconds false "until the roster showed the caller in the conference";
    JOIN_FIRST_AUDIO "join.first_audio" Seconds false "until the first audio packet came";
    JOIN_FIRST_VIDEO "join.first_video" Seconds false "until the first video packet came";
    JOIN_AUDIO_REPORTED "join.audio_reported" Seconds false "until a report of the node named the audio sent";
    JOIN_VIDEO_REPORTED "join.video_reported" Seconds false "until a report of the node named the video sent";
    JOIN_WAITING_ROOM "join.waiting_room" Seconds false "spent in the waiting room";
    JOIN_TOTAL "join.total" Seconds true "until in the conference with media flowing, the waiting room not counted";
    RTT "rtt" Seconds true "round trip of media, from RTCP reports (RFC 3550 §6.4.1)";
    AUDIO_JITTER "audio.jitter" Seconds true "interarrival jitter of received audio (RFC 3550 §6.4.1)";
    VIDEO_JITTER "video.jitter" Seconds false "interarrival jitter of received video (RFC 3550 §6.4.1)";
    AUDIO_LOSS "audio.loss" Ratio true "share of audio packets that never came, per caller and interval";
    VIDEO_LOSS "video.loss" Ratio true "share of video packets that never came, per caller and interval";
    SENT_LOSS "sent.loss" Ratio true "share of the packets sent that the node reports lost";
    SENT_JITTER "sent.jitter" Seconds false "interarrival jitter of what was sent, as the node reports it";
    AUDIO_BIT_RATE "audio.bit_rate" BitsPerSecond true "received audio, payload alone";
    VIDEO_BIT_RATE "video.bit_rate" BitsPerSecond true "received video, payload alone";
    VIDEO_FRAME_RATE "video.frame_rate" Score true "frames received a second, counted without decoding";
    VIDEO_FREEZES "video.freezes" Count false "freezes per caller (W3C freezeCount), from packets, without decoding";
    VIDEO_FROZEN "video.frozen" Ratio false "share of the time in the conference that the picture froze, without decoding";
    AUDIO_GAPS "audio.gaps" Count false "pauses of received audio longer than half a second, per caller";
    AUDIO_R "audio.r" Score false "R factor of received audio (ITU-T G.107), without decoding";
    AUDIO_MOS "audio.mos" Score true "MOS estimated from R (ITU-T G.107 Annex B), without decoding";
    AUDIO_DELAY "audio.delay" Seconds true "from mouth to ear by marks in the sound, decoded; without the listener's own playout buffer";
    VIDEO_DELAY "video.delay" Seconds true "from the sending of a marked picture until it could be decoded";
    AV_SKEW "av.skew" Seconds true "how far apart sound and picture of the same moment came, by marks, decoded, before a receiver aligns them";
    AV_SOUND_LATE "av.sound_late" Seconds false "the sound came so much after its picture, where it came after";
    AV_SOUND_EARLY "av.sound_early" Seconds false "the sound came so much before its picture, where it came before";
    AUDIO_SILENCE "audio.silence" Ratio true "share of the decoded sound that is silent (below -60 dBFS), per decoded caller and interval";
    VIDEO_DECODED_FPS "video.decoded_fps" Rate true "pictures decoded a second, per decoded caller and interval";
    VIDEO_BLANK "video.blank" Ratio true "share of the decoded pictures that are of one colour, per decoded caller and interval";
    EVENTS_RATE "events.rate" Rate true "events received a second, per caller and interval";
    EVENTS_BIT_RATE "events.bit_rate" BitsPerSecond true "what events came to, names and texts, per caller and interval";
    EVENTS_GAP "events.gap" Seconds false "an event stream was lost, until it was open again";
    HTTP_ALL "http" Seconds true "a request of any kind, from the first byte out to the last one in";
    HTTP_REQUEST_TOKEN "http.request_token" Seconds false "request_token";
    HTTP_REFRESH_TOKEN "http.refresh_token" Seconds false "refresh_token";
    HTTP_RELEASE_TOKEN "http.release_token" Seconds false "release_token";
    HTTP_CALLS "http.calls" Seconds false "calls";
    HTTP_ACK "http.ack" Seconds false "ack";
    HTTP_NEW_CANDIDATE "http.new_candidate" Seconds false "new_candidate";
    HTTP_UPDATE "http.update" Seconds false "update";
    HTTP_DISCONNECT "http.disconnect" Seconds false "calls/…/disconnect";
    GENERATOR_LATE "generator.late" Seconds true "a frame was handed to the network so long after it was due";
    GENERATOR_TIMER "generator.timer" Seconds false "a timer fired so long after it was due";
    GENERATOR_CPU "generator.cpu" Ratio true "share of the machine's cores that the generator used";
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
