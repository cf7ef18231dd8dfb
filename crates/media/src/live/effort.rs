//! Whether an encoder keeps up, and what becomes less where it does not. Pure: it is told the time.

use std::time::Duration;

use crate::reduction::Reduction;
use crate::video::VideoSettings;

/// How long is looked at before it is judged.
const WINDOW: Duration = Duration::from_secs(1);

/// One picture in so many may be late.
const TOLERATED: u64 = 4;

/// So many bad windows in a row are more than a moment's trouble.
const TROUBLE: u32 = 3;
/// One in which one picture in so many was late is enough.
const SEVERE: u64 = 2;

/// After so many good ones more is tried again; the number doubles where that was too early.
const FIRST_PATIENCE: u32 = 60;
const LONGEST_PATIENCE: u32 = 3600;

/// How much is encoded of what was asked for.
#[derive(Debug)]
pub(super) struct Effort {
    asked: VideoSettings,
    /// What it was reduced to, step by step.
    steps: Vec<Reduction>,
    /// The beginning of a window, and what was encoded within it.
    since: Option<Duration>,
    encoded: u64,
    late: u64,
    /// Windows in a row.
    bad: u32,
    good: u32,
    patience: u32,
    has_tried: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Less,
    More,
}

impl Effort {
    /// Begins with all of what is asked for.
    pub(super) fn new(asked: VideoSettings) -> Self {
        Self {
            asked,
            steps: Vec::new(),
            since: None,
            encoded: 0,
            late: 0,
            bad: 0,
            good: 0,
            patience: FIRST_PATIENCE,
            has_tried: false,
        }
    }

    pub(super) fn reduction(&self) -> Reduction {
        self.steps.last().copied().unwrap_or(Reduction::NONE)
    }

    /// Returns what is encoded.
    pub(super) fn settings(&self) -> VideoSettings {
        self.reduction().of(self.asked)
    }

    /// Forgets what it has seen: nothing is encoded at the moment.
    pub(super) fn rest(&mut self) {
        (self.since, self.encoded, self.late) = (None, 0, 0);
        (self.bad, self.good) = (0, 0);
    }

    /// Takes note of a picture of `media_time`, and whether another one had to be left out for it.
    /// Returns what changes thereby.
    pub(super) fn judge(&mut self, media_time: Duration, is_late: bool) -> Option<Change> {
        let since = *self.since.get_or_insert(media_time);
        self.encoded += 1;
        self.late += u64::from(is_late);
        if media_time.saturating_sub(since) < WINDOW {
            return None;
        }
        let is_bad = self.late * TOLERATED > self.encoded;
        let is_severe = self.late * SEVERE > self.encoded;
        (self.since, self.encoded, self.late) = (None, 0, 0);
        if is_bad {
            self.good = 0;
            self.bad += 1;
            if is_severe || self.bad == TROUBLE {
                return self.less();
            }
        } else {
            self.bad = 0;
            self.good += 1;
            if self.good == self.patience {
                return self.more();
            }
        }
        None
    }

    fn less(&mut self) -> Option<Change> {
        self.bad = 0;
        if std::mem::take(&mut self.has_tried) {
            self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
        }
        let next = self.reduction().next(self.asked)?;
        self.steps.push(next);
        Some(Change::Less)
    }

    fn more(&mut self) -> Option<Change> {
        self.good = 0;
        if self.steps.pop().is_none() {
            self.patience = FIRST_PATIENCE;
            self.has_tried = false;
            return None;
        }
        self.has_tried = true;
        Some(Change::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: VideoSettings = VideoSettings {
        width: 1280,
        height: 720,
        frame_rate: 25,
        bit_rate: 1_000_000,
        key_interval: 1000,
    };

    /// Lets pictures of 40 ms pass, of which those are late that `is_late` says; returns what changed,
    /// and after how many seconds.
    fn changes(
        effort: &mut Effort,
        count: u32,
        is_late: impl Fn(u32) -> bool,
    ) -> Vec<(u32, Change)> {
        let told = (0..count).filter_map(|n| {
            let change = effort.judge(Duration::from_millis(40) * n, is_late(n))?;
            Some((n / 25, change))
        });
        let told = told.collect();
        effort.rest();
        told
    }

    #[test]
    fn what_does_not_keep_up_is_noticed_within_a_second() {
        assert_eq!(changes(&mut Effort::new(ASKED), 500, |_| false), []);
        let told = changes(&mut Effort::new(ASKED), 26, |n| n % 5 < 3);
        assert_eq!(told, [(1, Change::Less)]);
        // Less is enough where it goes on.
        let told = changes(&mut Effort::new(ASKED), 100, |n| n % 3 == 0);
        assert_eq!(told, [(3, Change::Less)]);
    }

    #[test]
    fn a_moment_of_trouble_changes_nothing() {
        let mut effort = Effort::new(ASKED);
        assert_eq!(changes(&mut effort, 500, |n| n % 5 == 0), []);
        // A third of one second of every five.
        assert_eq!(
            changes(&mut effort, 1000, |n| n % 125 < 25 && n % 3 == 0),
            []
        );
    }

    #[test]
    fn more_is_tried_after_a_while_and_later_each_time_that_it_is_too_much() {
        let mut effort = Effort::new(ASKED);
        let too_much = |_| true;
        assert_eq!(changes(&mut effort, 30, too_much).len(), 1);
        assert_eq!(effort.settings().frame_rate, 12);
        for minutes in [1, 2, 4] {
            let told = changes(&mut effort, 25 * 65 * minutes, |_| false);
            let [(after, Change::More)] = told[..] else {
                panic!("{told:?}");
            };
            assert!(after.abs_diff(60 * minutes) <= 3 * minutes, "{after}");
            assert_eq!(effort.settings(), ASKED);
            assert_eq!(changes(&mut effort, 30, too_much).len(), 1);
        }
    }
}
