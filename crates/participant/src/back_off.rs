//! How long to wait before trying again.

use std::time::Duration;

/// Whatever the settings say, no node is asked again sooner than this.
const SHORTEST: Duration = Duration::from_millis(50);

/// Pauses that double from a first one to a longest one, each spread so that many callers that
/// failed together do not come back together.
#[derive(Clone, Debug)]
pub(crate) struct BackOff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl BackOff {
    pub(crate) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// Returns the next pause: between half of what is due and all of it.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> Duration {
        // 2^20 times any first pause is longer than any longest one.
        let due = self
            .first
            .saturating_mul(1 << self.failures.min(20))
            .min(self.longest);
        self.failures = self.failures.saturating_add(1);
        due.mul_f64(0.5 + 0.5 * rng.f64()).max(SHORTEST)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns how many pauses there have been since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_stay_within_bounds_and_start_over() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut back_off = BackOff::new(Duration::from_secs(1), Duration::from_secs(30));
        for due in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let pause = back_off.next(&mut rng).as_secs_f64();
            assert!((due / 2.0..=due).contains(&pause), "{pause} of {due}");
        }
        for _ in 0..100 {
            assert!(back_off.next(&mut rng) <= Duration::from_secs(30));
        }
        back_off.reset();
        assert!(back_off.next(&mut rng) <= Duration::from_secs(1));
    }

    #[test]
    fn nobody_can_have_no_pause_at_all() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut back_off = BackOff::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(back_off.next(&mut rng), SHORTEST);
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_one_others() {
        let pauses = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut back_off = BackOff::new(Duration::from_secs(1), Duration::from_secs(30));
            [(); 8].map(|()| back_off.next(&mut rng))
        };
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8));
    }
}
