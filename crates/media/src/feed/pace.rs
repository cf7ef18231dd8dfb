//! When what another program wrote is due. Pure: it is told the time.

use std::time::{Duration, Instant};

/// A producer that is later than this has lost its place: what it writes is due when it comes.
const TOO_LATE: Duration = Duration::from_millis(500);

/// A time stamp this far ahead of all before it is another timeline, not a pause.
const JUMP: Duration = Duration::from_secs(10);

/// Turns time stamps into moments, sound and picture of one input by the same anchor.
#[derive(Debug, Default)]
pub(super) struct Pace {
    anchor: Option<Anchor>,
    newest: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    moment: Instant,
    time: Duration,
}

/// When something is due, and whether the timeline held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// At this moment, which may have just passed.
    At(Instant),
    /// Now: it came so much too late, and what follows is that much later.
    Late(Duration),
    /// Now: its time stamp belongs to another timeline.
    Jumped,
}

impl Pace {
    /// Returns when what is stamped `time` is due, if it is there `now`.
    pub(super) fn due(&mut self, time: Duration, now: Instant) -> Due {
        let Some(anchor) = self.anchor else {
            self.set(time, now);
            return Due::At(now);
        };
        if time > self.newest.saturating_add(JUMP) {
            self.set(time, now);
            return Due::Jumped;
        }
        let Some(moment) = anchor.moment(time) else {
            self.set(time, now);
            return Due::Jumped;
        };
        let late = now.saturating_duration_since(moment);
        if late > TOO_LATE {
            let went_back = time.saturating_add(JUMP) < self.newest;
            self.set(time, now);
            return if went_back {
                Due::Jumped
            } else {
                Due::Late(late)
            };
        }
        self.newest = self.newest.max(time);
        Due::At(moment)
    }

    /// Makes everything due so much later from here on.
    pub(super) fn put_off(&mut self, by: Duration) {
        if let Some(anchor) = &mut self.anchor {
            anchor.moment += by;
        }
    }

    /// Makes everything due so much earlier from here on.
    pub(super) fn bring_forward(&mut self, by: Duration) {
        if let Some(anchor) = &mut self.anchor {
            anchor.moment = anchor.moment.checked_sub(by).unwrap_or(anchor.moment);
        }
    }

    fn set(&mut self, time: Duration, moment: Instant) {
        self.anchor = Some(Anchor { moment, time });
        self.newest = time;
    }
}

impl Anchor {
    fn moment(&self, time: Duration) -> Option<Instant> {
        match time.checked_sub(self.time) {
            Some(after) => self.moment.checked_add(after),
            None => self.moment.checked_sub(self.time - time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_is_written_at_once_is_due_at_its_own_time() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..5000u64 {
            // The first stamp counts from anywhere, and all are there at once.
            assert_eq!(
                pace.due(ms(700 + 20 * n), start),
                Due::At(start + ms(20 * n))
            );
        }
        // Sound and picture are interleaved, and one is a bit before the other.
        let before = pace.due(ms(700 + 99_900), start);
        assert_eq!(before, Due::At(start + ms(99_900)));
    }

    #[test]
    fn who_is_slow_loses_its_place_and_keeps_its_rhythm() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.due(ms(0), start);
        assert_eq!(pace.due(ms(20), start + ms(400)), Due::At(start + ms(20)));
        assert_eq!(pace.due(ms(40), start + ms(900)), Due::Late(ms(860)));
        assert_eq!(pace.due(ms(60), start + ms(900)), Due::At(start + ms(920)));
    }

    #[test]
    fn wild_stamps_begin_anew() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.due(ms(50_000), start);
        assert_eq!(pace.due(ms(51_000), start), Due::At(start + ms(1000)));
        assert_eq!(pace.due(ms(3_000_000), start), Due::Jumped);
        assert_eq!(pace.due(ms(3_000_020), start), Due::At(start + ms(20)));
        assert_eq!(pace.due(ms(0), start), Due::Jumped);
        assert_eq!(pace.due(Duration::MAX, start), Due::Jumped);
        assert_eq!(pace.due(ms(0), start), Due::Jumped);
    }
}
