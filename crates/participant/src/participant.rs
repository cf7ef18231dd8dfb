//! The participant: routes what comes in to the machines, and what they say to one another.

use std::time::Instant;

use crate::{Input, Options, Output, Presence, Roster, Standing, State, Timer, outbox::Outbox};

/// A participant of a conference, as a decision maker.
///
/// After every [`Self::handle_input`], call [`Self::poll_output`] until it returns `None`, then
/// [`Self::poll_timeout`].
#[derive(Debug)]
pub struct Participant {
    outbox: Outbox,
    roster: Roster,
    presence: Presence,
    standing: Standing,
}

impl Participant {
    /// Returns a participant that does nothing until [`Input::Join`]. `now` is when its first
    /// state begins; `seed` decides its pauses.
    pub fn new(_options: Options, now: Instant, seed: u64) -> Self {
        Self {
            outbox: Outbox::new(seed),
            roster: Roster::default(),
            presence: Presence::default(),
            standing: Standing {
                state: State::Idle,
                since: now,
                why: "not asked to join".into(),
            },
        }
    }

    /// Takes note of `input` at `now`. Never fails: what makes no sense becomes a notice.
    pub fn handle_input(&mut self, _now: Instant, _input: Input) {
        self.outbox.ignore("input");
    }

    /// Returns the next thing to do. Poll until `None` after every [`Self::handle_input`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// Returns when to call back with [`Input::Timeout`], and what for. Poll after the outputs.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.outbox.timers.next()
    }

    /// Returns how it stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Returns what the roster says of us and of others.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Returns who is in the conference.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Returns whether this is over: there will be no more outputs.
    pub fn has_ended(&self) -> bool {
        false
    }
}
