//! The way in: from the peer's driver to track receivers and events.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use media::{Codec, Kind};
use tokio::sync::mpsc;

use crate::{
    Inbound, PeerEvent, ReceiverReport, RtpPacket, TrackReceiver, ntp, outlet::Outlet,
    receiver::Arrivals,
};

/// Packets that may wait for one receiver: a second of lively video. More are dropped and counted.
const TRACK_CAPACITY: usize = 512;
/// Streams of one peer. A stranger could make up any number; the oldest goes.
const MAX_STREAMS: usize = 16;
/// What may wait for whoever reads a peer's events.
const EVENT_CAPACITY: usize = 256;
/// Of these, what is kept free for events that do not repeat.
const EVENT_RESERVE: usize = 128;

/// Where a peer's events go.
#[derive(Debug, Clone)]
pub(crate) struct EventSink(Arc<Mutex<Option<mpsc::Sender<PeerEvent>>>>);

impl EventSink {
    /// A sink and the channel it fills.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<PeerEvent>) {
        let (sender, receiver) = mpsc::channel(EVENT_CAPACITY);
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    /// Reports something that happens once.
    pub(crate) fn send(&self, event: PeerEvent) {
        if let Some(sender) = &*self.lock()
            && let Err(mpsc::error::TrySendError::Full(event)) = sender.try_send(event)
        {
            tracing::warn!(?event, "nobody reads this peer's events; one is lost");
        }
    }

    /// Reports something that will be reported again; dropped when the reader is slow.
    pub(crate) fn send_repeating(&self, event: PeerEvent) {
        if let Some(sender) = &*self.lock()
            && sender.capacity() > EVENT_RESERVE
        {
            let _ = sender.try_send(event);
        }
    }

    /// Ends the channel.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<PeerEvent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a payload type stands for, once negotiated.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    pub(crate) payload_type: u8,
    pub(crate) codec: Codec,
    pub(crate) mid: String,
}

/// Takes what webrtc has decrypted.
pub(crate) struct Inlet {
    events: EventSink,
    outlet: Arc<Outlet>,
    formats: Vec<Format>,
    local: Vec<(u32, Kind)>,
    streams: Vec<Stream>,
    feedback: [Feedback; 2],
    closed: bool,
}

/// Requests of the far end about our streams of one kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Feedback {
    pub(crate) nack_count: u64,
    pub(crate) pli_count: u64,
}

struct Stream {
    ssrc: u32,
    sender: mpsc::Sender<Inbound>,
    arrivals: Arc<Arrivals>,
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet")
            .field("streams", &self.streams.len())
            .finish_non_exhaustive()
    }
}

impl Inlet {
    /// An inlet that knows no formats yet. `local` are our own sources.
    pub(crate) fn new(events: EventSink, outlet: Arc<Outlet>, local: Vec<(u32, Kind)>) -> Self {
        Self {
            events,
            outlet,
            formats: Vec::new(),
            local,
            streams: Vec::new(),
            feedback: [Feedback::default(); 2],
            closed: false,
        }
    }

    /// Sets what was negotiated.
    pub(crate) fn set_formats(&mut self, formats: Vec<Format>) {
        self.formats = formats;
    }

