//! Media coming in.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use media::{Codec, Kind};
use tokio::sync::mpsc;

use crate::path::MediaPath;

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

/// Counts of one stream.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pub(crate) kind: Kind,
    pub(crate) packets: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) discarded: AtomicU64,
}

/// A remote stream. Dropping it discards what arrives; reading too slowly discards the newest.
#[derive(Debug)]
pub struct TrackReceiver {
    codec: Codec,
    ssrc: u32,
    mid: String,
    receiver: mpsc::Receiver<Inbound>,
    arrivals: Arc<Arrivals>,
    path: Weak<MediaPath>,
}

impl TrackReceiver {
    pub(crate) fn new(
        codec: Codec,
        ssrc: u32,
        mid: String,
        receiver: mpsc::Receiver<Inbound>,
        arrivals: Arc<Arrivals>,
        path: Weak<MediaPath>,
    ) -> Self {
        Self {
            codec,
            ssrc,
            mid,
            receiver,
            arrivals,
            path,
        }
    }

    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.codec.kind()
    }

    /// The codec of its first packet.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Its SSRC.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The media identification tag of its m-line.
    pub fn mid(&self) -> &str {
        &self.mid
    }

    /// Packets thrown away because they were not read in time.
    pub fn packets_discarded(&self) -> u64 {
        self.arrivals.discarded.load(Ordering::Relaxed)
    }

    /// Waits for the next packet or report; `None` when the peer is closed.
    pub async fn recv(&mut self) -> Option<Inbound> {
        self.receiver.recv().await
    }

    /// Asks the sender for a key frame (PLI, RFC 4585 §6.3.1). Never waits.
    pub fn request_key_frame(&self) {
        if let Some(path) = self.path.upgrade() {
            path.request_key_frame(self.ssrc);
        }
    }
}
