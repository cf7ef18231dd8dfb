//! Which occasions there are in what is told of participants.

use std::collections::HashMap;

use crate::run::events::Told;
use crate::run::standing::State;
use crate::settings::Occasion;

/// Knows how it stood with each participant before.
#[derive(Debug, Default)]
pub(super) struct Occasions {
    before: HashMap<String, Before>,
}

#[derive(Debug, Clone, Copy)]
struct Before {
    state: State,
    /// It has been in the conference since it last stopped.
    was_in: bool,
}

impl Occasions {
    /// Returns what has happened, if it is an occasion.
    pub(super) fn of(&mut self, told: &Told) -> Option<Occasion> {
        let Some(state) = told.state else {
            return match told.event.as_str() {
                "clip_started" => Some(Occasion::ClipStarted),
                "clip_finished" => Some(Occasion::ClipFinished),
                "message" => Some(Occasion::Message),
                "speech_started" => Some(Occasion::SpeechStarted),
                "speech_stopped" => Some(Occasion::SpeechStopped),
                _ => None,
            };
        };
        let before = self.before.entry(told.participant.clone());
        let before = before.or_insert(Before {
            state: State::Stopped,
            was_in: false,
        });
        let last = std::mem::replace(&mut before.state, state);
        let was_in = before.was_in;
        before.was_in = match state {
            State::InConference | State::Degraded => true,
            State::Connecting | State::WaitingRoom | State::PinWanted => was_in,
            State::Removed | State::Stopped => false,
        };
        let is_in = |state| matches!(state, State::InConference | State::Degraded);
        match state {
            // Why it is degraded may have changed.
            _ if state == last => None,
            State::InConference if last == State::Degraded => Some(Occasion::Recovered),
            State::InConference => Some(Occasion::Joined),
            State::Degraded => Some(Occasion::Degraded),
            State::Connecting => (was_in && is_in(last)).then_some(Occasion::Lost),
            State::WaitingRoom => Some(Occasion::WaitingRoom),
            State::PinWanted => Some(Occasion::PinWanted),
            State::Removed => Some(Occasion::Removed),
            State::Stopped => Some(Occasion::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(state: Option<State>, event: &str) -> Told {
        Told {
            participant: "bea".to_owned(),
            event: event.to_owned(),
            state,
            line: String::new(),
        }
    }

    #[test]
    fn each_change_that_matters_is_one_occasion() {
        let mut occasions = Occasions::default();
        let mut other = Occasions::default();
        for (state, occasion) in [
            (State::Connecting, None),
            (State::WaitingRoom, Some(Occasion::WaitingRoom)),
            (State::InConference, Some(Occasion::Joined)),
            (State::Degraded, Some(Occasion::Degraded)),
            (State::Degraded, None),
            (State::InConference, Some(Occasion::Recovered)),
            (State::Connecting, Some(Occasion::Lost)),
            (State::Connecting, None),
            (State::InConference, Some(Occasion::Joined)),
            (State::Removed, Some(Occasion::Removed)),
            (State::Connecting, None),
            (State::PinWanted, Some(Occasion::PinWanted)),
            (State::Stopped, Some(Occasion::Stopped)),
        ] {
            assert_eq!(
                occasions.of(&told(Some(state), "standing")),
                occasion,
                "{state:?}"
            );
        }
        assert_eq!(
            other.of(&told(None, "clip_started")),
            Some(Occasion::ClipStarted)
        );
        for (event, occasion) in [
            ("message", Occasion::Message),
            ("speech_started", Occasion::SpeechStarted),
            ("speech_stopped", Occasion::SpeechStopped),
        ] {
            assert_eq!(other.of(&told(None, event)), Some(occasion));
        }
        assert_eq!(other.of(&told(None, "roster")), None);
    }

    #[test]
    fn participants_are_told_apart() {
        let mut occasions = Occasions::default();
        occasions.of(&told(Some(State::Degraded), "standing"));
        let mut of_another = told(Some(State::InConference), "standing");
        of_another.participant = "cid".to_owned();
        assert_eq!(occasions.of(&of_another), Some(Occasion::Joined));
    }
}
