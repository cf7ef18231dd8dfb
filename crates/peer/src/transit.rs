//! Our end of webrtc's interceptor chain: media and feedback enter and leave here.
//!
//! It stands nearest to the application. What it gives out passes through all the others (reports,
//! retransmission buffer, transport-wide numbering), and what it takes in has passed through them.
//! What is taken in stops here: it goes straight to whoever reads the track, without webrtc's own
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

/// Application-ward of every interceptor of webrtc's own.
pub(crate) const SLOT: usize = 12_500;

/// The interceptor.
pub(crate) struct Transit {
    outlet: Arc<Outlet>,
    inlet: Arc<Mutex<Inlet>>,
    taken: Vec<(Instant, Packet)>,
    writes: VecDeque<TaggedPacket>,
}

impl Transit {
    /// Between `outlet` and `inlet`, and webrtc.
    pub(crate) fn new(outlet: Arc<Outlet>, inlet: Arc<Mutex<Inlet>>) -> Self {
        Self {
            outlet,
            inlet,
            taken: Vec::new(),
            writes: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Transit {
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
        if let Some(packet) = self.writes.pop_front() {
            return Some(packet);
        }
        self.outlet.take(&mut self.taken);
        self.writes
            .extend(self.taken.drain(..).map(|(now, packet)| TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(packet),
            }));
        self.writes.pop_front()
    }
}

impl Interceptor for Transit {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
