//! Our two ends of webrtc's interceptor chain: where media enters it, and where it leaves.
//!
//! Interceptors stand in a row from the wire to the application. Outgoing media enters just behind
//! the three that have to see it (transport-wide numbering, retransmission buffer, sender
//! reports), and does not pass through those that only receive. Incoming media leaves at the far
//! end, when all have seen it, and goes straight to whoever reads the track, without webrtc's own
//! way over one more queue and one more task.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use rtc::{
    interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket},
    sansio::Protocol,
    shared::{TransportContext, error::Error},
};

use crate::{inlet::Inlet, outlet::Outlet};

/// Where sender reports are made: next to the retransmission buffer (4 000), on its inner side.
pub(crate) const SENDER_REPORT_SLOT: usize = 4_300;
/// Where outgoing media enters.
pub(crate) const ENTRANCE_SLOT: usize = 4_500;
/// Where incoming media leaves: application-ward of every interceptor of webrtc's own.
pub(crate) const EXIT_SLOT: usize = 12_500;

/// Puts in what an [`Outlet`] holds.
pub(crate) struct Entrance {
    outlet: Arc<Outlet>,
    taken: Vec<(Instant, Packet)>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl Entrance {
    /// From `outlet`.
    pub(crate) fn new(outlet: Arc<Outlet>) -> Self {
        Self {
            outlet,
            taken: Vec::new(),
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Entrance {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
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
        if let Some(packet) = self.writes.pop_front() {
            return Some(packet);
        }
        if self.taken.is_empty() {
            self.outlet.take(&mut self.taken);
            // Taken from the end, first things first.
            self.taken.reverse();
        }
        let (now, packet) = self.taken.pop()?;
        Some(TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        })
    }
}

impl Interceptor for Entrance {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// Takes everything out, for an [`Inlet`].
pub(crate) struct Exit {
    inlet: Arc<Mutex<Inlet>>,
    writes: VecDeque<TaggedPacket>,
}

impl Exit {
    /// To `inlet`.
    pub(crate) fn new(inlet: Arc<Mutex<Inlet>>) -> Self {
        Self {
            inlet,
            writes: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Exit {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        let mut inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner);
        match packet.message.packet {
            Packet::Rtp(rtp) => inlet.rtp(packet.now, rtp),
            Packet::Rtcp(rtcp) => inlet.rtcp(&rtcp),
            _ => {}
        }
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Exit {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
