//! The way of media: RTP and RTCP between a peer's socket and whoever sends and reads.
//!
//! webrtc makes the connection, ICE and DTLS, and has no part in what follows: a frame is numbered,
//! protected and sent by [`MediaPath::send`] in the task that has it, all its packets at once, and
//! what comes in goes from the socket's task to the reader of its track. Nothing waits in between, and
//! a packet is copied once each way: out of the frame that all callers share, and out of the buffer
//! that all sockets of a thread read into.
//!
//! What RTP needs besides is done when the shard's clock ticks: reports, requests for what is missing.

mod bandwidth;
mod feedback;
mod header;
mod hostile;
mod incoming;
mod outgoing;
mod receiving;
mod reporting;
mod rtcp;
mod sending;
#[cfg(test)]
pub(crate) mod tests;
mod transport_wide;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BytesMut;
use media::{Codec, Kind};
use rtc::crypto::RTCCrypto;

use crate::{
    InboundRtpStats, OutboundRtpStats,
    sink::EventSink,
    socket::Socket,
    srtp::{Keys, Master, Receiving, Sending},
};
use bandwidth::Bandwidth;
pub use hostile::HostileFarEnd;
use incoming::Reception;
use outgoing::{Outgoing, Repair};
use receiving::Stream;
pub(crate) use receiving::is_media;
use transport_wide::Arrivals;

/// Time between two ticks of a path.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// What was negotiated of one m-line.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    /// Payload type of retransmissions, both ways.
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) mid: String,
    /// Whether what is missing may be asked for.
    pub(crate) nack: bool,
    /// Number of the extension for transport-wide numbers.
    pub(crate) transport_wide: Option<u8>,
    /// Sources of the far end, each with the one that repairs it.
    pub(crate) sources: Vec<(u32, Option<u32>)>,
}

/// Where media goes: the pair of candidates that ICE has chosen.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) socket: Weak<Socket>,
    pub(crate) to: SocketAddr,
    /// The name of the TURN server it goes through.
    pub(crate) relay: Option<SocketAddr>,
}

/// Settings of a path.
pub(crate) struct PathSettings {
    pub(crate) events: EventSink,
    pub(crate) cname: String,
    /// SSRC and repairing SSRC of our sound and picture.
    pub(crate) audio: (u32, u32),
    pub(crate) video: (u32, u32),
    pub(crate) report_interval: Duration,
    /// Number what is sent transport-wide, where the far end takes it.
    pub(crate) transport_cc: bool,
}

/// The way of one peer's media.
pub(crate) struct MediaPath {
    state: Mutex<State>,
    is_open: AtomicBool,
    /// ICE has a pair that works, and looks for no other.
    is_settled: AtomicBool,
    discarded: AtomicU64,
    route_may_have_changed: AtomicBool,
}

struct State {
    me: Weak<MediaPath>,
    settings: PathSettings,
    sending: Option<Sending>,
    receiving: Option<Receiving>,
    route: Option<Route>,
    formats: Vec<Format>,
    outgoing: [Outgoing; 2],
    transport_wide: u16,
    streams: Vec<Stream>,
    arrivals: Arrivals,
    bandwidth: Bandwidth,
    payloads: BytesMut,
    wanted: Vec<u16>,
    feedback: Vec<u8>,
    ticks: u32,
    last_report: Instant,
    /// A stream has, and nothing was reported of it yet.
    has_begun: bool,
    is_closed: bool,
}

