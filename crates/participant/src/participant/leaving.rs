//! The way out of a participant, for good or to come again.

use std::time::{Duration, Instant};

use super::{Participant, Phase};
use crate::{
    Exit, LeaveReason, Notice, Presence, Rejoin, Timer,
    departure::{Departure, Step, Then},
    outbox::{HANGING_UP, PARTING},
};

/// How long after leaving we may ask where we were sent: the node prepares it meanwhile.
const REFER_PAUSE: Duration = Duration::from_millis(500);

impl Participant {
    pub(super) fn leave(&mut self, now: Instant, reason: LeaveReason) {
        let then = Then::Stop(Exit::Left(reason));
        match &mut self.phase {
            Phase::Idle | Phase::Present => self.depart(now, then),
            Phase::Departing(Departure {
                then: Then::Stop(_),
                ..
            })
            | Phase::Ended => {
                self.outbox.ignore("a second wish to leave");
            }
            Phase::Departing(departure) => {
                departure.then = then;
                self.start_settling(now);
            }
        }
    }

    pub(super) fn join_again_or(&mut self, now: Instant, why: String, next_node: bool, exit: Exit) {
        match self.options.rejoin {
            Rejoin::Never => self.stop(now, exit),
            Rejoin::AfterLoss | Rejoin::Always => {
                self.depart(now, Then::JoinAgain { why, next_node });
            }
        }
    }

    pub(super) fn stop(&mut self, now: Instant, exit: Exit) {
        self.depart(now, Then::Stop(exit));
    }

    pub(super) fn depart(&mut self, now: Instant, then: Then) {
        if matches!(self.phase, Phase::Departing(_) | Phase::Ended) {
            return;
        }
        for timer in [Timer::JoinLimit, Timer::WaitingRoom, Timer::Removal] {
            self.outbox.timers.stop(timer);
        }
        self.events.close(&mut self.outbox);
        self.call
            .close(now, self.token.membership(), &mut self.outbox);
        self.token.leave(&mut self.outbox);
        self.start_settling(now);
        self.phase = Phase::Departing(Departure::new(then));
    }

    /// Gives what is under way its time. A token that is being asked for is worth waiting for:
    /// once we are gone nobody gives it back.
    fn start_settling(&mut self, now: Instant) {
        let limit = if self.token.is_asking_anew() {
            PARTING
        } else {
            HANGING_UP
        };
        self.outbox.start(Timer::Departure, now, limit);
    }

    /// Takes the steps of the way out that are due.
    pub(super) fn go_on_departing(&mut self, now: Instant) {
        if let Phase::Departing(departure) = &mut self.phase
            && departure.step == Step::Settling
            && !self.token.is_asking()
            && (departure.is_late || !self.call.is_parting())
        {
            departure.step = Step::Releasing;
            self.call.abandon();
            self.outbox.start(Timer::Departure, now, PARTING);
            let reason = departure.then.reason();
            self.token.release(now, reason, &mut self.outbox);
        }
        if let Phase::Departing(departure) = &self.phase
            && departure.step == Step::Releasing
            && !self.token.is_releasing()
        {
            self.outbox.timers.stop(Timer::Departure);
            self.departed(now);
        }
    }

    /// Gives up waiting for what has had its time on the way out.
    pub(super) fn departure_is_late(&mut self) {
        let Phase::Departing(departure) = &mut self.phase else {
            return;
        };
        departure.is_late = true;
        match (departure.step, &departure.then) {
            (Step::Settling, Then::Stop(_)) => {
                self.outbox.notice(Notice::Unanswered);
                self.token.abandon_request();
            }
            // A token request under way is waited for however long it takes.
            (Step::Settling, Then::JoinAgain { .. } | Then::Follow { .. }) => {}
            (Step::Releasing, _) => self.token.abandon_release(),
        }
    }

    pub(super) fn departed(&mut self, now: Instant) {
        let Phase::Departing(departure) = std::mem::replace(&mut self.phase, Phase::Present) else {
            return;
        };
        self.us = None;
        self.roster.clear();
        self.presence = Presence::default();
        match departure.then {
            Then::Stop(exit) => {
                self.phase = Phase::Ended;
                self.outbox.timers.stop_all();
                self.set_standing(now, exit.state(), exit.to_string());
                self.outbox.notice(Notice::Ended(exit));
            }
            Then::JoinAgain { why, next_node } => {
                let after = self.token.join_again(now, next_node, &mut self.outbox);
                self.outbox.notice(Notice::JoiningAgain { why, after });
            }
            Then::Follow { conference, token } => {
                self.token
                    .follow(now, conference, token, REFER_PAUSE, &mut self.outbox);
            }
        }
    }
}
