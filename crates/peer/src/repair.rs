//! Retransmissions put back where they belong (RFC 4588).
//!
//! It stands before webrtc's NACK generator and report recorder, which know nothing of
//! retransmission streams: a packet that came again would be asked for until it is out of the
//! window, and reported lost.

use std::{collections::VecDeque, time::Instant};

use bytes::Buf;
use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    sansio::Protocol,
    shared::error::Error,
};

/// Just wire-ward of the NACK generator.
pub(crate) const SLOT: usize = 6_500;

/// The interceptor.
#[derive(Default)]
pub(crate) struct Repair {
    repaired: Vec<Repaired>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

#[derive(Clone, Copy)]
struct Repaired {
    ssrc: u32,
    payload_type: u8,
    by_ssrc: u32,
    by_payload_type: u8,
}

impl Repair {
    /// Makes the packet what it was the first time; false for padding, which repairs nothing.
    fn restore(&self, packet: &mut rtc::rtp::Packet) -> bool {
        let by = (packet.header.ssrc, packet.header.payload_type);
        let Some(stream) = self
            .repaired
            .iter()
            .find(|stream| (stream.by_ssrc, stream.by_payload_type) == by)
        else {
            return true;
        };
        if packet.payload.len() < 2 {
            return false;
        }
        packet.header.sequence_number = packet.payload.get_u16();
        packet.header.ssrc = stream.ssrc;
        packet.header.payload_type = stream.payload_type;
        true
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Repair {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(rtp) = &mut packet.message.packet
            && !self.restore(rtp)
        {
            return Ok(());
        }
        self.reads.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Repair {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if let (Some(by_ssrc), Some(by_payload_type)) = (info.ssrc_rtx, info.payload_type_rtx) {
            self.unbind_remote_stream(info);
            self.repaired.push(Repaired {
                ssrc: info.ssrc,
                payload_type: info.payload_type,
                by_ssrc,
                by_payload_type,
            });
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.repaired.retain(|stream| stream.ssrc != info.ssrc);
    }
}
