//! How callers arrive.

use std::fmt;
use std::time::Duration;

/// The shape of arrivals; when caller `n` comes is a function of `n` alone.
///
/// ```text
/// rate    /      so many a second, no cap
/// steps  _|‾|_   so many at once, then a pause
/// spike  |       all at once
/// soak   _.-'    spread evenly over a time
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ramp {
    /// So many a second.
    Rate {
        /// Callers a second.
        per_second: f64,
    },
    /// So many at once, again and again.
    Steps {
        /// Callers at once.
        callers: usize,
        /// Time between two steps.
        every: Duration,
    },
    /// All at once.
    Spike,
    /// All of them, evenly over a time.
    Soak {
        /// That time.
        over: Duration,
    },
}

impl fmt::Display for Ramp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate { per_second } => write!(f, "{per_second} callers a second"),
            Self::Steps { callers, every } => {
                write!(
                    f,
                    "{callers} callers at once, every {} s",
                    every.as_secs_f64()
                )
            }
            Self::Spike => f.write_str("all callers at once"),
            Self::Soak { over } => {
                write!(f, "all callers evenly over {} s", over.as_secs_f64())
            }
        }
    }
}

impl Default for Ramp {
    fn default() -> Self {
        Self::Rate { per_second: 10.0 }
    }
}

impl Ramp {
    /// Returns when caller `n` of `all` arrives, counted from the start.
    pub fn arrival(self, n: usize, all: usize) -> Duration {
        let seconds = match self {
            Self::Rate { per_second } => n as f64 / per_second.max(f64::MIN_POSITIVE),
            Self::Steps { callers, every } => (n / callers.max(1)) as f64 * every.as_secs_f64(),
            Self::Spike => 0.0,
            Self::Soak { over } => over.as_secs_f64() * n as f64 / all.max(1) as f64,
        };
        // More than can be told is for ever.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ramp: Ramp, callers: impl IntoIterator<Item = usize>) -> Vec<f64> {
        callers
            .into_iter()
            .map(|n| ramp.arrival(n, 100).as_secs_f64())
            .collect()
    }

    #[test]
    fn a_rate_has_no_cap() {
        let ramp = Ramp::Rate { per_second: 50.0 };
        assert_eq!(at(ramp, [0, 1, 50, 5000]), [0.0, 0.02, 1.0, 100.0]);
    }

    #[test]
    fn steps_come_at_once() {
        let every = Duration::from_secs(5);
        let ramp = Ramp::Steps { callers: 10, every };
        assert_eq!(at(ramp, [0, 9, 10, 99]), [0.0, 0.0, 5.0, 45.0]);
    }

    #[test]
    fn a_spike_is_all_at_once_and_a_soak_all_the_time() {
        assert_eq!(at(Ramp::Spike, [0, 99]), [0.0, 0.0]);
        let over = Duration::from_secs(50);
        assert_eq!(at(Ramp::Soak { over }, [0, 50, 99]), [0.0, 25.0, 49.5]);
    }
}
