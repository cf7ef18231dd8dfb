//! How old sound is when the mix of it is sent: it waits in an ear and in an encoder, while pictures are
//! passed on at once. Receivers are told, or they would show lips before they play the voice.

use std::time::Duration;

use super::encoding::TICK;

/// What Opus holds back at its default settings (RFC 6716 §2.1: 6.5 ms).
const ENCODER: Duration = Duration::from_micros(6_500);

/// While nobody has been heard: an ear begins with 40 ms, of which a tick is taken at once.
const AT_FIRST: Duration = TICK.saturating_mul(2);

/// Smaller changes are not told: a receiver would follow each with its pictures.
const STEP: Duration = Duration::from_millis(5);

/// Of how many ticks the mean is taken, about.
const TICKS: u32 = 50;

/// How old the mix is.
#[derive(Debug)]
pub(super) struct MixAge {
    mean: Duration,
    told: Duration,
}

impl Default for MixAge {
    fn default() -> Self {
        Self {
            mean: AT_FIRST,
            told: AT_FIRST,
        }
    }
}

impl MixAge {
    /// Takes how much sound lies in the ears of those heard in this tick; returns how old their mix is,
    /// in steps.
    pub(super) fn tick(&mut self, held: impl ExactSizeIterator<Item = Duration>) -> Duration {
        let heard = u32::try_from(held.len()).unwrap_or(u32::MAX);
        if heard > 0 {
            // What was taken has waited for what still lies there, and for half a tick on average.
            let age = held.sum::<Duration>() / heard + TICK / 2 + ENCODER;
            self.mean = (self.mean * (TICKS - 1) + age) / TICKS;
        }
        if self.mean.abs_diff(self.told) >= STEP {
            self.told = self.mean;
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ticks: usize, held: &[Duration]) -> Vec<Duration> {
        let mut age = MixAge::default();
        let mut told: Vec<_> = (0..ticks).map(|_| age.tick(held.iter().copied())).collect();
        told.dedup();
        told
    }

    #[test]
    fn it_is_told_in_few_steps_and_comes_near_what_it_is() {
        let ears = [Duration::from_millis(100), Duration::from_millis(140)];
        let told = after(500, &ears);
        let last = told[told.len() - 1];
        let is = Duration::from_micros(136_500);
        assert!(last.abs_diff(is) < STEP, "{last:?}");
        assert!(told.len() <= 20, "{told:?}");
        assert!(told.is_sorted(), "{told:?}");
    }

    #[test]
    fn silence_changes_nothing() {
        assert_eq!(after(500, &[]), [AT_FIRST]);
        // As does an ear as full as ears usually are.
        assert_eq!(after(500, &[TICK]), [AT_FIRST]);
    }
}
