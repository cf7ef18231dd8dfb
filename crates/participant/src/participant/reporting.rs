//! How it stands with a participant.

use std::time::Instant;

use super::{Participant, Phase};
use crate::{
    Notice, Standing, State, Timer,
    departure::{Departure, Then},
    state::Facts,
};

impl Participant {
    pub(super) fn facts(&self) -> Facts {
        Facts {
            is_asked_to_join: !matches!(self.phase, Phase::Idle),
            is_stopping: matches!(
                self.phase,
                Phase::Departing(Departure {
                    then: Then::Stop(_),
                    ..
                })
            ),
            has_token: self.us.is_some() && !matches!(self.phase, Phase::Departing(_)),
            is_listed: self.presence.is_listed,
            is_waiting: self.presence.is_waiting,
            wants_media: self.options.media,
            media_flows: self.call.flows(),
            events_flow: !self.events.is_in_trouble(),
            token_is_fresh: !self.token.is_in_trouble(),
            has_been_in: self.has_been_in,
        }
    }

    /// Tells how it stands, if that has changed.
    pub(super) fn report(&mut self, now: Instant) {
        if self.has_ended() {
            return;
        }
        let facts = self.facts();
        let state = facts.state();
        if state == self.standing.state {
            return;
        }
        match state {
            State::InConference => {
                self.has_been_in = true;
                self.token.arrived();
                self.outbox.timers.stop(Timer::JoinLimit);
            }
            State::WaitingRoom => {
                self.outbox.timers.stop(Timer::JoinLimit);
                if let Some(limit) = self.options.waiting_room_limit {
                    self.outbox.start(Timer::WaitingRoom, now, limit);
                }
            }
            State::Connecting if self.standing.state == State::WaitingRoom => {
                self.outbox
                    .start(Timer::JoinLimit, now, self.options.join_limit);
            }
            _ => {}
        }
        if state != State::WaitingRoom {
            self.outbox.timers.stop(Timer::WaitingRoom);
        }
        self.set_standing(now, state, facts.why().to_owned());
    }

    pub(super) fn set_standing(&mut self, now: Instant, state: State, why: String) {
        self.standing = Standing {
            state,
            since: now,
            why,
        };
        self.outbox.notice(Notice::State(self.standing.clone()));
    }
}
