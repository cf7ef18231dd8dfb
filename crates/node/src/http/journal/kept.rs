//! What the journal holds.

use std::collections::{BTreeMap, HashMap, VecDeque};

use infinity::ParticipantUuid;
use serde_json::Value;

use super::Record;
use super::entry::{Entry, TEXT_AT_MOST, unix_now};

/// So much of a DTMF string is kept, the end of it.
const DIGITS: usize = 64;

/// Statistics that a client reports are small; larger ones are not kept.
const STATISTICS_AT_MOST: usize = 16 * 1024;

#[derive(Default)]
pub(super) struct Kept {
    pub(super) records: BTreeMap<ParticipantUuid, Record>,
    /// Who has left, the longest ago first.
    pub(super) departed: VecDeque<ParticipantUuid>,
    pub(super) whose: HashMap<u64, ParticipantUuid>,
    /// Requests of whoever has no token that we know.
    pub(super) nobodys: VecDeque<Entry>,
}

impl Kept {
    /// Keeps what a client debugger wants to see of a body: digits, reported statistics, and why a
    /// participant leaves. `who` has asked.
    pub(super) fn pick_up(&mut self, who: Option<&ParticipantUuid>, verb: &str, body: &[u8]) {
        if verb == "release_token" {
            let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
            if let Some(record) = who.and_then(|who| self.records.get_mut(who))
                && let Some(reason) = body["reason"].as_str()
            {
                record.reason = Some(reason.chars().take(TEXT_AT_MOST).collect());
            }
            return;
        }
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
