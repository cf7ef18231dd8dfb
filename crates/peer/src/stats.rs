//! Measurements, named as W3C webrtc-stats names them.

use std::{net::SocketAddr, time::Duration};

/// What a peer has measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerStats {
    /// `currentRoundTripTime` of the selected pair.
    pub round_trip_time: Option<Duration>,
    /// Audio we receive.
    pub inbound_audio: InboundRtpStats,
    /// Video we receive.
    pub inbound_video: InboundRtpStats,
    /// Audio we send.
    pub outbound_audio: OutboundRtpStats,
    /// Video we send.
    pub outbound_video: OutboundRtpStats,
    /// The pair ICE has chosen.
    pub selected_candidate_pair: Option<CandidatePairStats>,
    /// `dtlsCipher`.
    pub dtls_cipher: Option<String>,
    /// `srtpCipher`.
    pub srtp_cipher: Option<String>,
    /// Datagrams the kernel threw away because we did not read them in time.
    pub socket_drops: u64,
}

/// `RTCInboundRtpStreamStats`, summed over the streams of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InboundRtpStats {
    /// `packetsReceived`.
    pub packets_received: u64,
    /// `packetsLost`; negative when duplicates arrived.
    pub packets_lost: i64,
    /// `jitter`.
    pub jitter: Duration,
    /// `bytesReceived`, payload alone.
    pub bytes_received: u64,
    /// `nackCount`: requests for retransmission sent.
    pub nack_count: u64,
    /// `pliCount`: key-frame requests sent.
    pub pli_count: u64,
}

/// `RTCOutboundRtpStreamStats`, summed over the streams of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OutboundRtpStats {
    /// `packetsSent`.
    pub packets_sent: u64,
    /// `bytesSent`, payload alone.
    pub bytes_sent: u64,
    /// `retransmittedPacketsSent`.
    pub retransmitted_packets_sent: u64,
    /// `nackCount`: requests for retransmission received.
    pub nack_count: u64,
    /// `pliCount`: key-frame requests received.
    pub pli_count: u64,
    /// Packets thrown away because the connection did not take them in time.
    pub packets_discarded: u64,
}

/// `RTCIceCandidatePairStats` with its two candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePairStats {
    /// Our address.
    pub local: SocketAddr,
    /// `candidateType` of ours: host, srflx, prflx or relay.
    pub local_type: String,
    /// Theirs.
    pub remote: SocketAddr,
    /// `candidateType` of theirs.
    pub remote_type: String,
}
