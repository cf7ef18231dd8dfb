//! What a participant tells without wanting anything done: for logs, metrics, receipts.

use std::time::Duration;

use infinity::{
    CallUuid, ConferenceAlias, ConferenceStatus, EventError, ParticipantUuid, Role,
    event::{Message, StageEntry},
};

use crate::{Exit, Presence, RequestFailure, Standing};

/// Something worth knowing.
#[derive(Clone, Debug)]
pub enum Notice {
    /// It stands differently.
    State(Standing),
    /// A step of joining is done.
    Milestone(Milestone),
    /// What the roster says of us and of others has changed.
    Presence(Presence),
    /// Our role: with a token, and whenever it has changed.
    Role(Role),
    /// A participant has come. Not told of us.
    Came(ParticipantUuid),
    /// A participant has gone. Not told of us.
    Gone(ParticipantUuid),
    /// The conference has changed.
    Conference(ConferenceStatus),
    /// Somebody has written a chat message.
    Message(Message),
    /// Who is speaking.
    Stage(Vec<StageEntry>),
    /// Somebody presents, or nobody any more.
    Presentation {
        /// Who; nothing: nobody.
        presenter: Option<String>,
    },
    /// The token was refreshed.
    Refreshed,
    /// A request failed and will be made again.
    Retrying {
        /// Which.
        request: &'static str,
        /// Why it failed.
        failure: RequestFailure,
        /// When it will be made again, from now.
        after: Duration,
    },
    /// The event stream was lost and will be opened again.
    EventStreamLost {
        /// Why.
        why: String,
        /// When it will be opened again, from now.
        after: Duration,
    },
    /// The media is being mended.
    Mending {
        /// How: the rung of the ladder.
        by: &'static str,
        /// Why.
        why: String,
    },
    /// We will join again.
    JoiningAgain {
        /// Why.
        why: String,
        /// When, from now.
        after: Duration,
    },
    /// We are being sent to another conference.
    Referred(ConferenceAlias),
    /// There is a new picture of the presentation, to be fetched as JPEG by who wants to see it.
    PresentationFrame,
    /// The node does not answer what is to be settled on the way out; it is not waited for any more.
    Unanswered,
    /// An event could not be read.
    Malformed(EventError),
    /// Something came that makes no sense at the moment.
    Ignored {
        /// What.
        what: &'static str,
    },
    /// It is over; there is nothing after this.
    Ended(Exit),
}

/// The steps of joining, in the order in which they usually come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// There is a token.
    TokenGranted {
        /// Who we are in the roster.
        participant: ParticipantUuid,
    },
    /// The event stream is open.
    EventsOpened,
    /// The offer is made and sent.
    Offered,
    /// The node has answered it.
    Answered {
        /// The id of the call.
        call: CallUuid,
    },
    /// ICE has found a way.
    IceConnected,
    /// The node was told to start media.
    AckSent,
    /// The node has answered that.
    Acked,
    /// Media flows.
    MediaFlowing,
    /// The token was released.
    TokenReleased,
}
