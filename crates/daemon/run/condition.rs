//! How it stands with a participant of a service: one of few states, since when, why, and what next.
//!
//! Told the caller's notices and the time, and asked again when [`Condition::poll_timeout`] says so; it
//! reads no clock itself.

use std::fmt;
use std::time::{Duration, Instant};

use driver::{EndReason, NoticeKind, StopReason};
use media::Kind;

use super::standing::{Reason, Standing, State};

/// How long neither our media may go unreported, nor anything be received, before that is told.
pub(super) const QUIET: Duration = Duration::from_secs(15);

/// What media there is, so that none is missed where none is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// We send, so that the node should report.
    pub(crate) reports: bool,
    /// We listen, so that something should come.
    pub(crate) packets: bool,
}

/// Follows how it stands with a participant.
#[derive(Debug)]
pub(crate) struct Condition {
    expected: Expected,
    /// How it stands as far as roster and call are concerned.
    told: Standing,
    /// How it stands with what media itself says besides.
    shown: Standing,
    /// Since when roster and call are as they should be.
    well_since: Option<Instant>,
    /// How far each of our streams is known to arrive, and when that was news.
    reported: [Option<u32>; 2],
    reported_at: Option<Instant>,
    /// How many packets came, and when that was news.
    received: u64,
    received_at: Option<Instant>,
}

impl Condition {
    /// A participant that is being started.
    pub(crate) fn starting(now: Instant, expected: Expected) -> Self {
        let told = Standing {
            state: State::Connecting,
            since: now,
            why: "it was just started".to_owned(),
            reason: None,
            next: "asks a node for a token".to_owned(),
        };
        Self {
            expected,
            shown: told.clone(),
            told,
            well_since: None,
            reported: [None; 2],
            reported_at: None,
            received: 0,
            received_at: None,
        }
    }

    /// Returns how it stands.
    pub(crate) fn standing(&self) -> &Standing {
        &self.shown
    }

    /// Takes note of what the caller tells.
    pub(crate) fn notice(&mut self, now: Instant, kind: &NoticeKind) {
        match kind {
            NoticeKind::State(state) => self.caller_is(now, state),
            NoticeKind::Report(report) => {
                let lane = match report.kind {
                    Kind::Audio => 0,
                    Kind::Video => 1,
                };
                // One that reaches no further says that nothing arrives any more.
                let highest = Some(report.highest_sequence_number);
                if std::mem::replace(&mut self.reported[lane], highest) != highest {
                    self.reported_at = Some(now);
                }
            }
            NoticeKind::Figures(figures) => {
                let packets = figures.received.audio.packets + figures.received.video.packets;
                if std::mem::replace(&mut self.received, packets) != packets {
                    self.received_at = Some(now);
                }
            }
            _ => {}
        }
        self.poll(now);
    }

    fn caller_is(&mut self, now: Instant, state: &driver::State) {
        use driver::State as Is;
        let why = state.to_string();
        match state {
            Is::Joining(_) => {
                self.told(now, State::Connecting, None, why, "the node grants a token");
            }
            Is::Connecting => self.told(
                now,
                State::Connecting,
                None,
                "it has a token; the roster does not show it yet, or no media flows".to_owned(),
                "roster and media show whether it is in",
            ),
            Is::WaitingRoom => self.told(
                now,
                State::WaitingRoom,
                None,
                "the conference is locked, or has no host yet".to_owned(),
                "a host lets it in",
            ),
            Is::InConference => {
                self.told(
                    now,
                    State::InConference,
                    None,
                    "the roster shows it, and media flows as far as it has any".to_owned(),
                    "it stays",
                );
                self.well_since = Some(now);
            }
            Is::Degraded(why) => self.told(
                now,
                State::Degraded,
                Some(Reason::Mending),
                why.clone(),
                "it is mended, or else joined again",
            ),
            Is::Rejoining { reason, pause } => self.told(
                now,
                State::Connecting,
                Some(Reason::ConferenceLost),
                reason.clone(),
                format_args!("joins again in {:.1} s", pause.as_secs_f64()),
            ),
            // Its token is still there: it stands as it stood until that is given back.
            Is::Leaving => self.told.next = "hangs up and gives its token back".to_owned(),
            _ => {}
        }
    }

