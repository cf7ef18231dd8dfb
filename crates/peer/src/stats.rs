//! Measurements, named as W3C webrtc-stats names them.

use std::{net::SocketAddr, time::Duration};

use webrtc::peer_connection::{RTCIceCandidate, RTCStatsReport, RTCStatsReportEntry as Entry};

use crate::LinkStats;

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
    /// Packets we were given to send and threw away: there was no connection yet, or it did not
    /// take them in time.
    pub packets_discarded: u64,
    /// Datagrams the kernel threw away because we did not read them in time.
    pub socket_drops: u64,
    /// What a poor link on purpose did with what was sent; see [`crate::Impairment`].
    pub link: LinkStats,
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
    /// `url` of ours: the TURN server it goes through, if it is relayed.
    pub relay: Option<String>,
}

/// Takes what we have names for out of webrtc's report: the connection, for media is not its own.
pub(crate) fn read(report: &RTCStatsReport) -> PeerStats {
    let mut stats = PeerStats::default();
    let mut selected = String::new();
    for entry in report.iter() {
        if let Entry::Transport(transport) = entry {
            selected.clone_from(&transport.selected_candidate_pair_id);
            stats.dtls_cipher = named(&transport.dtls_cipher);
            stats.srtp_cipher = named(&transport.srtp_cipher);
        }
    }
    if let Some(Entry::IceCandidatePair(pair)) = report.get(&selected)
        && pair.current_round_trip_time > 0.0
    {
        stats.round_trip_time = Some(seconds(pair.current_round_trip_time));
    }
    stats
}

/// The two ends of a pair.
pub(crate) fn pair(
    local: &RTCIceCandidate,
    remote: &RTCIceCandidate,
) -> Option<CandidatePairStats> {
    let address = |candidate: &RTCIceCandidate| {
        let address = candidate.address.parse().ok()?;
        Some(SocketAddr::new(address, candidate.port))
    };
    Some(CandidatePairStats {
        local: address(local)?,
        local_type: local.typ.to_string(),
        remote: address(remote)?,
        remote_type: remote.typ.to_string(),
        relay: None,
    })
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
