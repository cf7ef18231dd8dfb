//! A line of a log.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde::Serialize;

/// So many entries are kept for each participant, and for requests that are nobody's.
pub(super) const ENTRIES: usize = 200;

/// So much of a text that a client can choose is kept.
pub(super) const TEXT_AT_MOST: usize = 200;

/// One line of a log.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// When, as Unix time in seconds.
    pub(crate) at: f64,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum What {
    /// The client asked something, and was answered.
    Request {
        method: String,
        /// The path below the alias, without its query.
        verb: String,
        status: u16,
        /// Until the answer was ready, in seconds.
        took: f64,
        /// Bytes of the request's body.
        body_in: usize,
        /// Bytes of the answer's body; `None` for an event stream.
        body_out: Option<u64>,
        /// What a refusal said.
        #[serde(skip_serializing_if = "Option::is_none")]
        refusal: Option<String>,
    },
    /// An event was put on its event stream.
    Event {
        name: &'static str,
        /// Bytes of its data.
        bytes: usize,
    },
    /// Something became of an event stream.
    Stream { text: String },
}

impl Entry {
    /// Something that happens now.
    pub(super) fn now(what: What) -> Self {
        Self {
            at: unix_now(),
            what,
        }
    }
}

/// The path of a request below its conference, as far as a person reads it.
pub(super) fn verb(path: &str) -> String {
    let below = path
        .strip_prefix("/api/client/v2/conferences/")
        .and_then(|rest| rest.split_once('/'))
        .map_or(path, |(_alias, verb)| verb);
    below.chars().take(TEXT_AT_MOST).collect()
}

pub(super) fn push(entries: &mut VecDeque<Entry>, entry: Entry) {
    if entries.len() == ENTRIES {
        entries.pop_front();
    }
    entries.push_back(entry);
}

/// What a wall clock shows, as Unix time in seconds.
pub(in crate::http) fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
