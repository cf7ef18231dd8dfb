//! Media going out.

use media::{Codec, Frame, Kind};

use crate::PeerError;

/// Sends one kind of media. Cheap to clone; all clones share sequence numbers.
#[derive(Debug, Clone)]
pub struct MediaSender {
    kind: Kind,
    codec: Codec,
}

impl MediaSender {
    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The negotiated codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Sends all packets of `frame` at RTP time `timestamp`. Never waits; payloads are shared,
    /// not copied.
    pub fn send(&self, frame: &Frame, timestamp: u32) -> Result<(), PeerError> {
        let _ = (frame, timestamp);
        Err(PeerError::Closed)
    }

    /// SSRC of this stream.
    pub fn ssrc(&self) -> u32 {
        0
    }

    /// Sequence number of the next packet, extended by its cycles as receiver reports count them.
    pub fn next_sequence_number(&self) -> u32 {
        0
    }
}
