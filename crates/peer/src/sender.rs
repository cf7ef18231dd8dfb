//! Media going out.

use std::{sync::Arc, time::Duration};

use media::{Codec, Frame, Kind};

use crate::{PeerError, path::MediaPath};

/// Sends one kind of media. Cheap to clone; all clones share sequence numbers.
#[derive(Debug, Clone)]
pub struct MediaSender {
    codec: Codec,
    path: Arc<MediaPath>,
}

impl MediaSender {
    pub(crate) fn new(codec: Codec, path: Arc<MediaPath>) -> Self {
        Self { codec, path }
    }

    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.codec.kind()
    }

    /// The negotiated codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Sends all packets of `frame` at RTP time `timestamp`, at once, as far as the socket takes them.
    /// Never waits.
    ///
    /// Before the connection is there, and when the far end's network does not take what we give,
    /// frames are discarded and counted ([`crate::PeerStats::packets_discarded`]).
    ///
    /// # Errors
    ///
    /// Fails if the frame is in another codec than the negotiated one.
    pub fn send(&self, frame: &Frame, timestamp: u32) -> Result<(), PeerError> {
        if frame.codec != self.codec {
            return Err(PeerError::WrongCodec {
                got: frame.codec.name(),
                negotiated: self.codec.name(),
            });
        }
        self.path.send(frame, timestamp);
        Ok(())
    }

    /// Notes how old what is sent here is by then: a mixer holds sound back that a switch of pictures does
    /// not. Sender reports tell it, so that receivers play both in step (RFC 3550 §6.4.1).
    pub fn set_age(&self, age: Duration) {
        self.path.set_age(self.kind(), age);
    }

    /// SSRC of this stream.
    pub fn ssrc(&self) -> u32 {
        self.path.ssrc(self.kind())
    }

    /// Sequence number of the next packet, extended by its cycles as receiver reports count them.
    pub fn next_sequence_number(&self) -> u32 {
        self.path.next_sequence_number(self.kind())
    }
}
