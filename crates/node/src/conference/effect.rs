//! What a conference wants done.

use infinity::{CallUuid, Event, ParticipantUuid};

use crate::room::Admission;

/// One event stream of one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(super) u64);

/// Something the shell is to carry out, in this order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Write the event on these streams.
    Send {
        /// Where to.
        to: Vec<StreamId>,
        /// What.
        event: Event,
    },
    /// End the stream.
    CloseStream(StreamId),
    /// Say whether the sound of the participant is left out of the mix.
    SetMuted(ParticipantUuid, bool),
    /// Say whether the picture of the participant is kept from the others.
    SetVideoMuted(ParticipantUuid, bool),
    /// Say who stands in the spotlight, the first to come there first.
    SetSpotlights(Vec<ParticipantUuid>),
    /// Say whether the participant takes part.
    SetAdmission(ParticipantUuid, Admission),
    /// Media may go to this call from now on.
    StartMedia(CallUuid),
    /// End the call.
    HangUp(CallUuid),
    /// The participant has gone for good; its calls have been hung up.
    Forget(ParticipantUuid),
}

/// Why [`super::Conference::poll_timeout`] wants to be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// A token expires.
    TokenExpiry,
    /// A guest has waited long enough for a host.
    WaitingRoom,
    /// A far end that was dialled answers, rejects, or has rung for long enough.
    FarEnd,
    /// The event streams are to show that they live.
    Ping,
    /// [`crate::Fault::PeerDisconnect`] or [`crate::Fault::CallDisconnected`].
    EndOfFirstCall,
    /// [`crate::Fault::Restart`].
    Restart,
}