    /// The caller has ended; `back_in` says when it comes back by itself.
    pub(crate) fn ended(&mut self, now: Instant, end: &EndReason, back_in: Option<Duration>) {
        let (state, reason) = of_end(end);
        let next = match (back_in, reason) {
            (Some(pause), _) => format!("comes back in {:.0} s", pause.as_secs_f64()),
            (None, Reason::PinMissing | Reason::PinWrong) => {
                "nothing until the PIN is mended; then `standin ctl restart`".to_owned()
            }
            (None, _) => "nothing until `standin ctl join`".to_owned(),
        };
        self.told(now, state, Some(reason), end.to_string(), next);
        self.poll(now);
    }

    /// It has left for a reason of our own.
    pub(crate) fn left(&mut self, now: Instant, reason: Reason) {
        let why = match reason {
            Reason::Alone => "nobody else was there for as long as it stays alone",
            Reason::LongEnough => "it was there for as long as it stays at most",
            Reason::TimeOfDay => "it is the time of day at which it leaves",
            Reason::Finished => "what it was to do is done",
            _ => "the operator said so",
        };
        let next = "nothing until `standin ctl join`";
        self.told(now, State::Stopped, Some(reason), why.to_owned(), next);
        self.poll(now);
    }

    fn told(
        &mut self,
        now: Instant,
        state: State,
        reason: Option<Reason>,
        why: String,
        next: impl fmt::Display,
    ) {
        self.well_since = None;
        let since = match self.told.state == state {
            true => self.told.since,
            false => now,
        };
        self.told = Standing {
            state,
            since,
            why,
            reason,
            next: next.to_string(),
        };
    }

    /// Looks whether media flows as it should.
    pub(crate) fn poll(&mut self, now: Instant) {
        let mut stands = self.told.clone();
        if let Some((reason, why)) = self.missing(now) {
            stands.state = State::Degraded;
            stands.reason = Some(reason);
            why.clone_into(&mut stands.why);
            stands.next = "it stays, and is joined again if the call is lost".to_owned();
        }
        if stands.state == self.shown.state {
            stands.since = self.shown.since;
        } else {
            stands.since = now;
        }
        self.shown = stands;
    }

    fn missing(&self, now: Instant) -> Option<(Reason, &'static str)> {
        let since = self.well_since?;
        let is_quiet = |last: Option<Instant>| {
            let last = last.map_or(since, |last| last.max(since));
            now >= last + QUIET
        };
        if self.expected.reports && is_quiet(self.reported_at) {
            Some((
                Reason::NotReported,
                "the node does not report that our media arrives",
            ))
        } else if self.expected.packets && is_quiet(self.received_at) {
            Some((
                Reason::NothingReceived,
                "no packet is received; the room may be silent",
            ))
        } else {
            None
        }
    }

    /// Returns when to poll again if nothing else happens.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let since = self
            .well_since
            .filter(|_| self.shown.state != State::Degraded)?;
        let due = |last: Option<Instant>| last.map_or(since, |last| last.max(since)) + QUIET;
        let reports = self.expected.reports.then(|| due(self.reported_at));
        let packets = self.expected.packets.then(|| due(self.received_at));
        reports.into_iter().chain(packets).min()
    }
}

fn of_end(end: &EndReason) -> (State, Reason) {
    let reason = match end {
        EndReason::Stopped(StopReason::Finished) => Reason::Finished,
        EndReason::Stopped(_) => Reason::Operator,
        EndReason::Unreachable(_) => Reason::Unreachable,
        EndReason::Refused(_) => Reason::Refused,
        EndReason::CapacityReached(_) => Reason::CapacityReached,
        EndReason::PinWanted => Reason::PinMissing,
        EndReason::PinWrong => Reason::PinWrong,
        EndReason::ExtensionWanted(_) => Reason::ExtensionWanted,
        EndReason::WaitingRoomTimeout => Reason::WaitingRoomTimeout,
        EndReason::Removed(_) => Reason::RemovedByHost,
        EndReason::TokenLost(_) => Reason::TokenLost,
        EndReason::CallFailed(_) => Reason::CallFailed,
        EndReason::Media(_) => Reason::MediaUnusable,
        EndReason::RecordingFailed(_) => Reason::RecordingFailed,
        _ => Reason::Defect,
    };
    let state = match reason {
        Reason::PinMissing | Reason::PinWrong => State::PinWanted,
        Reason::RemovedByHost => State::Removed,
        _ => State::Stopped,
    };
    (state, reason)
}

#[cfg(test)]
mod tests;
