//! What a caller's notices and its end look like to whoever reads standard output.

use std::time::Instant;

use driver::{InboundStats, Notice, NoticeKind, Outcome, Received, RosterFacts, SinkNews, State};
use infinity::Role;
use media::{Codec, RecordNews, SAMPLE_RATE, dbov};
use serde_json::{Value, json};

use crate::destination::Destination;
use crate::print::{self, Form};

/// Tells what becomes of one caller.
#[derive(Debug)]
pub(crate) struct Telling {
    form: Form,
    began: Instant,
    others: Option<usize>,
}

impl Telling {
    /// Begins to tell of a caller on its way to `destination`.
    pub(crate) fn new(form: Form, destination: &Destination) -> Self {
        if form == Form::Text {
            print::line(format_args!(
                "joining {} as {:?}",
                destination.conference, destination.display_name
            ));
        }
        Self {
            form,
            began: Instant::now(),
            others: None,
        }
    }

    /// Tells of one notice.
    pub(crate) fn notice(&mut self, notice: &Notice) {
        let at = notice
            .at
            .saturating_duration_since(self.began)
            .as_secs_f64();
        match self.form {
            Form::Json => {
                let mut value = as_json(&notice.kind);
                value["at"] = json!(at);
                print::json(&value);
            }
            Form::Text => {
                if let Some(text) = self.as_text(&notice.kind) {
                    print::line(format_args!("{at:>9.3} s  {text}"));
                }
            }
        }
    }

    /// Tells how it ended.
    pub(crate) fn outcome(&self, outcome: &Outcome) {
        if self.form == Form::Json {
            print::json(&json!({ "notice": "end", "outcome": outcome }));
            return;
        }
        if outcome.was_in {
            print::line(format_args!(
                "in the conference for {:.1} s; heard {}; saw {}",
                outcome.time_in.as_secs_f64(),
                amount(&outcome.received.audio),
                amount(&outcome.received.video),
            ));
        }
        if !outcome.token_released {
            print::line(
                "the token could not be released; the node keeps the participant until it expires",
            );
        }
    }

    /// Returns the line for people; `None` for what would only repeat or distract.
    fn as_text(&mut self, kind: &NoticeKind) -> Option<String> {
        Some(match kind {
            NoticeKind::State(state) => state.to_string(),
            NoticeKind::Step(step, _) => step.to_string(),
            NoticeKind::Negotiated { audio, video } => {
                format!(
                    "sending sound as {}, picture as {}",
                    codec(*audio),
                    codec(*video)
                )
            }
            NoticeKind::ClipStarted { reported: true, .. } => "clip started".to_owned(),
            NoticeKind::ClipStarted {
                reported: false, ..
            } => "clip started, though the node has not reported our media yet".to_owned(),
            NoticeKind::ClipFinished { .. } => "clip finished".to_owned(),
            NoticeKind::Roster(facts) => return self.roster(facts),
            NoticeKind::Role(role) => role_name(*role).map(|name| format!("here as a {name}"))?,
            NoticeKind::Referred(conference) => format!("sent on to {conference}"),
            NoticeKind::Message(message) => {
                let line = format!("{} writes: {}", message.origin, message.payload);
                // What others write is not to move the cursor about.
                line.replace(char::is_control, " ")
            }
            NoticeKind::Path(path) => path.to_string(),
            NoticeKind::Stats(stats) => measured(stats),
            NoticeKind::Recording(news) => recording(news),
            NoticeKind::Sink { sink, news } => match news {
                SinkNews::Began => format!("{sink} takes what comes"),
                SinkNews::Ended(why) => format!("error: {sink}: {why}; the call goes on"),
                SinkNews::Restarting(pause) => {
                    format!("{sink} is started again in {:.1} s", pause.as_secs_f64())
                }
                _ => return None,
            },
            NoticeKind::Warning(warning) => format!("warning: {warning}"),
            // One every second or so, and summed up in the end.
            NoticeKind::Report(_) => return None,
            _ => return None,
        })
    }

    fn roster(&mut self, facts: &RosterFacts) -> Option<String> {
        let others = facts.others_with_media.len();
        if self.others.replace(others) == Some(others) {
            return None;
        }
        Some(match others {
            0 => "nobody else with media is there".to_owned(),
            1 => "one other with media is there".to_owned(),
            _ => format!("{others} others with media are there"),
        })
    }
}

fn role_name(role: Role) -> Option<&'static str> {
    match role {
        Role::Host => Some("host"),
        Role::Guest => Some("guest"),
        Role::Unknown => None,
    }
}

fn measured(stats: &InboundStats) -> String {
    let (audio, video) = (&stats.audio, &stats.video);
    let size = match (video.frame_width, video.frame_height) {
        (Some(width), Some(height)) => format!(" {width}x{height}"),
        _ => String::new(),
    };
    format!(
        "sound {:.0} dBov{}, {} lost of {}, {:.2} s concealed, jitter {:.1} ms; picture {:.1} fps{size}, {} lost of {}, \
         {} freezes{}",
        dbov(audio.audio_level),
        if audio.speech { ", speech" } else { "" },
        audio.packets_lost,
        audio.packets_lost + audio.packets_received,
        audio.concealed_samples as f64 / f64::from(SAMPLE_RATE),
        audio.jitter * 1000.0,
        video.frames_per_second,
        video.packets_lost,
        video.packets_lost + video.packets_received,
        video.freeze_count,
        if video.frozen { ", frozen" } else { "" },
    )
}

