//! When a participant of a service leaves by itself: alone, after so long, at a time of day.
//!
//! It reads no clock itself.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use driver::{NoticeKind, State};

use super::standing::Reason;

const DAY: u64 = 24 * 60 * 60;

/// When a participant leaves by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaveRules {
    /// After it was alone for so long.
    pub(crate) alone: Option<Duration>,
    /// After it was in for so long.
    pub(crate) longest: Option<Duration>,
    /// At this time of day.
    pub(crate) at: Option<TimeOfDay>,
}

/// A time of day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeOfDay {
    /// Since midnight.
    seconds: u64,
}

/// A text is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of day: write hours and minutes, such as \"17:30\"")]
pub(crate) struct NoTimeOfDay(String);

impl FromStr for TimeOfDay {
    type Err = NoTimeOfDay;

    fn from_str(text: &str) -> Result<Self, NoTimeOfDay> {
        let number = |text: &str, below: u64| {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<u64>().ok().filter(|_| is_plain);
            number.filter(|number| *number < below)
        };
        text.split_once(':')
            .and_then(|(hours, minutes)| Some((number(hours, 24)?, number(minutes, 60)?)))
            .map(|(hours, minutes)| Self {
                seconds: (60 * hours + minutes) * 60,
            })
            .ok_or_else(|| NoTimeOfDay(text.to_owned()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.seconds / 60;
        write!(f, "{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl TimeOfDay {
    /// Returns how long it is from `wall` until it is that time again.
    fn from(self, wall: SystemTime) -> Duration {
        let of_day = wall
            .duration_since(UNIX_EPOCH)
            .map_or(Duration::ZERO, |since| {
                since - Duration::from_secs(since.as_secs() / DAY * DAY)
            });
        let due = Duration::from_secs(self.seconds);
        match due.checked_sub(of_day) {
            Some(left) if !left.is_zero() => left,
            _ => due + Duration::from_secs(DAY) - of_day,
        }
    }
}

/// Watches one stay of a participant.
#[derive(Debug)]
pub(crate) struct Patience {
    rules: LeaveRules,
    in_since: Option<Instant>,
    is_in: bool,
    is_alone: bool,
    alone_since: Option<Instant>,
    leaves_at: Option<Instant>,
}

impl Patience {
    /// A stay that begins at `now`, which the clock on the wall calls `wall`.
    pub(crate) fn new(rules: LeaveRules, now: Instant, wall: SystemTime) -> Self {
        Self {
            rules,
            in_since: None,
            is_in: false,
            is_alone: false,
            alone_since: None,
            leaves_at: rules.at.map(|at| now + at.from(wall)),
        }
    }

    /// Takes note of what the caller tells.
    pub(crate) fn notice(&mut self, now: Instant, kind: &NoticeKind) {
        match kind {
            NoticeKind::State(state) => {
                self.is_in = matches!(state, State::InConference | State::Degraded(_));
                if self.is_in {
                    self.in_since.get_or_insert(now);
                }
            }
            NoticeKind::Roster(facts) => self.is_alone = facts.rows <= 1,
            _ => return,
        }
        if self.is_in && self.is_alone {
            self.alone_since.get_or_insert(now);
        } else {
            self.alone_since = None;
        }
    }

    /// Returns why it is to leave now, if it is.
    pub(crate) fn poll(&self, now: Instant) -> Option<Reason> {
        let due = self.due();
        due.into_iter()
            .find_map(|(at, reason)| at.is_some_and(|at| now >= at).then_some(reason))
    }

    /// Returns when to poll again if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due().into_iter().filter_map(|(at, _)| at).min()
    }

    fn due(&self) -> [(Option<Instant>, Reason); 3] {
        let after = |since: Option<Instant>, limit: Option<Duration>| Some(since? + limit?);
        [
            (after(self.alone_since, self.rules.alone), Reason::Alone),
            (after(self.in_since, self.rules.longest), Reason::LongEnough),
            (self.leaves_at, Reason::TimeOfDay),
        ]
    }
}

#[cfg(test)]
mod tests {
    use driver::RosterFacts;

    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn stay(rules: LeaveRules) -> (Instant, Patience) {
        let start = Instant::now();
        (start, Patience::new(rules, start, UNIX_EPOCH))
    }

    fn rows(rows: usize) -> NoticeKind {
        NoticeKind::Roster(RosterFacts {
            rows,
            ..RosterFacts::default()
        })
    }

    #[test]
    fn who_is_alone_for_too_long_leaves_and_company_begins_it_anew() {
        let alone = Some(secs(60));
        let (start, mut patience) = stay(LeaveRules {
            alone,
            ..LeaveRules::default()
        });
        patience.notice(start, &rows(1));
        assert_eq!(patience.poll_timeout(), None, "not in yet");
        patience.notice(start + secs(1), &NoticeKind::State(State::InConference));
        patience.notice(start + secs(30), &rows(2));
        assert_eq!(patience.poll_timeout(), None);
        patience.notice(start + secs(40), &rows(1));
        assert_eq!(patience.poll_timeout(), Some(start + secs(100)));
        assert_eq!(patience.poll(start + secs(99)), None);
        assert_eq!(patience.poll(start + secs(100)), Some(Reason::Alone));
    }

    #[test]
    fn the_longest_stay_counts_from_the_first_time_in() {
        let longest = Some(secs(60));
        let (start, mut patience) = stay(LeaveRules {
            longest,
            ..LeaveRules::default()
        });
        patience.notice(start + secs(5), &NoticeKind::State(State::InConference));
        patience.notice(start + secs(9), &NoticeKind::State(State::Connecting));
        patience.notice(start + secs(20), &NoticeKind::State(State::InConference));
        assert_eq!(patience.poll(start + secs(64)), None);
        assert_eq!(patience.poll(start + secs(65)), Some(Reason::LongEnough));
    }

    #[test]
    fn a_time_of_day_is_that_of_today_or_of_tomorrow() {
        let half_past_five: TimeOfDay = "17:30".parse().expect("a time");
        assert_eq!(half_past_five.to_string(), "17:30");
        let of_day = |hours: u64| UNIX_EPOCH + secs(7 * DAY + hours * 3600);
        assert_eq!(half_past_five.from(of_day(17)), secs(1800));
        assert_eq!(half_past_five.from(of_day(18)), secs(DAY - 1800));
        let exactly = of_day(17) + secs(1800);
        assert_eq!(half_past_five.from(exactly), secs(DAY));
        for text in ["", "24:00", "17:60", "5pm", "+1:30", "17:3"] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
        let rules = LeaveRules {
            at: Some(half_past_five),
            ..LeaveRules::default()
        };
        let (start, patience) = stay(rules);
        let due = start + secs(17 * 3600 + 1800);
        assert_eq!(patience.poll_timeout(), Some(due));
        assert_eq!(patience.poll(due), Some(Reason::TimeOfDay));
    }
}
