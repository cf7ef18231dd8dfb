//! Media going out.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

use media::{Codec, Frame, Kind};
use rtc::{interceptor::Packet, rtp};

use crate::{PeerError, outlet::Outlet};

/// Sends one kind of media. Cheap to clone; all clones share sequence numbers.
#[derive(Debug, Clone)]
pub struct MediaSender(Arc<Outgoing>);

/// The state of one outgoing stream.
#[derive(Debug)]
struct Outgoing {
    codec: Codec,
    payload_type: u8,
    ssrc: u32,
    /// Extended by its cycles, as receiver reports count.
    next_sequence_number: AtomicU32,
    begun: AtomicBool,
    packets: AtomicU64,
    bytes: AtomicU64,
    outlet: Arc<Outlet>,
}

impl MediaSender {
    pub(crate) fn new(codec: Codec, payload_type: u8, ssrc: u32, outlet: Arc<Outlet>) -> Self {
        Self(Arc::new(Outgoing {
            codec,
            payload_type,
            ssrc,
            // Random (RFC 3550 §5.1), and far from the first wrap, which SRTP receivers may miss
            // if they lose it (RFC 3711 §3.3.1).
            next_sequence_number: AtomicU32::new(fastrand::u32(0..0x8000)),
            begun: AtomicBool::new(false),
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            outlet,
        }))
    }

    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.0.codec.kind()
    }

    /// The negotiated codec.
    pub fn codec(&self) -> Codec {
        self.0.codec
    }

    /// Sends all packets of `frame` at RTP time `timestamp`. Never waits; payloads are shared, not
    /// copied.
    ///
    /// Before the connection is there, and when the far end's network does not take what we give,
    /// frames are discarded and counted ([`crate::PeerStats::packets_discarded`]).
    ///
    /// # Errors
    ///
    /// Fails if the frame is in another codec than the negotiated one.
    pub fn send(&self, frame: &Frame, timestamp: u32) -> Result<(), PeerError> {
        let stream = &*self.0;
        if frame.codec != stream.codec {
            return Err(PeerError::WrongCodec {
                got: frame.codec.name(),
                negotiated: stream.codec.name(),
            });
        }
        let count = frame.payloads.len();
        // Numbers are taken only for what is sent: a gap would be loss to the far end.
        if count == 0 || !stream.outlet.is_open() {
            stream.outlet.discard(count);
            return Ok(());
        }
        let first = stream
            .next_sequence_number
            .fetch_add(count as u32, Ordering::Relaxed);
        let marked = match stream.codec.kind() {
            // The end of a frame.
            Kind::Video => Some(count - 1),
            // The beginning of sound (RFC 7587 §4.1).
            Kind::Audio => (!stream.begun.swap(true, Ordering::Relaxed)).then_some(0),
        };
        let taken = stream
            .outlet
            .push(frame.payloads.iter().enumerate().map(|(at, payload)| {
                Packet::Rtp(rtp::Packet {
                    header: rtp::Header {
                        version: 2,
                        marker: marked == Some(at),
                        payload_type: stream.payload_type,
                        sequence_number: first.wrapping_add(at as u32) as u16,
                        timestamp,
                        ssrc: stream.ssrc,
                        ..Default::default()
                    },
                    payload: payload.clone(),
                })
            }));
        if taken {
            stream.packets.fetch_add(count as u64, Ordering::Relaxed);
            stream
                .bytes
                .fetch_add(frame.payload_bytes() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// SSRC of this stream.
    pub fn ssrc(&self) -> u32 {
        self.0.ssrc
    }

    /// Sequence number of the next packet, extended by its cycles as receiver reports count them.
    pub fn next_sequence_number(&self) -> u32 {
        self.0.next_sequence_number.load(Ordering::Relaxed)
    }

    /// Whether it sends this codec under this payload type.
    pub(crate) fn is(&self, codec: Codec, payload_type: u8) -> bool {
        self.0.codec == codec && self.0.payload_type == payload_type
    }

    /// Packets and payload bytes sent so far.
    pub(crate) fn sent(&self) -> (u64, u64) {
        (
            self.0.packets.load(Ordering::Relaxed),
            self.0.bytes.load(Ordering::Relaxed),
        )
    }
}
