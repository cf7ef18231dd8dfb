//! Whether an announcement was heard, and why not.

use std::fmt;

use driver::EndReason;
use serde::Serialize;

/// Whether an announcement was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The node received it whole, let it be heard, and somebody with media was there.
    Heard,
    /// It was not, or not whole.
    NotHeard(NotHeard),
}

/// Why an announcement was not heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "because", content = "detail")]
#[non_exhaustive]
pub enum NotHeard {
    /// The caller ended before the clip did: removed, PIN wanted, call lost and the like.
    Ended(EndReason),
    /// The roster never showed us in the conference.
    NeverIn,
    /// Nobody let us in from the waiting room.
    WaitingRoom,
    /// Our own row says that we are muted; nothing was played.
    Muted,
    /// Our own row said that we were muted while the clip played.
    MutedWhilePlaying,
    /// Nobody else with media was there; nothing was played.
    NobodyThere,
    /// The last one with media left while the clip played.
    AudienceLeft,
    /// The node rejected the sound, or the picture of a clip without sound.
    NotSent,
    /// The clip is a picture alone, in a codec that the node does not take; why.
    WrongCodec(String),
    /// The call ended, or was ended, while the clip played.
    CutShort(EndReason),
    /// The node reported on none of the clip's packets.
    NeverReported,
    /// So many packets of the clip did not reach the node.
    Missing {
        /// Packets that did not arrive.
        missing: u64,
        /// Packets that were sent.
        sent: u64,
    },
}

impl fmt::Display for NotHeard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(reason) => reason.fmt(f),
            Self::NeverIn => f.write_str("the roster never showed us in the conference"),
            Self::WaitingRoom => f.write_str("nobody let us in from the waiting room in time"),
            Self::Muted => f.write_str(
                "we are muted by a host or as a guest: nothing was played; let a host unmute us, \
                 or join with a host's PIN",
            ),
            Self::MutedWhilePlaying => f.write_str("we were muted while the clip played"),
            Self::NobodyThere => {
                f.write_str("nobody else with media is in the conference: nothing was played")
            }
            Self::AudienceLeft => {
                f.write_str("the last one who could hear it left while the clip played")
            }
            Self::NotSent => f.write_str("the node rejected our media: nothing could be sent"),
            Self::WrongCodec(reason) => write!(f, "nothing could be sent: {reason}"),
            Self::CutShort(reason) => write!(f, "the clip was cut short: {reason}"),
            Self::NeverReported => f.write_str("the node never reported receiving the clip"),
            Self::Missing { missing, sent } => {
                write!(
                    f,
                    "{missing} of the clip's {sent} packets did not reach the node"
                )
            }
        }
    }
}
