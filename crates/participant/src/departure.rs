//! The way out: the call and the token are given back, whatever else is going on.

use infinity::{ConferenceAlias, Token};

use crate::{Exit, LeaveReason};

/// The way out.
///
/// | In          | On                                        | Go          | Do                    |
/// |-------------|-------------------------------------------|-------------|-----------------------|
/// | –           | depart                                    | `Settling`  | close the event stream and the peer connection, `calls/…/disconnect` |
/// | `Settling`  | nothing is under way that may bring a token or a call | `Releasing` | `release_token` |
/// | `Settling`  | 1 s passed, 2 s if a token was asked for, and we stop | `Releasing` | `release_token` |
/// | `Releasing` | a reply, or 2 s passed                    | –           | stop, or join again   |
///
/// A departure that ends in joining again waits for the token request under way however long it
/// takes, so that there are never two.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) step: Step,
    pub(crate) then: Then,
    /// Whether what we wait for has had its time.
    pub(crate) is_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Waiting for replies that may bring something that must be given back.
    Settling,
    /// Waiting for the reply to `release_token`.
    Releasing,
}

/// What comes after.
#[derive(Debug)]
pub(crate) enum Then {
    /// Nothing.
    Stop(Exit),
    /// The same conference again.
    JoinAgain { why: String, next_node: bool },
    /// The conference we were sent to.
    Follow {
        conference: ConferenceAlias,
        token: Option<Token>,
    },
}

impl Then {
    /// What the node is told: a few words that its operator reads, and nothing that only concerns
    /// whoever runs us.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Stop(exit) => match exit {
                Exit::Left(LeaveReason::Finished) => "finished",
                Exit::Left(LeaveReason::Stopped) => "stopped",
                Exit::Left(LeaveReason::Interrupted) => "interrupted",
                Exit::Left(LeaveReason::Failed) => "failed",
                Exit::CallFailed(_) => "the call failed",
                Exit::WaitingRoomTimedOut => "not let in from the waiting room",
                Exit::JoinTimedOut { .. } => "not in the conference in time",
                Exit::Removed { .. } => "removed",
                Exit::PinWanted
                | Exit::PinWrong
                | Exit::ExtensionWanted { .. }
                | Exit::Refused(_)
                | Exit::Lost(_) => "lost",
            },
            Self::JoinAgain { .. } => "joining again",
            Self::Follow { .. } => "sent to another conference",
        }
    }
}

impl Departure {
    pub(crate) fn new(then: Then) -> Self {
        Self {
            step: Step::Settling,
            then,
            is_late: false,
        }
    }
}
