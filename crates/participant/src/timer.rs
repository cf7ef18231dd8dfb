//! What a participant waits for.

use std::time::Instant;

/// What a participant waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// When to ask for a token again.
    Join,
    /// When to refresh the token.
    Refresh,
    /// When the token expires.
    Expiry,
    /// When to open the event stream again.
    Reopen,
    /// When the event stream has been silent for too long.
    Silence,
    /// When to send `ack`, whatever ICE says.
    Ack,
    /// When media should have flowed, or ICE recovered.
    Media,
    /// When to call again, or when the offer should have been there.
    Call,
    /// When to tell the node of our media.
    Statistics,
    /// When to go on leaving, whatever has not been answered.
    Departure,
    /// When we should be in the conference.
    JoinLimit,
    /// When we have waited long enough in the waiting room.
    WaitingRoom,
    /// When the node has had its chance to say why our row has gone.
    Removal,
}

impl Timer {
    pub(crate) const VALUES: [Self; 13] = [
        Self::Join,
        Self::Refresh,
        Self::Expiry,
        Self::Reopen,
        Self::Silence,
        Self::Ack,
        Self::Media,
        Self::Call,
        Self::Statistics,
        Self::Departure,
        Self::JoinLimit,
        Self::WaitingRoom,
        Self::Removal,
    ];
}

/// When each timer goes off, if it does.
#[derive(Debug, Default)]
pub(crate) struct TimerTable {
    instants: [Option<Instant>; Timer::VALUES.len()],
}

impl TimerTable {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.instants[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.instants[timer as usize] = None;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::default();
    }

    /// Returns the timer that goes off next.
    pub(crate) fn next(&self) -> Option<(Instant, Timer)> {
        let set = Timer::VALUES
            .into_iter()
            .filter_map(|t| Some((self.instants[t as usize]?, t)));
        set.min_by_key(|(at, _)| *at)
    }

    /// Returns a timer that has gone off by `now`, and stops it.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (_, timer) = self.next().filter(|(at, _)| *at <= now)?;
        self.stop(timer);
        Some(timer)
    }
}
