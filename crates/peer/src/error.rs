//! Why a peer could not do what it was asked.

use std::net::IpAddr;

use media::Kind;

use crate::PortRange;

/// Why a peer could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The description is not SDP, or lacks what WebRTC needs.
    #[error("malformed SDP {what}: {detail}")]
    MalformedSdp {
        /// `offer` or `answer`.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The answer is well formed but cannot be carried out.
    #[error("unusable answer: {0}")]
    UnusableAnswer(String),
    /// No local address to bind was given, or none could be bound.
    #[error(
        "could not bind a UDP socket on {addresses:?}: {detail}; check that these are addresses of \
         this machine"
    )]
    Bind {
        /// The addresses that were tried.
        addresses: Vec<IpAddr>,
        /// What the system said.
        detail: String,
    },
    /// Every port of the range is in use.
    #[error(
        "no UDP port of {range} is free on {addresses:?}: each participant takes one for each \
         address, so widen the range"
    )]
    NoPort {
        /// The ports that may be used.
        range: PortRange,
        /// The addresses that want one each.
        addresses: Vec<IpAddr>,
    },
    /// A remote candidate that is not a candidate (RFC 8839 §5.1).
    #[error("malformed ICE candidate {candidate:?}: {detail}")]
    MalformedCandidate {
        /// The candidate line.
        candidate: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The frame's codec is not the one this sender was negotiated for.
    #[error("a {got} frame for a sender negotiated for {negotiated}")]
    WrongCodec {
        /// Encoding name of the frame.
        got: &'static str,
        /// Encoding name that was negotiated.
        negotiated: &'static str,
    },
    /// Nothing of this kind may be sent: the m-line is missing, rejected or not ours to send on.
    #[error("{0:?} is not being sent in this call")]
    NotSending(Kind),
    /// The peer was closed.
    #[error("the peer connection is closed")]
    Closed,
    /// The stack below refused.
    #[error("webrtc could not {action}: {detail}")]
    Stack {
        /// What was being done.
        action: &'static str,
        /// What it said.
        detail: String,
    },
}
