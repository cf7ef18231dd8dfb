//! How a command ends: the exit codes, and the failures that carry them.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use driver::{EndReason, StopReason};

/// The exit codes of every command; `standin --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done,
    /// It failed, or was not heard.
    Failed,
    /// The command line or a configuration is wrong; found before any socket was opened.
    Usage,
    /// The node refused us, or cannot be reached.
    NodeRefused,
    /// The load generator was overloaded, or the test cut short: nothing is said about the node.
    Invalid,
    /// A host, or the end of the conference, removed us.
    Removed,
    /// A PIN is wanted, or the one given is wrong.
    Pin,
    /// Nobody let us in from the waiting room in time.
    WaitingRoom,
    /// Interrupted by SIGINT; the token is released.
    Interrupted,
}

impl Exit {
    /// Every exit code.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NodeRefused,
        Self::Invalid,
        Self::Removed,
        Self::Pin,
        Self::WaitingRoom,
        Self::Interrupted,
    ];

    /// Returns the number a shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NodeRefused => 3,
            Self::Invalid => 4,
            Self::Removed => 5,
            Self::Pin => 6,
            Self::WaitingRoom => 7,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<&EndReason> for Exit {
    fn from(reason: &EndReason) -> Self {
        match reason {
            EndReason::Stopped(StopReason::Interrupted) => Self::Interrupted,
            EndReason::Stopped(_) => Self::Done,
            EndReason::Unreachable(_)
            | EndReason::Refused(_)
            | EndReason::CapacityReached(_)
            | EndReason::ExtensionWanted(_) => Self::NodeRefused,
            EndReason::PinWanted | EndReason::PinWrong => Self::Pin,
            EndReason::WaitingRoomTimeout => Self::WaitingRoom,
            EndReason::Removed(_) => Self::Removed,
            EndReason::Media(_) => Self::Usage,
            // The token or the call was lost, the disk was full, or a defect showed.
            _ => Self::Failed,
        }
    }
}

/// Why a command failed, and the exit code that says so.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    reason: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure with this exit code.
    pub(crate) fn new(exit: Exit, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            exit,
            reason: reason.into(),
        }
    }

    /// A failure of the command line or the configuration.
    pub(crate) fn usage(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Usage, reason)
    }

    /// A failure of the work itself.
    pub(crate) fn failed(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Failed, reason)
    }
}

impl fmt::Display for Failure {
    /// Writes the reason with all its causes on one line; a cause that the text before it already
    /// quotes is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.reason.to_string();
        let mut cause = self.reason.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push_str(": ");
                said.push_str(&text);
            }
            cause = error.source();
        }
        f.write_str(&said)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read meet.pin")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_failure_tells_its_causes_once() {
        let failure = Failure::usage(Outer(io::Error::other("disk on fire")));

        assert_eq!(failure.to_string(), "cannot read meet.pin: disk on fire");
        assert_eq!(failure.exit.code(), 2);
    }

    #[test]
    fn each_end_has_its_code() {
        let code = |reason: EndReason| Exit::from(&reason).code();

        assert_eq!(code(EndReason::Stopped(StopReason::Finished)), 0);
        assert_eq!(code(EndReason::Stopped(StopReason::Terminated)), 0);
        assert_eq!(code(EndReason::CallFailed("no ICE".into())), 1);
        assert_eq!(code(EndReason::RecordingFailed("disk full".into())), 1);
        assert_eq!(code(EndReason::Media("no such file".into())), 2);
        assert_eq!(code(EndReason::Refused("full".into())), 3);
        assert_eq!(code(EndReason::Unreachable("gone".into())), 3);
        assert_eq!(code(EndReason::ExtensionWanted("where to".into())), 3);
        assert_eq!(code(EndReason::Removed("by a host".into())), 5);
        assert_eq!(code(EndReason::PinWanted), 6);
        assert_eq!(code(EndReason::PinWrong), 6);
        assert_eq!(code(EndReason::WaitingRoomTimeout), 7);
        assert_eq!(code(EndReason::Stopped(StopReason::Interrupted)), 130);
    }
}