impl MediaPath {
    /// A path that is shut until the connection is there.
    pub(crate) fn new(settings: PathSettings, now: Instant) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            is_open: AtomicBool::new(false),
            is_settled: AtomicBool::new(false),
            discarded: AtomicU64::new(0),
            route_may_have_changed: AtomicBool::new(false),
            state: Mutex::new(State {
                me: me.clone(),
                outgoing: [
                    Outgoing::new(Kind::Audio, settings.audio.0),
                    Outgoing::new(Kind::Video, settings.video.0),
                ],
                settings,
                sending: None,
                receiving: None,
                route: None,
                formats: Vec::new(),
                transport_wide: fastrand::u16(..),
                streams: Vec::new(),
                arrivals: Arrivals::new(now),
                bandwidth: Bandwidth::new(now),
                payloads: BytesMut::new(),
                wanted: Vec::new(),
                feedback: Vec::new(),
                ticks: 0,
                last_report: now,
                has_begun: false,
                is_closed: false,
            }),
        })
    }

    /// Takes packets from now on, or no more.
    pub(crate) fn set_open(&self, open: bool) {
        self.is_open.store(open, Ordering::Release);
    }

    /// Ends all tracks, and takes no more packets.
    pub(crate) fn close(&self) {
        self.set_open(false);
        let mut state = self.state();
        state.is_closed = true;
        state.streams.clear();
        (state.sending, state.receiving, state.route) = (None, None, None);
    }

    /// Whether nothing will go this way any more, though somebody still holds it.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Sets what was negotiated.
    pub(crate) fn set_formats(&self, formats: Vec<Format>) {
        let mut state = self.state();
        for format in &formats {
            let kind = format.codec.kind();
            let repairing = match kind {
                Kind::Audio => state.settings.audio.1,
                Kind::Video => state.settings.video.1,
            };
            let next = u64::from(fastrand::u16(..0x8000));
            let repair = match format.rtx_payload_type {
                Some(payload_type) => Repair::Stream {
                    ssrc: repairing,
                    payload_type,
                    next,
                },
                None => Repair::Same,
            };
            let repair = format.nack.then_some(repair);
            let outgoing = &mut state.outgoing[kind as usize];
            outgoing.payload_type = format.payload_type;
            outgoing.set_repair(repair);
        }
        state.formats = formats;
    }

    /// Sets where media goes; `None` where there is no way.
    pub(crate) fn set_route(&self, route: Option<Route>) {
        self.state().route = route;
    }

    /// ICE has a pair that works and looks for no other, or it looks for one.
    pub(crate) fn set_settled(&self, settled: bool) {
        self.is_settled.store(settled, Ordering::Release);
    }

    /// Whether the connection is there, and nothing but consent is to be asked for.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_open.load(Ordering::Acquire) && self.is_settled.load(Ordering::Acquire)
    }

    /// ICE may have chosen another pair.
    pub(crate) fn route_may_have_changed(&self) {
        self.route_may_have_changed.store(true, Ordering::Release);
    }

    /// Whether it may, since this was asked last.
    pub(crate) fn must_look_for_route(&self) -> bool {
        self.route_may_have_changed.load(Ordering::Acquire)
            && self.route_may_have_changed.swap(false, Ordering::AcqRel)
    }

    /// Sequence number of the next packet of a kind, extended by its cycles.
    pub(crate) fn next_sequence_number(&self, kind: Kind) -> u32 {
        self.state().outgoing[kind as usize].next as u32
    }

    /// Notes how old media of a kind is when it is sent.
    pub(crate) fn set_age(&self, kind: Kind, age: Duration) {
        self.state().outgoing[kind as usize].age = age;
    }

    /// SSRC of what is sent of a kind.
    pub(crate) fn ssrc(&self, kind: Kind) -> u32 {
        self.state().outgoing[kind as usize].ssrc
    }

    /// Packets that were to be sent and were thrown away.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }

    /// What was received and sent of a kind so far.
    pub(crate) fn stats(&self, kind: Kind) -> (InboundRtpStats, OutboundRtpStats) {
        let state = self.state();
        let mut inbound = InboundRtpStats::default();
        for stream in state.streams.iter().filter(|s| s.kind() == kind) {
            stream.add_to(&mut inbound);
        }
        let outgoing = &state.outgoing[kind as usize];
        let outbound = OutboundRtpStats {
            packets_sent: outgoing.packets,
            bytes_sent: outgoing.bytes,
            retransmitted_packets_sent: outgoing.retransmitted,
            nack_count: outgoing.nack_count,
            pli_count: outgoing.pli_count,
        };
        (inbound, outbound)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MediaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaPath").finish_non_exhaustive()
    }
}

impl Keys for MediaPath {
    fn agreed(&self, sending: &Master, receiving: &Master, crypto: &dyn RTCCrypto) {
        let made = Sending::new(sending, crypto)
            .and_then(|sending| Ok((sending, Receiving::new(receiving, crypto)?)));
        let mut state = self.state();
        match made {
            Ok((sending, receiving)) => {
                state.sending = Some(sending);
                state.receiving = Some(receiving);
            }
            // The far end will hear nothing, and so will we.
            Err(error) => tracing::warn!(%error, "no use can be made of the keys of SRTP"),
        }
        // With new keys, numbers begin a first cycle anew (RFC 3711 §3.3.1).
        for outgoing in &mut state.outgoing {
            outgoing.rekey();
        }
        for stream in &mut state.streams {
            stream.rekey();
        }
    }
}

/// The RTP clock of a kind.
fn clock_rate(kind: Kind) -> u32 {
    match kind {
        Kind::Audio => Codec::Opus.clock_rate(),
        Kind::Video => 90_000,
    }
}
