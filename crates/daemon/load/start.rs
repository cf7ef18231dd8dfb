//! When a test starts.

use std::time::{Duration, SystemTime};

use crate::exit::Failure;

/// When a test starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// After this time.
    pub(super) after: Duration,
    /// The same as a moment: equal, to the last digit, for all parts of a test.
    pub(super) moment: SystemTime,
}

impl Start {
    /// At a moment in seconds since 1970; at once without one.
    pub(super) fn at(start_at: Option<f64>) -> Result<Self, Failure> {
        let now = SystemTime::now();
        let Some(at) = start_at else {
            return Ok(Self::now());
        };
        let over = || {
            let now = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            Failure::usage(format!(
                "--start-at {at} is over: it is {} now",
                now.as_secs()
            ))
        };
        let moment = Duration::try_from_secs_f64(at)
            .ok()
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at))
            .ok_or_else(over)?;
        let after = moment.duration_since(now).map_err(|_| over())?;
        Ok(Self { after, moment })
    }

    pub(super) fn now() -> Self {
        Self {
            after: Duration::ZERO,
            moment: SystemTime::now(),
        }
    }
}
