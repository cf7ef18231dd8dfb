//! What callers live through, in the form of Locust's statistics (`locust/stats.py`).
//!
//! | Row | Counts | Fails |
//! |---|---|---|
//! | `JOIN total` | joins, with the time until media flowed, or until they failed | those that failed before they were in, by reason |
//! | `JOIN token`, `JOIN ice`, … | the steps of joining that were reached, with the time until then | never |
//! | `JOIN no room` | joins refused for want of room or licences, without a time | never: a limit was found |
//! | `POST request_token`, … | requests, with their time | those refused, not answered in time, or without a connection |
//! | `GET events` | event streams that were lost, without a time | each |
//! | `CALL stay` | callers that were in and have left, without a time | those that lost their call or were thrown out, by reason |

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use driver::{Answer, JoinStep};
use serde::Serialize;

use super::class::Counts;
use crate::ledger::{Lived, Onlooker};
use crate::metric;

/// More reasons than this are not told apart within one report: a node may say what it likes.
const MOST_REASONS: usize = 100;

/// A row: method and name, in Locust's words.
type Row = (&'static str, &'static str);

/// What a worker tells its master, again and again, about the time since it last did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    stats: Vec<Entry>,
    stats_total: Entry,
    errors: BTreeMap<String, Failures>,
    user_classes_count: Counts,
    user_count: u64,
}

/// One row. Times are in milliseconds, moments in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Entry {
    name: String,
    method: String,
    last_request_timestamp: Option<f64>,
    start_time: f64,
    num_requests: u64,
    /// Those without a time.
    num_none_requests: u64,
    num_failures: u64,
    total_response_time: f64,
    max_response_time: f64,
    min_response_time: Option<f64>,
    total_content_length: u64,
    /// How many took so long, rounded as [`bucket`] does.
    response_times: BTreeMap<u64, u64>,
    num_reqs_per_sec: BTreeMap<u64, u64>,
    num_fail_per_sec: BTreeMap<u64, u64>,
}

/// Failures of one row for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Failures {
    name: String,
    method: String,
    error: String,
    occurrences: u64,
    first_seen: f64,
    last_seen: f64,
}

/// Rounds a time in milliseconds to two significant digits, as Locust does, so that there are few
/// different ones.
fn bucket(ms: f64) -> u64 {
    // A cast from a float saturates; no time is below zero.
    let whole = ms.round() as u64;
    let step = match whole {
        0..100 => 1,
        100..1000 => 10,
        1000..10_000 => 100,
        _ => 1000,
    };
    whole.saturating_add(step / 2) / step * step
}

impl Entry {
    fn new((method, name): Row, now: f64) -> Self {
        Self {
            name: name.to_owned(),
            method: method.to_owned(),
            last_request_timestamp: None,
            start_time: now,
            num_requests: 0,
            num_none_requests: 0,
            num_failures: 0,
            total_response_time: 0.0,
            max_response_time: 0.0,
            min_response_time: None,
            total_content_length: 0,
            response_times: BTreeMap::new(),
            num_reqs_per_sec: BTreeMap::new(),
            num_fail_per_sec: BTreeMap::new(),
        }
    }

    fn count(&mut self, took: Option<Duration>, failed: bool, now: f64) {
        let second = now as u64;
        self.num_requests += 1;
        self.last_request_timestamp = Some(now);
        *self.num_reqs_per_sec.entry(second).or_default() += 1;
        if failed {
            self.num_failures += 1;
            *self.num_fail_per_sec.entry(second).or_default() += 1;
        }
        let Some(took) = took else {
            self.num_none_requests += 1;
            return;
        };
        let ms = took.as_secs_f64() * 1e3;
        self.total_response_time += ms;
        self.max_response_time = self.max_response_time.max(ms);
        self.min_response_time = Some(self.min_response_time.map_or(ms, |least| least.min(ms)));
        *self.response_times.entry(bucket(ms)).or_default() += 1;
    }
}

/// All that was counted since it was last reported.
#[derive(Debug)]
struct Counted {
    rows: BTreeMap<Row, Entry>,
    total: Entry,
    failures: BTreeMap<String, Failures>,
}

impl Counted {
    fn new(now: f64) -> Self {
        Self {
            rows: BTreeMap::new(),
            total: Entry::new(("", "Aggregated"), now),
            failures: BTreeMap::new(),
        }
    }

    fn count(&mut self, row: Row, took: Option<Duration>, failure: Option<&str>, now: f64) {
        let entry = self.rows.entry(row);
        let entry = entry.or_insert_with(|| Entry::new(row, now));
        entry.count(took, failure.is_some(), now);
        self.total.count(took, failure.is_some(), now);
        let Some(why) = failure else { return };
        let (method, name) = row;
        let key = |why: &str| format!("{method}.{name}.{why}");
        let is_one_too_many =
            self.failures.len() >= MOST_REASONS && !self.failures.contains_key(&key(why));
        let why = if is_one_too_many { "other" } else { why };
        let failures = self.failures.entry(key(why)).or_insert_with(|| Failures {
            name: name.to_owned(),
            method: method.to_owned(),
            error: why.to_owned(),
            occurrences: 0,
            first_seen: now,
            last_seen: now,
        });
        failures.occurrences += 1;
        failures.last_seen = now;
    }

