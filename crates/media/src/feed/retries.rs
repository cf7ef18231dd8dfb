//! When an input that went away is tried again, and how often that is told.

use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::hub::Hub;

/// Between two attempts at first; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Who has played for so long begins with the first pause again.
const STEADY: Duration = Duration::from_secs(10);

/// The attempts at one input.
pub(super) struct Retries {
    pause: Duration,
    longest: Duration,
    has_told: bool,
}

impl Retries {
    /// Waits `longest` at most between two attempts.
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            pause: FIRST_PAUSE,
            longest,
            has_told: false,
        }
    }

    /// Tells why an input that had been there for `held` is away, and waits; `false` if it is to end.
    pub(super) fn away(&mut self, hub: &Hub, reason: &str, held: Duration) -> bool {
        let source = &hub.name;
        if held >= STEADY {
            *self = Self::new(self.longest);
        }
        // What comes and goes is told each time, what stays away once.
        if held.is_zero() && self.has_told {
            debug!(source, pause = ?self.pause, "{reason}");
        } else {
            warn!(source, "{reason}: silence and slate until it is back");
        }
        self.has_told = true;
        let goes_on = hub.sleep_until(Instant::now() + self.pause);
        self.pause = (self.pause * 2).min(self.longest);
        goes_on
    }
}