    /// Ends all tracks.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.streams.clear();
    }

    /// What the far end has asked for so far.
    pub(crate) fn feedback(&self, kind: Kind) -> Feedback {
        self.feedback[kind as usize]
    }

    /// What has arrived of a kind: packets, and bytes of payload.
    pub(crate) fn arrivals(&self, kind: Kind) -> (u64, u64) {
        let mut packets = 0;
        let mut bytes = 0;
        for stream in self.streams.iter().filter(|s| s.arrivals.kind == kind) {
            packets += stream.arrivals.packets.load(Ordering::Relaxed);
            bytes += stream.arrivals.bytes.load(Ordering::Relaxed);
        }
        (packets, bytes)
    }

    /// Takes a media packet, repaired where need be.
    pub(crate) fn rtp(&mut self, arrival: Instant, packet: rtc::rtp::Packet) {
        let header = &packet.header;
        let Some(at) = self.stream(header.ssrc, header.payload_type) else {
            return;
        };
        // Padding alone is a probe for bandwidth.
        if packet.payload.is_empty() {
            return;
        }
        let stream = &self.streams[at];
        stream.arrivals.packets.fetch_add(1, Ordering::Relaxed);
        stream
            .arrivals
            .bytes
            .fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
        let inbound = Inbound::Packet(RtpPacket {
            sequence_number: header.sequence_number,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: packet.payload,
            arrival,
        });
        if stream.sender.try_send(inbound).is_err() {
            stream.arrivals.discarded.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Finds a stream, or begins it: by its payload type, for without the MID header extension
    /// nothing else says what it is.
    fn stream(&mut self, ssrc: u32, payload_type: u8) -> Option<usize> {
        if let Some(at) = self.streams.iter().position(|s| s.ssrc == ssrc) {
            return Some(at);
        }
        if self.closed {
            return None;
        }
        let format = self
            .formats
            .iter()
            .find(|format| format.payload_type == payload_type)?;
        if self.streams.len() == MAX_STREAMS {
            self.streams.remove(0);
        }
        let (sender, receiver) = mpsc::channel(TRACK_CAPACITY);
        let arrivals = Arc::new(Arrivals {
            kind: format.codec.kind(),
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        });
        let feedback_from = self
            .local
            .iter()
            .find(|(_, kind)| *kind == format.codec.kind())
            .map_or(1, |(ssrc, _)| *ssrc);
        self.streams.push(Stream {
            ssrc,
            sender,
            arrivals: arrivals.clone(),
        });
        self.events.send(PeerEvent::Track(TrackReceiver::new(
            format.codec,
            ssrc,
            format.mid.clone(),
            receiver,
            arrivals,
            self.outlet.clone(),
            feedback_from,
        )));
        Some(self.streams.len() - 1)
    }

    /// Takes the parts of an RTCP packet that mean something to us.
    pub(crate) fn rtcp(&mut self, packets: &[Box<dyn rtc::rtcp::Packet>]) {
        use rtc::rtcp::{
            payload_feedbacks::{
                full_intra_request::FullIntraRequest,
                picture_loss_indication::PictureLossIndication,
            },
            receiver_report::ReceiverReport as Rr,
            sender_report::SenderReport as Sr,
            transport_feedbacks::transport_layer_nack::TransportLayerNack,
        };
        for packet in packets {
            let packet = packet.as_any();
            if let Some(report) = packet.downcast_ref::<Rr>() {
                self.reports(&report.reports);
            } else if let Some(report) = packet.downcast_ref::<Sr>() {
                self.reports(&report.reports);
                self.sender_report(report.ssrc, report.ntp_time, report.rtp_time);
            } else if let Some(request) = packet.downcast_ref::<PictureLossIndication>() {
                self.key_frame_requested(request.media_ssrc);
            } else if let Some(request) = packet.downcast_ref::<FullIntraRequest>() {
                for entry in &request.fir {
                    self.key_frame_requested(entry.ssrc);
                }
            } else if let Some(request) = packet.downcast_ref::<TransportLayerNack>()
                && let Some(kind) = self.local_kind(request.media_ssrc)
            {
                self.feedback[kind as usize].nack_count += 1;
            }
        }
    }

    fn sender_report(&self, ssrc: u32, ntp: u64, rtp_timestamp: u32) {
        if let Some(stream) = self.streams.iter().find(|s| s.ssrc == ssrc) {
            let _ = stream
                .sender
                .try_send(Inbound::SenderReport { ntp, rtp_timestamp });
        }
    }

    fn key_frame_requested(&mut self, ssrc: u32) {
        if let Some(kind) = self.local_kind(ssrc) {
            self.feedback[kind as usize].pli_count += 1;
            self.events
                .send_repeating(PeerEvent::KeyFrameRequested { kind });
        }
    }

    fn reports(&self, reports: &[rtc::rtcp::reception_report::ReceptionReport]) {
        for report in reports {
            let Some(kind) = self.local_kind(report.ssrc) else {
                continue;
            };
            let clock_rate = match kind {
                Kind::Audio => Codec::Opus.clock_rate(),
                Kind::Video => 90_000,
            };
            self.events
                .send_repeating(PeerEvent::ReceiverReport(ReceiverReport {
                    kind,
                    fraction_lost: f64::from(report.fraction_lost) / 256.0,
                    packets_lost: lost(report.total_lost),
                    highest_sequence_number: report.last_sequence_number,
                    jitter: Duration::from_secs_f64(
                        f64::from(report.jitter) / f64::from(clock_rate),
                    ),
                    round_trip_time: ntp::round_trip_time(
                        ntp::now(),
                        report.last_sender_report,
                        report.delay,
                    ),
                }));
        }
    }

    fn local_kind(&self, ssrc: u32) -> Option<Kind> {
        self.local
            .iter()
            .find(|(local, _)| *local == ssrc)
            .map(|(_, kind)| *kind)
    }
}

/// The count is a signed one of 24 bits (RFC 3550 §6.4.1); duplicates can make it negative.
fn lost(count: u32) -> u32 {
    if count & 0xff80_0000 == 0 { count } else { 0 }
}
