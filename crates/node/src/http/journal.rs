//! What each client did lately and what it was told, for whoever debugs it: requests and events
//! with their times and sizes. Bodies are not kept, nor any secret: tokens are known by their hash.

use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infinity::{ParticipantUuid, Token};
use serde_json::Value;

mod entry;
mod kept;

use entry::{TEXT_AT_MOST, push, verb};
use kept::Kept;

pub(super) use entry::{Entry, What, unix_now};

/// So many participants that have left are remembered.
const DEPARTED: usize = 32;

/// So many tokens of one participant are known: its own, and some that it has replaced.
const TOKENS: usize = 8;

/// A participant's log, and what was picked up from it on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) conference: String,
    pub(crate) display_name: String,
    /// When it left, as Unix time in seconds.
    pub(crate) left: Option<f64>,
    pub(crate) entries: VecDeque<Entry>,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) events: u64,
    /// DTMF that others, or it itself, sent to it.
    pub(crate) digits: String,
    /// Why it left, in the words of its client.
    pub(crate) reason: Option<String>,
    /// What its client reported last of its own media, and when.
    pub(crate) statistics: Option<(f64, Value)>,
    tokens: VecDeque<u64>,
}

/// The logs of a node.
#[derive(Default)]
pub(crate) struct Journal {
    hasher: RandomState,
    kept: Mutex<Kept>,
}

/// What a request was, once it has been answered.
pub(super) struct Answered<'a> {
    pub(super) who: Option<ParticipantUuid>,
    pub(super) method: &'a str,
    /// Without its query, where a token may stand.
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) took: Duration,
    pub(super) body: &'a [u8],
    pub(super) body_out: Option<u64>,
    pub(super) refusal: Option<String>,
}

impl Journal {
    /// Begins the log of a participant that has been given its first token.
    pub(super) fn joined(
        &self,
        conference: &str,
        who: &ParticipantUuid,
        name: &str,
        token: &Token,
    ) {
        self.lock().records.insert(
            who.clone(),
            Record {
                conference: conference.to_owned(),
                display_name: name.to_owned(),
                ..Record::default()
            },
        );
        self.renewed(who, token);
    }

    /// Takes note of a token that a participant has from now on.
    pub(super) fn renewed(&self, who: &ParticipantUuid, token: &Token) {
        let hash = self.hasher.hash_one(token.expose());
        let mut kept = self.lock();
        let kept = &mut *kept;
        let Some(record) = kept.records.get_mut(who) else {
            return;
        };
        if record.tokens.contains(&hash) {
            return;
        }
        record.tokens.push_back(hash);
        kept.whose.insert(hash, who.clone());
        if record.tokens.len() > TOKENS
            && let Some(old) = record.tokens.pop_front()
        {
            kept.whose.remove(&old);
        }
    }

    /// Whose token this is or was, be it good or not.
    pub(super) fn whose(&self, token: &Token) -> Option<ParticipantUuid> {
        let hash = self.hasher.hash_one(token.expose());
        self.lock().whose.get(&hash).cloned()
    }

    /// Writes a request down.
    pub(super) fn request(&self, request: Answered<'_>) {
        let verb = verb(request.path);
        let mut kept = self.lock();
        if request.status == 200 {
            kept.pick_up(request.who.as_ref(), &verb, request.body);
        }
        let entry = Entry {
            at: unix_now() - request.took.as_secs_f64(),
            what: What::Request {
                method: request.method.to_owned(),
                verb,
                status: request.status,
                took: request.took.as_secs_f64(),
                body_in: request.body.len(),
                body_out: request.body_out,
                refusal: request
                    .refusal
                    .map(|text| text.chars().take(TEXT_AT_MOST).collect()),
            },
        };
        let record = request.who.and_then(|who| kept.records.get_mut(&who));
        let Some(record) = record else {
            push(&mut kept.nobodys, entry);
            return;
        };
        record.requests += 1;
        record.refused += u64::from(request.status >= 400);
        push(&mut record.entries, entry);
    }

    /// Writes down that a participant was sent an event. `ping` would fill the log and is counted
    /// alone.
    pub(super) fn event(&self, who: &ParticipantUuid, name: &'static str, bytes: usize) {
        let mut kept = self.lock();
        let Some(record) = kept.records.get_mut(who) else {
            return;
        };
        record.events += 1;
        if name != "ping" {
            push(&mut record.entries, Entry::now(What::Event { name, bytes }));
        }
    }

    /// Writes down what became of an event stream.
    pub(super) fn stream(&self, who: &ParticipantUuid, text: String) {
        let what = What::Stream { text };
        if let Some(record) = self.lock().records.get_mut(who) {
            push(&mut record.entries, Entry::now(what));
        }
    }

    /// Takes note that a participant has left. Its log is kept for a while.
    pub(super) fn left(&self, who: &ParticipantUuid) {
        let mut kept = self.lock();
        let Some(record) = kept.records.get_mut(who) else {
            return;
        };
        record.left = Some(unix_now());
        kept.departed.push_back(who.clone());
        if kept.departed.len() > DEPARTED
            && let Some(gone) = kept.departed.pop_front()
        {
            kept.records.remove(&gone);
            kept.whose.retain(|_, who| *who != gone);
        }
    }

    /// Returns what is known of a participant, or of one that left not long ago.
    pub(super) fn record(&self, who: &ParticipantUuid) -> Option<Record> {
        self.lock().records.get(who).cloned()
    }

    /// Returns who has left of a conference, the latest first.
    pub(super) fn departed(&self, conference: &str) -> Vec<(ParticipantUuid, Record)> {
        let kept = self.lock();
        let departed = kept.departed.iter().rev().filter_map(|who| {
            let record = kept.records.get(who)?;
            (record.conference == conference).then(|| (who.clone(), record.clone()))
        });
        departed.collect()
    }

    /// Returns the requests that were nobody's.
    pub(super) fn nobodys(&self) -> VecDeque<Entry> {
        self.lock().nobodys.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Each change is whole by itself.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
