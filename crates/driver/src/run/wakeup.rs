//! All that can wake the loop.

use infinity::{Request, Response};
use media::RecordNews;
use participant::{EventStreamInput, PeerId, PeerInput, RequestId, StreamId};
use peer::{CandidatePairStats, Negotiated, Peer, PeerEvent, PeerStats};
use tokio::sync::oneshot;

use crate::Program;
use crate::SinkNews;
use crate::StopReason;
use crate::api::Access;
use crate::pump::PumpEvent;
use crate::receive::FirstPacket;
use crate::rest::RequestError;
use crate::sources::{Part, Sources};

/// All that can wake the loop of a caller; a closed list.
#[derive(Debug)]
pub(crate) enum Wakeup {
    /// A request ended.
    Reply(Box<Answered>),
    /// An event stream has something to say.
    Event(StreamId, EventStreamInput),
    /// A peer connection, or what belongs to it, has something to say.
    Peer(PeerId, PeerNews),
    /// It is time for something.
    Timer,
    /// Whoever runs the caller wants something.
    Order(Order),
}

/// A request that ended, one way or the other.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) id: RequestId,
    pub(crate) node: usize,
    pub(crate) request: Request,
    pub(crate) result: Result<Response, RequestError>,
    pub(crate) took: std::time::Duration,
}

/// What a peer connection, or what belongs to it, has to say.
#[derive(Debug)]
pub(crate) enum PeerNews {
    /// It was made.
    Made(Peer),
    /// Something for the participant.
    Input(PeerInput),
    /// The answer was taken.
    Negotiated(Negotiated),
    /// It was measured.
    Measured(Box<PeerStats>),
    /// It noticed something by itself.
    Event(PeerEvent),
    /// ICE has chosen a pair of candidates.
    Path(CandidatePairStats),
    /// What is to be sent was opened, for the program of this number.
    Sources(u32, Sources),
    /// The picture of that program was opened in an encoding within this limit, in bits a second.
    Picture(u32, Option<u32>, Part),
    /// The first packet of a kind came.
    First(FirstPacket),
    /// The pump has something to say.
    Pump(PumpEvent),
    /// Something happened to the recording.
    Recording(RecordNews),
    /// Something happened to a sink.
    Sink { sink: String, news: SinkNews },
}

/// What whoever runs the caller wants.
#[derive(Debug)]
pub(crate) enum Order {
    /// Leave; the second time, at once.
    Stop(StopReason),
    /// Let the program start.
    Play,
    /// Let the program's sound be heard, or silence instead.
    Talk(bool),
    /// Play this program from now on, known by a number.
    Program(u32, Program),
    /// Say who the caller is and what proves it; dropped unanswered while it is nobody.
    Introduce(oneshot::Sender<Access>),
    /// Leave: nobody is there any more to say so.
    Abandoned,
}
