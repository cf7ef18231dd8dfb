//! How it stands with a participant of a service, in the words an operator is told.

use std::fmt;
use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

/// How it stands with a participant. The README says what leads on from each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// On its way in, for the first time or again.
    Connecting,
    /// Has a token and waits for a host.
    WaitingRoom,
    /// The conference wants a PIN, and there is none or a wrong one.
    PinWanted,
    /// The roster shows it and media flows, as far as it has any.
    InConference,
    /// The roster shows it, and media or events do not flow as they should.
    Degraded,
    /// A host, or the end of the conference, has sent it away.
    Removed,
    /// It is not there and does not try to be.
    Stopped,
}

/// Why it stands as it does, where that is not as it should be. The README has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The conference was lost, or could not be reached, and is joined again.
    ConferenceLost,
    /// Media, events or the token are being mended.
    Mending,
    /// The node does not report that our media arrives.
    NotReported,
    /// Nothing is received; the room may be silent.
    NothingReceived,
    /// The conference wants a PIN and there is none.
    PinMissing,
    /// The PIN is wrong.
    PinWrong,
    /// A host, or the end of the conference, has sent it away.
    RemovedByHost,
    /// The node cannot be reached.
    Unreachable,
    /// The node refuses.
    Refused,
    /// The node has no room, or no licence.
    CapacityReached,
    /// A Virtual Reception wants to know where to connect to.
    ExtensionWanted,
    /// Nobody let it in from the waiting room in time.
    WaitingRoomTimeout,
    /// The token was lost.
    TokenLost,
    /// The call could not be set up, or was lost.
    CallFailed,
    /// A source or the recording cannot be used.
    MediaUnusable,
    /// What came could not be recorded to its end.
    RecordingFailed,
    /// The operator said so.
    Operator,
    /// Nobody else was there for as long as `leave.alone_seconds` allows.
    Alone,
    /// It was there for as long as `leave.longest_seconds` allows.
    LongEnough,
    /// It is the time of day that `leave.at_utc` names.
    TimeOfDay,
    /// What it was to do is done.
    Finished,
    /// A defect of this program.
    Defect,
}

/// How it stands, since when, why, and what happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) since: Instant,
    pub(crate) why: String,
    pub(crate) reason: Option<Reason>,
    pub(crate) next: String,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Connecting,
        Self::WaitingRoom,
        Self::PinWanted,
        Self::InConference,
        Self::Degraded,
        Self::Removed,
        Self::Stopped,
    ];

    /// Returns its name, as it is written everywhere.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::WaitingRoom => "waiting_room",
            Self::PinWanted => "pin_wanted",
            Self::InConference => "in_conference",
            Self::Degraded => "degraded",
            Self::Removed => "removed",
            Self::Stopped => "stopped",
        }
    }
}

impl Standing {
    /// Returns whether it is where it is meant to be: in its conference, or out by intention.
    pub(crate) fn is_as_meant(&self) -> bool {
        match self.state {
            State::InConference | State::Degraded => true,
            State::Stopped => self.reason.is_some_and(Reason::is_by_intention),
            State::Connecting | State::WaitingRoom | State::PinWanted | State::Removed => false,
        }
    }
}

impl Reason {
    /// Returns whether whoever stopped for it is meant to be out.
    fn is_by_intention(self) -> bool {
        matches!(
            self,
            Self::Operator | Self::Alone | Self::LongEnough | Self::TimeOfDay | Self::Finished
        )
    }

    /// Returns its name, as it is written everywhere.
    pub(crate) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        }
    }
}

impl fmt::Display for Standing {
    /// Writes it as `systemctl status` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.state.name().replace('_', " ");
        write!(f, "{words}: {}; next: {}", self.why, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for state in State::ALL {
            assert_eq!(serde_json::json!(state), state.name());
        }
        assert_eq!(Reason::NothingReceived.name(), "nothing_received");
    }
}