    /// Counts what a caller lived through.
    fn sees(&mut self, lived: Lived<'_>, now: f64) {
        match lived {
            Lived::Step(step, after) => {
                self.count(("JOIN", step_name(step)), Some(after), None, now);
            }
            Lived::Joined(total) => self.count(("JOIN", "total"), Some(total), None, now),
            Lived::Request { verb, took, answer } => {
                let failure = match answer {
                    Answer::Success => None,
                    Answer::Refused => Some("refused"),
                    Answer::TimedOut => Some("not answered in time"),
                    Answer::Unreachable => Some("node unreachable"),
                };
                let name = verb.rsplit('/').next().unwrap_or(verb);
                self.count(("POST", name), Some(took), failure, now);
            }
            Lived::EventStreamLost => {
                self.count(("GET", "events"), None, Some("event stream lost"), now);
            }
            Lived::NoRoom => self.count(("JOIN", "no room"), None, None, now),
            Lived::Failed {
                why, was_in: true, ..
            } => self.count(("CALL", "stay"), None, Some(why), now),
            Lived::Failed { why, after, .. } => {
                self.count(("JOIN", "total"), Some(after), Some(why), now);
            }
            Lived::Left => self.count(("CALL", "stay"), None, None, now),
        }
    }

    fn report(self, counts: &Counts) -> Report {
        Report {
            stats: self.rows.into_values().collect(),
            stats_total: self.total,
            errors: self.failures,
            user_classes_count: counts.clone(),
            user_count: counts.values().sum(),
        }
    }
}

/// Returns a step's name, as our own figures spell it after `join.`.
fn step_name(step: JoinStep) -> &'static str {
    metric::of_step(step)
        .and_then(|metric| metric.name.strip_prefix("join."))
        .unwrap_or("another step")
}

/// Statistics that all callers of a worker write into.
#[derive(Debug)]
pub(super) struct Statistics(Mutex<Counted>);

impl Statistics {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Counted::new(now())))
    }

    /// Returns what was counted since the last time, with how many callers there are.
    pub(super) fn report(&self, counts: &Counts) -> Report {
        std::mem::replace(&mut *self.lock(), Counted::new(now())).report(counts)
    }

    /// Forgets what was counted since the last time.
    pub(super) fn clear(&self) {
        *self.lock() = Counted::new(now());
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Sums stay sums whatever happened to whoever added to them last.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Onlooker for Statistics {
    fn sees(&self, lived: Lived<'_>) {
        self.lock().sees(lived, now());
    }
}

/// The moment, in seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn times_are_rounded_as_locust_rounds_them() {
        let cases = [
            (0.2, 0),
            (7.6, 8),
            (99.4, 99),
            (147.0, 150),
            (3432.0, 3400),
            (58_760.0, 59_000),
        ];
        for (ms, bucketed) in cases {
            assert_eq!(bucket(ms), bucketed, "{ms}");
        }
        assert_eq!(bucket(f64::MAX), u64::MAX / 1000 * 1000);
        assert_eq!(bucket(f64::NAN), 0);
    }

    #[test]
    fn joins_requests_and_failures_each_have_their_row() {
        let mut counted = Counted::new(100.0);
        let request = |answer| Lived::Request {
            verb: "calls",
            took: ms(40),
            answer,
        };
        let failed = |was_in| Lived::Failed {
            why: "PIN wrong",
            was_in,
            after: ms(3000),
        };
        for lived in [
            Lived::Step(JoinStep::Ice, ms(12)),
            Lived::Joined(ms(147)),
            failed(false),
            failed(true),
            request(Answer::Success),
            request(Answer::TimedOut),
            Lived::EventStreamLost,
            Lived::NoRoom,
            Lived::Left,
        ] {
            counted.sees(lived, 101.5);
        }
        let report = counted.report(&Counts::from([("Talker".to_owned(), 2)]));
        let rows: Vec<_> = report
            .stats
            .iter()
            .map(|row| {
                let row_name = format!("{} {}", row.method, row.name);
                (row_name, row.num_requests, row.num_failures)
            })
            .collect();
        let expected = [
            ("CALL stay", 2, 1),
            ("GET events", 1, 1),
            ("JOIN ice", 1, 0),
            ("JOIN no room", 1, 0),
            ("JOIN total", 2, 1),
            ("POST calls", 2, 1),
        ];
        assert_eq!(
            rows,
            expected.map(|(row, all, bad)| (row.to_owned(), all, bad))
        );
        let total = &report.stats_total;
        assert_eq!((total.num_requests, total.num_failures), (9, 4));
        assert_eq!(total.num_none_requests, 4);
        assert_eq!(total.num_reqs_per_sec[&101], 9);
        let join = &report.stats[4];
        assert_eq!(join.response_times, BTreeMap::from([(150, 1), (3000, 1)]));
        assert_eq!(join.min_response_time, Some(147.0));
        assert_eq!(report.errors.len(), 4);
        assert_eq!(report.errors["JOIN.total.PIN wrong"].occurrences, 1);
        assert_eq!(report.user_count, 2);
    }

    #[test]
    fn a_node_that_says_something_else_each_time_does_not_fill_the_memory() {
        let mut counted = Counted::new(0.0);
        for n in 0..1000 {
            let why = format!("refused: {n}");
            let lived = Lived::Failed {
                why: &why,
                was_in: false,
                after: ms(1),
            };
            counted.sees(lived, 1.0);
        }
        let report = counted.report(&Counts::new());
        assert_eq!(report.errors.len(), MOST_REASONS + 1);
        let told: u64 = report.errors.values().map(|one| one.occurrences).sum();
        assert_eq!(told, 1000);
    }
}
