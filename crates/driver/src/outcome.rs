//! How a caller ended.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{JoinTimes, ReceivedMedia};

/// Why a caller was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// What it was to do is done.
    Finished,
    /// A person interrupted it (SIGINT).
    Interrupted,
    /// The service is being stopped (SIGTERM).
    Terminated,
}

/// Why a caller is no longer in the conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "end", content = "why")]
#[non_exhaustive]
pub enum EndReason {
    /// It was told to stop.
    Stopped(StopReason),
    /// The node cannot be reached; the text says what to do.
    Unreachable(String),
    /// The node refused to let us in; the text says why and what to do.
    Refused(String),
    /// The node has no room for another participant, or no licence; the text is its own.
    CapacityReached(String),
    /// The conference wants a PIN and we have none.
    PinWanted,
    /// The PIN was wrong.
    PinWrong,
    /// A Virtual Reception asks where to connect to, and we were not told; the text says so.
    ExtensionWanted(String),
    /// Nobody let us in from the waiting room in time.
    WaitingRoomTimeout,
    /// A host, or the end of the conference, removed us; the text is the node's.
    Removed(String),
    /// The token ran out or became invalid before it could be refreshed.
    TokenLost(String),
    /// The call could not be set up, or was lost.
    CallFailed(String),
    /// A source or the recording cannot be used.
    Media(String),
    /// What came could not be recorded to its end; the text says where what there is of it lies.
    RecordingFailed(String),
    /// A defect of this program.
    Defect(String),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(StopReason::Finished) => f.write_str("finished"),
            Self::Stopped(StopReason::Interrupted) => f.write_str("interrupted"),
            Self::Stopped(StopReason::Terminated) => f.write_str("stopped"),
            Self::Unreachable(why) | Self::Refused(why) | Self::CapacityReached(why) => {
                f.write_str(why)
            }
            Self::PinWanted => {
                f.write_str("the conference wants a PIN: give it with --pin-file or in STANDIN_PIN")
            }
            Self::PinWrong => {
                f.write_str("the PIN is wrong: check it with the host of the conference")
            }
            Self::ExtensionWanted(why) => write!(f, "{why} with --extension"),
            Self::WaitingRoomTimeout => {
                f.write_str("nobody let us in from the waiting room in time")
            }
            Self::Removed(why) => write!(f, "removed from the conference: {why}"),
            Self::TokenLost(why) => write!(f, "lost the token: {why}"),
            Self::CallFailed(why) => write!(f, "the call failed: {why}"),
            Self::Media(why) | Self::RecordingFailed(why) => f.write_str(why),
            Self::Defect(why) => write!(f, "defect in this program: {why}"),
        }
    }
}

/// What became of a caller.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Why it ended.
    pub reason: EndReason,
    /// Whether it was in the conference at any time.
    pub was_in: bool,
    /// How long it was in the conference, all joins together.
    #[serde(serialize_with = "crate::seconds::of")]
    pub time_in: Duration,
    /// How often it joined, or tried to.
    pub joins: u32,
    /// When the steps of the last join were reached.
    pub times: JoinTimes,
    /// What came in, over all joins.
    pub received: ReceivedMedia,
    /// Whether the last token is known to be released or expired.
    pub token_released: bool,
}

impl Outcome {
    /// The outcome of a caller that got nowhere.
    pub(crate) fn unstarted(reason: EndReason) -> Self {
        Self {
            reason,
            was_in: false,
            time_in: Duration::ZERO,
            joins: 0,
            times: JoinTimes::default(),
            received: ReceivedMedia::default(),
            token_released: true,
        }
    }
}
