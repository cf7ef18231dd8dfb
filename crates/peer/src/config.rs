//! What a peer is told before it begins.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use media::Codec;

use crate::{Dscp, Impairment, PortRange};

/// Which way media may flow, seen from this peer (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Sends and receives.
    SendRecv,
    /// Sends only.
    SendOnly,
    /// Receives only.
    RecvOnly,
    /// Neither; the m-line is there all the same.
    Inactive,
}

impl Direction {
    /// Whether this peer sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Its attribute in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether this peer receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// A STUN or TURN server, as `request_token` hands them out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` URIs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// User name for TURN; empty for STUN.
    pub username: String,
    /// Password for TURN; empty for STUN.
    pub credential: String,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// Settings of one peer.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Local addresses to bind, one UDP socket each; see [`crate::local_addresses_towards`].
    pub addresses: Vec<IpAddr>,
    /// The ports to bind there; `None` for any.
    pub ports: Option<PortRange>,
    /// How outgoing datagrams are marked; `None` for not at all. Marked datagrams leave one a
    /// system call, which costs a sender some CPU time.
    pub dscp: Option<Dscp>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
    /// How the certificates of TURN servers are judged (`turns:`); `None` for without TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Use relayed candidates only (`iceTransportPolicy: "relay"`).
    pub relay_only: bool,
    /// Direction of audio; `None` leaves the m-line out of an offer, and rejects it in an answer.
    pub audio: Option<Direction>,
    /// Direction of main video; `None` as for audio.
    pub video: Option<Direction>,
    /// Video codecs in order of preference. An answerer takes the one among them that the offer
    /// prefers, and rejects video when the offer has none.
    pub video_codecs: Vec<Codec>,
    /// Keep DTLS datagrams back, in both directions, until [`crate::Peer::release_dtls`].
    pub hold_dtls: bool,
    /// Time between RTCP sender and receiver reports (RFC 3550 §6.2).
    pub report_interval: Duration,
    /// Number outgoing packets transport-wide, as browsers do, so that the far end reports their
    /// arrival. Nothing here adapts to these reports, and they cost a sender about a twelfth of its
    /// CPU time; arrivals here are always reported to a far end that numbers its packets.
    pub transport_cc: bool,
    /// Time between two requests for consent. RFC 7675 §5.1 says five seconds, less 20 %; the sooner,
    /// the sooner a far end that is gone is noticed.
    pub consent_interval: Duration,
    /// Time without consent after which ICE is disconnected (RFC 7675 §5.1).
    pub disconnected_after: Duration,
    /// Further time after which a disconnected ICE connection has failed.
    pub failed_after: Duration,
    /// Upper bound of video towards this peer that an answer states as `b=TIAS`, in bit/s
    /// (RFC 3890).
    pub max_video_bitrate: u32,
    /// Of this many outgoing media datagrams one is thrown away on purpose, to see NACK at work.
    pub drop_one_in: Option<u32>,
    /// A poor link on purpose for all that is sent; see [`Impairment`].
    pub impairment: Option<Impairment>,
    /// A poor link on purpose for all that comes in.
    pub inbound_impairment: Option<Impairment>,
}

impl Default for PeerConfig {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            ports: None,
            dscp: None,
            ice_servers: Vec::new(),
            tls: None,
            relay_only: false,
            audio: Some(Direction::SendRecv),
            video: Some(Direction::SendRecv),
            video_codecs: Codec::VIDEO.to_vec(),
            hold_dtls: false,
            report_interval: Duration::from_secs(1),
            transport_cc: true,
            consent_interval: Duration::from_secs(2),
            disconnected_after: Duration::from_secs(5),
            failed_after: Duration::from_secs(10),
            max_video_bitrate: 3_732_480,
            drop_one_in: None,
            impairment: None,
            inbound_impairment: None,
        }
    }
}
