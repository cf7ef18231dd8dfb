//! The one place where all callers of a process write down what they measured.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use driver::{Answer, ConferenceAlias, JoinStep};

use crate::tally::{ConferenceSoFar, Tally};
use crate::{CallerRow, Counter, Measurements, Metric};

/// What a caller lived through, as it happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lived<'a> {
    /// It reached a step of joining, so long after it had begun.
    Step(JoinStep, Duration),
    /// It is in, with media flowing, so long after it had begun; the waiting room is not counted.
    Joined(Duration),
    /// A request of this name ended.
    Request {
        verb: &'static str,
        took: Duration,
        answer: Answer,
    },
    /// Its event stream was lost.
    EventStreamLost,
    /// The node had no room for it.
    NoRoom,
    /// It failed for this reason, so long after it had begun.
    Failed {
        why: &'a str,
        was_in: bool,
        after: Duration,
    },
    /// It left as it should.
    Left,
}

/// Is told what callers live through, as it happens. Shared by all of them, so that it must not wait.
pub(crate) trait Onlooker: fmt::Debug + Send + Sync {
    /// A caller lived through this.
    fn sees(&self, lived: Lived<'_>);
}

/// Measurements that many write to, with the moment from which times are counted.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    start: Instant,
    measured: Arc<Mutex<Measurements>>,
    /// One for each conference, and one more for what belongs to none.
    tallies: Arc<[Tally]>,
    onlooker: Option<Arc<dyn Onlooker>>,
}

impl Ledger {
    pub(crate) fn new(
        start: Instant,
        duration: Duration,
        conferences: &[ConferenceAlias],
        onlooker: Option<Arc<dyn Onlooker>>,
    ) -> Self {
        let names = conferences.iter().map(ToString::to_string);
        let tallies = names.chain([String::new()]).map(Tally::new).collect();
        Self {
            start,
            tallies,
            measured: Arc::new(Mutex::new(Measurements::new(duration))),
            onlooker,
        }
    }

    /// Shows to whoever looks on what a caller lived through.
    pub(crate) fn shows(&self, lived: Lived<'_>) {
        if let Some(onlooker) = &self.onlooker {
            onlooker.sees(lived);
        }
    }

    /// Returns the tally of a conference of the scenario.
    pub(crate) fn tally(&self, conference: usize) -> &Tally {
        // There is always the last one.
        &self.tallies[conference.min(self.tallies.len() - 1)]
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Measurements> {
        // Sums stay sums whatever happened to whoever added to them last.
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a moment as counted from the start.
    pub(crate) fn at(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }

    pub(crate) fn record(&self, metric: &Metric, value: f64, at: Instant) {
        self.lock().record(metric, value, self.at(at));
    }

    pub(crate) fn record_time(&self, metric: &Metric, value: Duration, at: Instant) {
        self.lock().record_time(metric, value, self.at(at));
    }

    pub(crate) fn count(&self, counter: Counter, more: u64, at: Instant) {
        if more > 0 {
            self.lock().count(counter, more, self.at(at));
        }
    }

    pub(crate) fn failed(&self, reason: &str) {
        self.lock().failed(reason);
    }

    pub(crate) fn at_capacity(&self, reason: &str) {
        self.lock().at_capacity(reason);
    }

    pub(crate) fn caller(&self, number: usize, row: CallerRow) {
        self.lock()
            .caller(u32::try_from(number).unwrap_or(u32::MAX), row);
    }

    pub(crate) fn interval_of(&self, at: Instant) -> u32 {
        self.lock().interval_of(self.at(at))
    }
}

/// All that was measured so far, while callers go on writing it down.
#[derive(Debug, Clone, Default)]
pub struct SoFar(Option<Ledger>);

impl SoFar {
    pub(crate) fn of(ledger: &Ledger) -> Self {
        Self(Some(ledger.clone()))
    }

    /// Reads it. Callers wait meanwhile, so that it must not take long.
    pub fn read<T>(&self, read: impl FnOnce(&Measurements) -> T) -> Option<T> {
        self.0.as_ref().map(|ledger| read(&ledger.lock()))
    }

    /// Reads how each conference fares, in the order of the scenario.
    pub fn conferences(&self, now: Instant) -> Vec<ConferenceSoFar> {
        let Some(ledger) = &self.0 else {
            return Vec::new();
        };
        let (_, named) = ledger.tallies.split_last().unzip();
        let named: &[Tally] = named.unwrap_or_default();
        named.iter().map(|tally| tally.so_far(now)).collect()
    }
}
