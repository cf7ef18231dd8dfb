//! Media coming in.

use std::time::Instant;

use bytes::Bytes;
use media::{Codec, Kind};

/// One RTP packet as it arrived (RFC 3550 §5.1).
#[derive(Debug, Clone)]
pub struct RtpPacket {
    /// Sequence number.
    pub sequence_number: u16,
    /// RTP timestamp, in the codec's clock rate.
    pub timestamp: u32,
    /// Marker bit.
    pub marker: bool,
    /// Payload, without header, extensions and padding.
    pub payload: Bytes,
    /// When it came in.
    pub arrival: Instant,
}

/// What a track receives.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Inbound {
    /// A media packet, in order of arrival; retransmissions are put back under their own number.
    Packet(RtpPacket),
    /// The sender's clock: at `ntp` its timestamp was `rtp_timestamp` (RFC 3550 §6.4.1).
    SenderReport {
        /// NTP timestamp, 32.32 fixed point, seconds since 1900.
        ntp: u64,
        /// The same moment in RTP time.
        rtp_timestamp: u32,
    },
}

/// A remote stream. Dropping it discards what arrives.
#[derive(Debug)]
pub struct TrackReceiver {
    kind: Kind,
    codec: Codec,
    ssrc: u32,
    mid: Option<String>,
}

impl TrackReceiver {
    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The codec of its first packet.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Its SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The m-line it belongs to, where that is known.
    pub fn mid(&self) -> Option<&str> {
        self.mid.as_deref()
    }

    /// Waits for the next packet or report; `None` when the track or the peer has ended.
    pub async fn recv(&mut self) -> Option<Inbound> {
        None
    }

    /// Asks the sender for a key frame (PLI, RFC 4585 §6.3.1). Never waits.
    pub fn request_key_frame(&self) {}
}
