//! What each client did lately and what it was told, for whoever debugs it: requests and events
//! with their times and sizes. Bodies are not kept, nor any secret: tokens are known by their hash.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use infinity::{ParticipantUuid, Token};
use serde::Serialize;
use serde_json::Value;

/// So many entries are kept for each participant, and for requests that are nobody's.
const ENTRIES: usize = 200;

/// So many participants that have left are remembered.
const DEPARTED: usize = 32;

/// So many tokens of one participant are known: its own, and some that it has replaced.
const TOKENS: usize = 8;

/// So much of a DTMF string is kept, the end of it.
const DIGITS: usize = 64;

/// Statistics that a client reports are small; larger ones are not kept.
const STATISTICS_AT_MOST: usize = 16 * 1024;

/// So much of a text that a client can choose is kept.
const TEXT_AT_MOST: usize = 200;

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
        name: String,
        /// Bytes of its data.
        bytes: usize,
    },
    /// Something became of an event stream.
    Stream { text: String },
}

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

#[derive(Default)]
struct Kept {
    records: BTreeMap<ParticipantUuid, Record>,
    /// Who has left, the longest ago first.
    departed: VecDeque<ParticipantUuid>,
    whose: HashMap<u64, ParticipantUuid>,
    /// Requests of whoever has no token that we know.
    nobodys: VecDeque<Entry>,
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
            kept.pick_up(&verb, request.body);
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
    pub(super) fn event(&self, who: &ParticipantUuid, name: &str, bytes: usize) {
        let mut kept = self.lock();
        let Some(record) = kept.records.get_mut(who) else {
            return;
        };
        record.events += 1;
        if name != "ping" {
            let what = What::Event {
                name: name.to_owned(),
                bytes,
            };
            push(
                &mut record.entries,
                Entry {
                    at: unix_now(),
                    what,
                },
            );
        }
    }

    /// Writes down what became of an event stream.
    pub(super) fn stream(&self, who: &ParticipantUuid, text: String) {
        let what = What::Stream { text };
        if let Some(record) = self.lock().records.get_mut(who) {
            push(
                &mut record.entries,
                Entry {
                    at: unix_now(),
                    what,
                },
            );
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

impl Kept {
    /// Keeps what a client debugger wants to see of a body: digits, and reported statistics.
    fn pick_up(&mut self, verb: &str, body: &[u8]) {
        let Some((who, rest)) = verb
            .strip_prefix("participants/")
            .and_then(|rest| rest.split_once('/'))
        else {
            return;
        };
        let what = rest.rsplit('/').next().unwrap_or(rest);
        if !matches!(what, "dtmf" | "statistics") || body.len() > STATISTICS_AT_MOST {
            return;
        }
        let who = ParticipantUuid::from(who.to_owned());
        let (Some(record), Ok(body)) = (
            self.records.get_mut(&who),
            serde_json::from_slice::<Value>(body),
        ) else {
            return;
        };
        if what == "statistics" {
            record.statistics = Some((unix_now(), body));
        } else if let Some(digits) = body["digits"].as_str() {
            record.digits.push_str(digits);
            let surplus = record.digits.chars().count().saturating_sub(DIGITS);
            record.digits = record.digits.chars().skip(surplus).collect();
        }
    }
}

/// The path of a request below its conference, as far as a person reads it.
fn verb(path: &str) -> String {
    let below = path
        .strip_prefix("/api/client/v2/conferences/")
        .and_then(|rest| rest.split_once('/'))
        .map_or(path, |(_alias, verb)| verb);
    below.chars().take(TEXT_AT_MOST).collect()
}

fn push(entries: &mut VecDeque<Entry>, entry: Entry) {
    if entries.len() == ENTRIES {
        entries.pop_front();
    }
    entries.push_back(entry);
}

/// What a wall clock shows, as Unix time in seconds.
pub(super) fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (Journal, ParticipantUuid) {
        let (journal, who) = (Journal::default(), ParticipantUuid::from("p1".to_owned()));
        journal.joined("meet", &who, "Anna", &Token::new("t0p-secret"));
        (journal, who)
    }

    fn asked<'a>(who: &ParticipantUuid, path: &'a str, body: &'a [u8]) -> Answered<'a> {
        Answered {
            who: Some(who.clone()),
            method: "POST",
            path,
            status: 200,
            took: Duration::from_millis(3),
            body,
            body_out: Some(10),
            refusal: None,
        }
    }

    #[test]
    fn a_token_leads_to_its_participant_even_after_it_has_left() {
        let (journal, who) = journal();
        journal.renewed(&who, &Token::new("second"));
        journal.left(&who);
        assert_eq!(journal.whose(&Token::new("t0p-secret")), Some(who.clone()));
        assert_eq!(journal.whose(&Token::new("second")), Some(who));
        assert_eq!(journal.whose(&Token::new("guessed")), None);
    }

    #[test]
    fn digits_and_statistics_are_picked_up_and_nothing_else_of_bodies() {
        let (journal, who) = journal();
        journal.request(asked(
            &who,
            "/api/client/v2/conferences/meet/participants/p1/dtmf",
            br#"{"digits": "12#"}"#,
        ));
        journal.request(asked(
            &who,
            "/api/client/v2/conferences/meet/participants/p1/calls/c/dtmf",
            br#"{"digits": "*"}"#,
        ));
        journal.request(asked(
            &who,
            "/api/client/v2/conferences/meet/participants/p1/calls/c/statistics",
            br#"{"audio": {}}"#,
        ));
        journal.request(asked(
            &who,
            "/api/client/v2/conferences/meet/message",
            br#"{"payload": "t0p-secret"}"#,
        ));
        let record = journal.record(&who).expect("known");
        assert_eq!((record.digits.as_str(), record.requests), ("12#*", 4));
        assert!(record.statistics.is_some());
        let log = serde_json::to_string(&record.entries).expect("JSON");
        assert!(!log.contains("t0p-secret"), "{log}");
    }

    #[test]
    fn logs_and_departed_participants_are_bounded() {
        let (journal, who) = journal();
        for _ in 0..=ENTRIES {
            journal.event(&who, "stage", 2);
        }
        assert_eq!(journal.record(&who).expect("known").entries.len(), ENTRIES);
        journal.left(&who);
        for n in 0..DEPARTED {
            let other = ParticipantUuid::from(format!("other-{n}"));
            journal.joined("meet", &other, "Other", &Token::new(format!("token-{n}")));
            journal.left(&other);
        }
        assert!(journal.record(&who).is_none());
        assert_eq!(journal.whose(&Token::new("t0p-secret")), None);
        assert_eq!(journal.departed("meet").len(), DEPARTED);
    }
}
