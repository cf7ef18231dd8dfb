//! How much of what the way to the node carries a picture takes. Pure: it is told the time.

use std::time::{Duration, Instant};

/// What a picture may take, in bits a second, step by step. Each is another encoding, which callers on the same step
/// share.
const RUNGS: [u32; 8] = [
    1_500_000, 1_000_000, 700_000, 450_000, 300_000, 200_000, 130_000, 80_000,
];
/// Beyond this nothing is limited: no picture takes more.
const UNLIMITED: u64 = 3_000_000;
/// How long a step is kept before the next one up.
const REST: Duration = Duration::from_secs(4);

/// Which step a picture is on.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    /// What is left for the picture.
    left: Option<u64>,
    rung: Option<usize>,
    changed: Option<Instant>,
}

impl Ladder {
    /// So many bits a second can be sent, of which sound takes `sound`.
    pub(crate) fn available(&mut self, bits: u64, sound: u32) {
        // A tenth is for headers, and for what is sent again.
        self.left = Some(bits.saturating_sub(sound.into()) / 10 * 9);
    }

    /// Returns the most that the picture may take, in bits a second, if the way sets a limit.
    pub(crate) fn limit(&self) -> Option<u32> {
        self.rung.map(|rung| RUNGS[rung])
    }

    /// Looks whether the limit is another one by now; steps down at once, and up one by one.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let next = self.next();
        let is_down = next.unwrap_or(0) > self.rung.unwrap_or(0) || self.rung.is_none();
        let rests = !is_down && self.rests_until().is_some_and(|until| now < until);
        if next == self.rung || rests {
            return false;
        }
        self.rung = next;
        self.changed = Some(now);
        true
    }

    /// Returns when to look again.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        if self.next() == self.rung {
            return None;
        }
        self.rests_until()
    }

    fn rests_until(&self) -> Option<Instant> {
        Some(self.changed? + REST)
    }

    fn next(&self) -> Option<usize> {
        let left = self.left?;
        let last = RUNGS.len() - 1;
        let fits = |most: u64| (0..last).find(|rung| u64::from(RUNGS[*rung]) <= most);
        let Some(now) = self.rung else {
            return (left < UNLIMITED).then(|| fits(left).unwrap_or(last));
        };
        let below = fits(left).unwrap_or(last);
        if below > now {
            return Some(below);
        }
        // Up where there is more than just enough.
        match now.checked_sub(1) {
            Some(up) if u64::from(RUNGS[up]) * 8 / 7 <= left => Some(up),
            None if left >= UNLIMITED => None,
            _ => Some(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: u32 = 80_000;

    /// Tells it what is available second by second; returns what the picture may take, where that changes.
    fn limits(
        ladder: &mut Ladder,
        start: Instant,
        told: &[(u64, u64)],
        until: u64,
    ) -> Vec<(u64, Option<u32>)> {
        let mut limits = Vec::new();
        for second in 0..until {
            for (_, bits) in told.iter().filter(|(at, _)| *at == second) {
                ladder.available(*bits, SOUND);
            }
            if ladder.poll(start + Duration::from_secs(second)) {
                limits.push((second, ladder.limit()));
            }
        }
        limits
    }

    #[test]
    fn nothing_is_limited_where_there_is_enough() {
        let told = [(1, 20_000_000), (2, 5_000_000)];
        assert_eq!(limits(&mut Ladder::default(), Instant::now(), &told, 9), []);
    }

    #[test]
    fn it_is_down_at_once_and_up_step_by_step() {
        let mut ladder = Ladder::default();
        let told = [(1, 425_000), (2, 300_000), (3, 20_000_000)];
        let expected = [
            (1, Some(300_000)),
            (2, Some(130_000)),
            (6, Some(200_000)),
            (10, Some(300_000)),
            (14, Some(450_000)),
            (18, Some(700_000)),
            (22, Some(1_000_000)),
            (26, Some(1_500_000)),
            (30, None),
        ];
        assert_eq!(limits(&mut ladder, Instant::now(), &told, 99), expected);
        assert_eq!(ladder.next_due(), None);
    }

    #[test]
    fn a_little_more_changes_nothing() {
        let told = [(1, 430_000), (2, 560_000), (3, 440_000), (4, 570_000)];
        let limits = limits(&mut Ladder::default(), Instant::now(), &told, 60);
        assert_eq!(limits, [(1, Some(300_000))]);
    }

    #[test]
    fn something_is_left_however_little_there_is() {
        let limits = limits(&mut Ladder::default(), Instant::now(), &[(1, 0)], 9);
        assert_eq!(limits, [(1, Some(80_000))]);
    }
}
