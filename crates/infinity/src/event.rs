//! The event stream: what a node tells without being asked.

use serde::{Deserialize, Serialize};

use crate::{ConferenceStatus, NewCandidate, ParticipantRow, ParticipantUuid};

mod codec;
mod later;
mod payload;

pub use later::{
    Breakout, BreakoutEvent, BreakoutRefer, Fecc, Incoming, IncomingCancelled, LiveCaptions,
    Movement,
};
pub use payload::{
    CallDisconnected, Disconnect, Layout, Message, OnHold, PresentationStart, Refer, SessionSdp,
    SplashScreen, StageEntry,
};

/// Something that happened in the conference, or to us.
///
/// A name that is not in this list is [`Event::Unknown`] and no error: nodes learn new ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The complete roster follows, as `participant_create`s.
    ParticipantSyncBegin,
    /// The complete roster has been sent.
    ParticipantSyncEnd,
    /// A participant has come.
    ParticipantCreate(Box<ParticipantRow>),
    /// A participant has changed; this is all of it.
    ParticipantUpdate(Box<ParticipantRow>),
    /// A participant has gone.
    ParticipantDelete(ParticipantUuid),
    /// The conference has changed.
    ConferenceUpdate(ConferenceStatus),
    /// Somebody has written a chat message. In version 10 the event is called `message`.
    MessageReceived(Message),
    /// Who is on stage, the most recent speaker first.
    Stage(Vec<StageEntry>),
    /// How the picture is laid out.
    Layout(Layout),
    /// Somebody presents.
    PresentationStart(PresentationStart),
    /// Nobody presents any more.
    PresentationStop,
    /// There is a new picture of the presentation.
    PresentationFrame,
    /// A call of ours was hung up by the node.
    CallDisconnected(CallDisconnected),
    /// We are being disconnected.
    Disconnect(Disconnect),
    /// We are to go to another conference.
    Refer(Refer),
    /// We need not go to another conference after all.
    CancelRefer,
    /// We are put on hold, or no longer.
    OnHold(OnHold),
    /// We are to refresh our token at once.
    RefreshToken,
    /// Our call's other end is gone; we are to start a new call.
    PeerDisconnect,
    /// The other end of direct media offers.
    NewOffer(SessionSdp),
    /// The other end of direct media changes its description.
    UpdateSdp(SessionSdp),
    /// The other end has another candidate.
    NewCandidate(NewCandidate),
    /// A screen with a text is shown, or no longer.
    SplashScreen(Option<SplashScreen>),
    /// Somebody moves our camera.
    Fecc(Fecc),
    /// What is said, as text.
    LiveCaptions(LiveCaptions),
    /// A participant has come to a breakout room.
    BreakoutBegin(Breakout),
    /// A participant has left a breakout room.
    BreakoutEnd(Breakout),
    /// Something happened in a breakout room.
    BreakoutEvent(BreakoutEvent),
    /// Somebody asks for a participant to go to a breakout room.
    BreakoutRefer(BreakoutRefer),
    /// Somebody calls the alias that we are registered with.
    Incoming(Incoming),
    /// Whoever called our alias has given up.
    IncomingCancelled(IncomingCancelled),
    /// The first event of some nodes.
    Hello,
    /// Nothing happened; the node is there.
    Ping,
    /// The event stream ends.
    Bye,
    /// Something this list does not have.
    Unknown {
        /// The name of the event.
        name: String,
    },
}

/// An event that is in the API, but not with this data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data of event `{name}` is not what a Conferencing Node sends: {detail}")]
pub struct EventError {
    /// The name of the event.
    pub name: String,
    /// What is wrong with its data.
    pub detail: String,
}

/// An event as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventText {
    /// What stands behind `event:`.
    pub name: &'static str,
    /// What stands behind `data:`; never empty, as the web client skips an event without data.
    pub data: String,
}

/// The data of `participant_delete`.
#[derive(Serialize, Deserialize)]
struct Deleted {
    uuid: ParticipantUuid,
}
