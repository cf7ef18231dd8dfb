//! How many turns of the driver what goes through a TURN server needs.
//!
//! webrtc's driver hands such data on once a turn: what has come from a server reaches the core at the
//! end of one, the core's answer goes to the server's queue in the next, and leaves in the one after
//! that. Without further turns each waits for the next timer or packet, and DTLS, which takes turns
//! with its far end, for a second.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So many more turns until nothing is on its way any more.
const ON_ITS_WAY: u8 = 2;

/// For so long after data has passed, whatever wakes the driver may send more of it.
const LATELY: Duration = Duration::from_secs(2);

/// The turns that are wanted still.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    left: u8,
    passed: Option<Instant>,
}

impl Turns {
    /// At the end of a turn: says whether another one follows at once. `has_passed`: data has, through
    /// a server, in this one.
    pub(crate) fn goes_on(&self, now: Instant, has_passed: bool) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if has_passed {
            state.passed = Some(now);
            state.left = ON_ITS_WAY;
        }
        let goes_on = state.left > 0;
        state.left = state.left.saturating_sub(1);
        goes_on
    }

    /// The driver has been woken: by a timer, or because there is something to send.
    pub(crate) fn woken(&self, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lately = |at| now.saturating_duration_since(at) < LATELY;
        if state.passed.is_some_and(is_lately) {
            state.left = state.left.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_two_more_turns_and_whoever_is_woken_soon_after_one() {
        let (turns, start) = (Turns::default(), Instant::now());
        turns.woken(start);
        assert!(!turns.goes_on(start, false), "nothing was ever relayed");

        assert!(turns.goes_on(start, true));
        assert!(turns.goes_on(start, false));
        assert!(!turns.goes_on(start, false));

        turns.woken(start + LATELY / 2);
        assert!(turns.goes_on(start, false));
        assert!(!turns.goes_on(start, false));
        turns.woken(start + LATELY);
        assert!(!turns.goes_on(start, false), "that is over");
    }
}
