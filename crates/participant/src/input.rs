//! Everything the world can do to a participant.

use infinity::{Event, EventError, NewCandidate, Refusal, Response, Statistics};

use crate::{PeerId, RequestFailure, RequestId, StreamId};

/// Something the world did. Always accompanied by the moment it happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The operator wants to be in the conference.
    Join,
    /// The operator wants to leave; the call and the token are given back on the way out.
    Leave(LeaveReason),
    /// A request ended, one way or the other. Each [`crate::Output::Request`] is to be answered
    /// once; if its time limit passed, with [`RequestFailure::TimedOut`].
    Reply(RequestId, Result<Response, RequestFailure>),
    /// An event stream opened, delivered, or ended.
    EventStream(StreamId, EventStreamInput),
    /// A peer connection has something to say.
    Peer(PeerId, PeerInput),
    /// The instant from [`crate::Participant::poll_timeout`] has come. Early or late does no harm.
    Timeout,
}

/// Why the operator wants to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// What there was to do is done.
    Finished,
    /// Somebody said stop: SIGTERM, a command.
    Stopped,
    /// Somebody pressed Ctrl-C: SIGINT.
    Interrupted,
    /// Something on our side went wrong, such as the source of media.
    Failed,
}

/// What an event stream does.
#[derive(Clone, Debug)]
pub enum EventStreamInput {
    /// The node has answered with the head of a stream; events may follow.
    Opened,
    /// An event came.
    Event(Event),
    /// An event came that could not be read.
    Malformed(EventError),
    /// Something else came that shows the node is there: a comment, an empty event.
    Alive,
    /// The stream is over, or never began.
    Ended(StreamEnd),
}

/// How an event stream ended.
#[derive(Clone, Debug)]
pub enum StreamEnd {
    /// The node answered with something other than a stream.
    Refused(Refusal),
    /// The connection failed, was cut, or was closed by the node.
    Lost(String),
}

/// What a peer connection does.
#[derive(Clone, Debug)]
pub enum PeerInput {
    /// The offer that was asked for, by [`crate::PeerCommand::Open`] or
    /// [`crate::PeerCommand::RestartIce`].
    Offer(String),
    /// A candidate was gathered. Only where candidates trickle.
    Candidate(NewCandidate),
    /// There are no more candidates; `mid` is that of the first m-line.
    GatheringComplete {
        /// The `a=mid` to name in the end-of-candidates.
        mid: String,
    },
    /// ICE has found a way, or found it again.
    IceConnected,
    /// ICE has lost its way and may find it again.
    IceDisconnected,
    /// ICE has given up.
    IceFailed,
    /// Media flows as this participant wants it to: if it sends, the node's reports cover packets
    /// of ours; if it only receives, packets arrive.
    MediaFlowing,
    /// Media that flowed has stopped.
    MediaStopped,
    /// The figures that were asked for by [`crate::PeerCommand::Measure`].
    Measured(Box<Statistics>),
    /// The peer connection cannot go on: it could not be made, the answer does not fit, DTLS
    /// failed, or it closed by itself. The sentence says what happened.
    Failed(String),
}
