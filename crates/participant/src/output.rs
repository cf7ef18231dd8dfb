//! Everything a participant can want done.

use std::time::Duration;

use infinity::{ConferenceAlias, MediaType, NewCandidate, Request, StunServer, Token, TurnServer};

use crate::Notice;

/// Tells requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// Tells event streams apart, so that the last words of an old one are not taken for a new one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u64);

/// Tells peer connections apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(crate) u64);

/// Something the driver is to carry out, in this order, without waiting for one before the next.
#[derive(Clone, Debug)]
pub enum Output {
    /// Make a request; answer with [`crate::Input::Reply`].
    Request(Outgoing),
    /// Open or close the event stream.
    EventStream(EventStreamCommand),
    /// Do something with a peer connection.
    Peer(PeerId, PeerCommand),
    /// Do something with the media of a peer connection.
    Media(PeerId, MediaCommand),
    /// Take note.
    Notice(Notice),
}

/// A request to be made.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What to answer it under.
    pub id: RequestId,
    /// The node to ask: an index into the list of nodes.
    pub node: usize,
    /// The request.
    pub request: Request,
    /// How long to wait for the answer; nothing: as long as it takes, as `ack` may block.
    pub time_limit: Option<Duration>,
}

/// What is to be done with the event stream.
#[derive(Clone, Debug)]
pub enum EventStreamCommand {
    /// Open a stream. There may be another one still open, which is not used any more.
    Open {
        /// What to speak of it under.
        stream: StreamId,
        /// The node to ask.
        node: usize,
        /// The conference whose events they are.
        conference: ConferenceAlias,
        /// The token to ask with, in a header.
        token: Token,
    },
    /// Close a stream. Nothing of it is wanted any more.
    Close(StreamId),
}

/// What is to be done with a peer connection.
#[derive(Clone, Debug)]
pub enum PeerCommand {
    /// Make it, with the media this participant has, and create an offer; answer with
    /// [`crate::PeerInput::Offer`].
    Open {
        /// The servers that help with ICE.
        ice: IceServers,
        /// When the offer is wanted.
        gather: Gather,
        /// Which media the conference allows; nothing: the node did not say.
        media_type: Option<MediaType>,
        /// The most that may be sent, in kbit/s.
        bandwidth_out: Option<u32>,
    },
    /// Take the node's answer to the latest offer.
    SetAnswer(String),
    /// Take a candidate of the node's.
    AddCandidate(NewCandidate),
    /// Use these TURN servers too, from the next [`Self::RestartIce`] on.
    AddTurnServers(Vec<TurnServer>),
    /// Create an offer with new ICE credentials, complete or not as with [`Self::Open`]; answer
    /// with [`crate::PeerInput::Offer`].
    RestartIce,
    /// Close it. Nothing of it is wanted any more.
    Close,
}

/// When an offer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Once it is complete, with all candidates in it: the node takes none afterwards.
    First,
    /// At once; candidates follow one by one (RFC 8838).
    Trickle,
}

/// The servers that help with ICE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServers {
    /// STUN servers.
    pub stun: Vec<StunServer>,
    /// TURN servers.
    pub turn: Vec<TurnServer>,
    /// Whether media may go through a TURN server only.
    pub relay_only: bool,
}

/// What is to be done with the media of a peer connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// Send: the node has been told that we are ready, and ICE has found a way. DTLS may still be
    /// under way.
    Start,
    /// Send no more.
    Stop,
}
