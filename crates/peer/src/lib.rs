//! ICE, DTLS, SRTP and RTP for one caller: the only crate that names webrtc.
//!
//! A [`Peer`] is one media leg. It lives on one [`Shard`], an OS thread with a current-thread
//! runtime, together with its sockets, timers and tasks, so that nothing of a caller ever moves
//! between cores. An offering peer ([`Peer::offerer`]) is a participant's side of a call; an
//! answering peer ([`Peer::answerer`]) is a Conferencing Node's, whose answers have the form real
//! nodes use.
//!
//! What a peer notices arrives as [`PeerEvent`]s on a bounded channel; media goes out through
//! [`MediaSender`] and comes in through [`TrackReceiver`], neither with a task in between.

mod addresses;
mod answerer;
mod clock;
mod config;
mod connection;
mod dscp;
mod engine;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod handler;
mod intake;
mod link;
mod negotiated;
mod ntp;
mod offerer;
mod outbox;
mod path;
mod peer;
mod ports;
mod receiver;
mod relay;
mod route;
mod runtime;
pub mod sdp;
mod sender;
mod shard;
mod sink;
mod socket;
mod sockopt;
mod srtp;
mod stats;
mod turns;

pub use addresses::{local_addresses, local_addresses_towards};
pub use config::{Direction, IceServer, PeerConfig};
pub use dscp::{Dscp, DscpError};
pub use error::PeerError;
pub use event::{IceConnectionState, PeerEvent, PeerEvents, ReceiverReport};
pub use link::{Impairment, LinkStats};
pub use negotiated::{Negotiated, NegotiatedCodec};
pub use peer::Peer;
pub use ports::{PortRange, PortRangeError};
pub use receiver::{Inbound, RtpPacket, TrackReceiver};
pub use relay::IceServerError;
pub use sender::MediaSender;
pub use shard::{Shard, Shards};
pub use stats::{CandidatePairStats, InboundRtpStats, OutboundRtpStats, PeerStats};
