//! The jitter buffer: what comes unevenly is held back until it plays evenly. Pure: it is told the time.
//!
//! ```text
//! arrival   ─┬──┬┬───────┬─┬──   each frame has some time left until it plays; the least of a while
//! plays     ──┬──┬──┬──┬──┬──    says whether all are held back for too long, or some come too late
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::feed::pace::{Due, Pace};

/// How long frames are held back at first, and after it was found that it need not be longer.
const DELAY: Duration = Duration::from_millis(80);

/// If every frame of a while had so much time left, they are held back for too long: the sender's clock
/// is faster than ours, or the first packet was late.
const NEEDLESS: Duration = Duration::from_millis(120);

/// How long is looked at before something changes.
const WATCH: Duration = Duration::from_secs(5);

/// Frames that wait for their time; more are dropped, oldest first.
const WAITING: usize = 512;

/// Frames that wait until they play.
pub(super) struct Playout<T> {
    pace: Pace,
    waiting: VecDeque<(Instant, T)>,
    watch: Option<Watch>,
}

/// What was seen since a moment: the least time that was left, and the most that was missing.
struct Watch {
    since: Instant,
    left: Duration,
    missing: Duration,
}

impl<T> Default for Playout<T> {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            waiting: VecDeque::new(),
            watch: None,
        }
    }
}

impl<T> Playout<T> {
    /// Takes a frame that was whole at `now`; its media time may count from anywhere.
    pub(super) fn push(&mut self, now: Instant, media_time: Duration, frame: T) {
        let moment = match self.pace.due(media_time, now) {
            Due::At(moment) => moment,
            Due::Late(_) | Due::Jumped => {
                self.watch = None;
                now
            }
        };
        let plays = moment + DELAY;
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((plays, frame));
        self.adapt(now, plays);
    }

    /// Returns the next frame that plays at `now` or before, and when it plays.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, T)> {
        self.waiting.pop_front_if(|(plays, _)| *plays <= now)
    }

    /// Returns when the next frame plays.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|(plays, _)| *plays)
    }

    /// Begins with another sender: what waits still plays.
    pub(super) fn anew(self) -> Self {
        Self {
            waiting: self.waiting,
            ..Self::default()
        }
    }

    /// Holds frames back for longer if some came too late, and for less if all waited needlessly.
    fn adapt(&mut self, now: Instant, plays: Instant) {
        let left = plays.saturating_duration_since(now);
        let missing = now.saturating_duration_since(plays);
        let watch = self.watch.get_or_insert(Watch {
            since: now,
            left,
            missing,
        });
        watch.left = watch.left.min(left);
        watch.missing = watch.missing.max(missing);
        if now.saturating_duration_since(watch.since) < WATCH {
            return;
        }
        if !watch.missing.is_zero() {
            self.pace.put_off(watch.missing + DELAY);
        } else if watch.left > NEEDLESS {
            self.pace.bring_forward(watch.left - DELAY);
        }
        self.watch = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Plays a sender of 20 ms frames whose n-th comes at `arrival(n)`; returns how long each was held
    /// back, `None` where it came too late to be so.
    fn held(count: u32, arrival: impl Fn(u32) -> Duration) -> Vec<Option<Duration>> {
        let (mut playout, start) = (Playout::default(), Instant::now());
        (0..count)
            .map(|n| {
                let now = start + arrival(n);
                while playout.pop(now).is_some() {}
                playout.push(now, ms(500) + FRAME * n, n);
                let (plays, _) = playout.waiting.back()?;
                plays.checked_duration_since(now)
            })
            .collect()
    }

    #[test]
    fn bursts_and_disorder_play_evenly() {
        let (mut playout, start) = (Playout::default(), Instant::now());
        // Three at a time.
        for n in 0..30u32 {
            playout.push(start + FRAME * (n / 3 * 3 + 2), FRAME * n, n);
        }
        let mut heard = Vec::new();
        for at in 0..1000 {
            while let Some((plays, n)) = playout.pop(start + ms(at)) {
                heard.push((plays - start, n));
            }
        }
        let expected: Vec<_> = (0..30).map(|n| (ms(120) + FRAME * n, n)).collect();
        assert_eq!(heard, expected);
        assert_eq!(playout.next_due(), None);
    }

    #[test]
    fn a_clock_that_goes_wrong_is_followed() {
        // Half a percent too fast, and too slow: 0.3 s within a minute.
        for (frame, name) in [
            (ms(20) - Duration::from_micros(100), "fast"),
            (ms(20) + Duration::from_micros(100), "slow"),
        ] {
            let held = held(3000, |n| frame * n);
            let late = held.iter().filter(|held| held.is_none()).count();
            let most = held.iter().flatten().max();
            assert!(most < Some(&ms(200)), "{name}: {most:?}");
            // Until it was noticed.
            assert!(late < 1500, "{name}: {late}");
            assert!(held[2000..].iter().any(Option::is_some), "{name}");
        }
    }

    #[test]
    fn jitter_is_borne_and_a_late_beginning_made_good() {
        let jitter = [0, 30, 5, 50, 10];
        let all = held(1000, |n| FRAME * n + ms(jitter[n as usize % 5]));
        assert!(all.iter().all(Option::is_some));
        // The first one came 100 ms late, the others did not.
        let late = held(1000, |n| {
            FRAME * n
                + if n == 0 {
                    ms(100)
                } else {
                    ms(100).saturating_sub(FRAME * n)
                }
        });
        assert_eq!(late[10], Some(ms(180)));
        assert_eq!(late[999], Some(ms(80)));
    }

    #[test]
    fn what_nobody_takes_is_bounded() {
        let (mut playout, start) = (Playout::default(), Instant::now());
        for n in 0..5000u32 {
            playout.push(start, FRAME * n, n);
        }
        assert_eq!(playout.waiting.len(), WAITING);
    }
}