fn recording(news: &RecordNews) -> String {
    match news {
        RecordNews::Began(path) => format!("recording to {}", path.display()),
        RecordNews::Completed(path) => format!("{} is complete", path.display()),
        RecordNews::Failed(why) => {
            format!("error: the recording is interrupted, and the call goes on: {why}")
        }
        RecordNews::Resumed(path) => format!("the recording goes on in {}", path.display()),
        RecordNews::Refused(why) => format!("warning: left out of the recording: {why}"),
    }
}

fn recording_as_json(news: &RecordNews) -> Value {
    let (event, key, value) = match news {
        RecordNews::Began(path) => ("began", "file", path.display().to_string()),
        RecordNews::Completed(path) => ("completed", "file", path.display().to_string()),
        RecordNews::Failed(why) => ("failed", "why", why.clone()),
        RecordNews::Resumed(path) => ("resumed", "file", path.display().to_string()),
        RecordNews::Refused(why) => ("refused", "why", why.clone()),
    };
    json!({ "notice": "recording", "event": event, key: value })
}

fn codec(codec: Option<Codec>) -> String {
    codec.map_or_else(
        || "nothing (rejected by the node)".to_owned(),
        |codec| codec.to_string(),
    )
}

fn amount(received: &Received) -> String {
    if received.packets == 0 {
        return "nothing".to_owned();
    }
    format!(
        "{:.1} s in {} packets, {} lost",
        received.seconds, received.packets, received.lost
    )
}

/// Returns what is told of a notice to programs.
pub(crate) fn as_json(kind: &NoticeKind) -> Value {
    match kind {
        NoticeKind::State(state) => match state {
            State::Joining(node) => {
                json!({ "notice": "state", "state": "joining", "node": node.as_str() })
            }
            State::Connecting => json!({ "notice": "state", "state": "connecting" }),
            State::Degraded(why) => {
                json!({ "notice": "state", "state": "degraded", "reason": why })
            }
            State::WaitingRoom => json!({ "notice": "state", "state": "waiting_room" }),
            State::InConference => json!({ "notice": "state", "state": "in_conference" }),
            State::Rejoining { reason, pause } => json!({
                "notice": "state", "state": "rejoining", "reason": reason, "pause": pause.as_secs_f64(),
            }),
            State::Leaving => json!({ "notice": "state", "state": "leaving" }),
            _ => json!({ "notice": "state" }),
        },
        NoticeKind::Step(step, after) => {
            json!({ "notice": "step", "step": step, "after": after.as_secs_f64() })
        }
        NoticeKind::Negotiated { audio, video } => json!({
            "notice": "negotiated",
            "audio": audio.map(Codec::name),
            "video": video.map(Codec::name),
        }),
        NoticeKind::ClipStarted { reported, .. } => {
            json!({ "notice": "clip_started", "reported": reported })
        }
        NoticeKind::ClipFinished {
            audio_packets,
            video_packets,
            ..
        } => json!({
            "notice": "clip_finished", "audio_packets": audio_packets, "video_packets": video_packets,
        }),
        NoticeKind::Report(report) => json!({ "notice": "report", "report": report }),
        NoticeKind::Roster(facts) => json!({
            "notice": "roster",
            "rows": facts.rows,
            "muted": facts.own.map(|own| own.muted),
            "waiting": facts.own.map(|own| own.waiting),
            "others_with_media": facts.others_with_media.len(),
        }),
        NoticeKind::Role(role) => json!({ "notice": "role", "role": role_name(*role) }),
        NoticeKind::Refreshed => json!({ "notice": "refreshed" }),
        NoticeKind::Referred(conference) => {
            json!({ "notice": "referred", "conference": conference.as_str() })
        }
        NoticeKind::Message(message) => json!({
            "notice": "message",
            "from": message.origin,
            "uuid": message.uuid,
            "type": message.media_type,
            "text": message.payload,
            "direct": message.direct,
        }),
        NoticeKind::Speech {
            participant,
            speaks,
        } => json!({
            "notice": if *speaks { "speech_started" } else { "speech_stopped" },
            "name": participant.display_name,
            "uuid": participant.uuid,
        }),
        NoticeKind::PresentationFrame => json!({ "notice": "presentation_frame" }),
        NoticeKind::Path(path) => json!({ "notice": "path", "path": path }),
        NoticeKind::Stats(stats) => {
            json!({ "notice": "stats", "audio": stats.audio, "video": stats.video })
        }
        NoticeKind::Recording(news) => recording_as_json(news),
        NoticeKind::Sink { sink, news } => match news {
            SinkNews::Began => json!({ "notice": "sink", "event": "began", "sink": sink }),
            SinkNews::Ended(why) => {
                json!({ "notice": "sink", "event": "ended", "sink": sink, "why": why })
            }
            SinkNews::Restarting(pause) => json!({
                "notice": "sink", "event": "restarting", "sink": sink, "pause": pause.as_secs_f64(),
            }),
            _ => json!({ "notice": "sink", "sink": sink }),
        },
        NoticeKind::Warning(warning) => json!({ "notice": "warning", "text": warning.to_string() }),
        _ => json!({ "notice": "other" }),
    }
}
