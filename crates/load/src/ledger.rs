//! The one place where all callers of a process write down what they measured.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{CallerRow, Counter, Measurements, Metric};

/// Measurements that many write to, with the moment from which times are counted.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    start: Instant,
    measured: Arc<Mutex<Measurements>>,
}

impl Ledger {
    pub(crate) fn new(start: Instant, duration: Duration) -> Self {
        Self {
            start,
            measured: Arc::new(Mutex::new(Measurements::new(duration))),
        }
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
