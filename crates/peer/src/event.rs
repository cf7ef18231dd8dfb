//! What a peer notices by itself.

use std::time::Duration;

use media::Kind;
use tokio::sync::mpsc;

use crate::{IceServerError, TrackReceiver};

/// State of ICE (W3C `RTCIceConnectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceConnectionState {
    /// Gathering, or waiting for remote candidates.
    New,
    /// Checking pairs.
    Checking,
    /// A working pair was found.
    Connected,
    /// Checking is over and a pair works.
    Completed,
    /// Consent was lost (RFC 7675); it may come back.
    Disconnected,
    /// Consent did not come back, or no pair worked.
    Failed,
    /// Closed by us.
    Closed,
}

/// What the far end says about the media it gets from us (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceiverReport {
    /// Which of our streams it is about.
    pub kind: Kind,
    /// Share of packets lost since the report before, 0 to 1.
    pub fraction_lost: f64,
    /// Packets lost since the beginning.
    pub packets_lost: u32,
    /// Highest sequence number received, extended by its cycles (RFC 3550 §6.4.1).
    pub highest_sequence_number: u32,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// Round-trip time, once one of our sender reports has been answered.
    pub round_trip_time: Option<Duration>,
}

/// Something a peer noticed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerEvent {
    /// A local candidate to trickle (RFC 8838).
    LocalCandidate {
        /// `candidate:…` as in SDP, without `a=`.
        candidate: String,
        /// Media identification tag of the m-line it belongs to.
        mid: String,
        /// Username fragment of the generation it belongs to.
        ufrag: String,
    },
    /// All local candidates are known.
    GatheringComplete,
    /// ICE changed state.
    IceConnectionState(IceConnectionState),
    /// The DTLS handshake is done and media may flow.
    DtlsConnected,
    /// Nothing more will come of this connection, and that for another reason than ICE's failure.
    ConnectionFailed {
        /// Why, as far as it is known.
        reason: String,
    },
    /// A STUN or TURN server is of no use, from none of our addresses; others may be, and so may a
    /// path without any.
    IceServerFailed {
        /// Its URI.
        server: String,
        /// What is wrong with it.
        error: IceServerError,
    },
    /// A remote stream started to arrive.
    Track(TrackReceiver),
    /// The far end needs a key frame (PLI, RFC 4585 §6.3.1, or FIR, RFC 5104 §4.3.1).
    KeyFrameRequested {
        /// Of which of our streams.
        kind: Kind,
    },
    /// The far end reported on one of our streams.
    ReceiverReport(ReceiverReport),
    /// So many bits a second can be sent, as far as is known (W3C `availableOutgoingBitrate`); told when
    /// that becomes less, and when it has become notably more.
    AvailableOutgoingBitrate(u64),
}

/// Where a peer's events arrive; ends when the peer is closed.
///
/// Bounded: when it is full, reports and key-frame requests are dropped (they repeat) and the
/// rest waits.
pub type PeerEvents = mpsc::Receiver<PeerEvent>;
