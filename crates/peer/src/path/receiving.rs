//! Packets on their way in: from the socket to the reader of their track.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use media::Kind;
use tokio::sync::mpsc;

use super::{
    MediaPath, Reception, State, clock_rate, header::Header, rtcp::Told, sending::with_desk,
};
use crate::{
    Inbound, InboundRtpStats, PeerEvent, ReceiverReport, RtpPacket, TrackReceiver, ntp,
    outbox::Outbox, receiver::Arrivals, srtp::nearest,
};

/// Packets that may wait for one receiver: a second of lively video. More are dropped and counted.
const TRACK_CAPACITY: usize = 512;
/// Streams of one peer. Only the far end can begin one; the oldest goes.
const MAX_STREAMS: usize = 16;
/// Payloads share a piece of memory of this size, which is used again when all are dropped.
const PIECE: usize = 8 * 1024;

/// A stream that has begun to arrive.
pub(super) struct Stream {
    pub(super) ssrc: u32,
    payload_type: u8,
    sender: mpsc::Sender<Inbound>,
    arrivals: Arc<Arrivals>,
    pub(super) reception: Reception,
    asks: bool,
    /// What we asked for.
    pub(super) nack_count: u64,
    pub(super) pli_count: u64,
}

impl Stream {
    pub(super) fn kind(&self) -> Kind {
        self.arrivals.kind
    }

    pub(super) fn add_to(&self, stats: &mut InboundRtpStats) {
        stats.packets_received += self.arrivals.packets.load(Ordering::Relaxed);
        stats.bytes_received += self.arrivals.bytes.load(Ordering::Relaxed);
        stats.packets_lost += self.reception.lost();
        stats.jitter = stats.jitter.max(self.reception.jitter());
        stats.nack_count += self.nack_count;
        stats.pli_count += self.pli_count;
    }

    /// There are new keys, with which numbers begin anew.
    pub(super) fn rekey(&mut self) {
        self.reception = Reception::new(clock_rate(self.kind()), self.asks);
    }

    fn deliver(&self, inbound: Inbound) {
        if self.sender.try_send(inbound).is_err() {
            self.arrivals.discarded.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether a datagram is RTP or RTCP (RFC 7983 §7).
pub(crate) fn is_media(datagram: &[u8]) -> bool {
    matches!(datagram.first(), Some(128..=191))
}

/// RTCP has no RTP payload types that collide with it (RFC 5761 §4).
pub(super) fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet.get(1), Some(192..=223))
}

impl MediaPath {
    /// Takes what has come in, protected as it is.
    pub(crate) fn receive<'a>(&self, now: Instant, packets: impl Iterator<Item = &'a mut [u8]>) {
        with_desk(|desk| {
            let mut state = self.state();
            for packet in packets {
                if is_rtcp(packet) {
                    state.take_rtcp(now, packet, desk);
                } else {
                    state.take_rtp(now, packet);
                }
            }
            ((), state.socket_for(desk))
        });
    }
}

impl State {
    fn take_rtp(&mut self, now: Instant, packet: &mut [u8]) -> Option<()> {
        let header = Header::read(packet)?;
        let receiving = self.receiving.as_mut()?;
        let (number, length) =
            receiving.rtp(packet, header.length, header.ssrc, header.sequence_number)?;
        let packet = &packet[..length];
        let pt = header.payload_type;
        let at = self
            .formats
            .iter()
            .position(|format| format.payload_type == pt || format.rtx_payload_type == Some(pt))?;
        let format = &self.formats[at];
        if let Some(extension) = format.transport_wide
            && let Some(number) = header.extension(packet, extension)
        {
            self.arrivals.arrived(now, header.ssrc, number);
        }
        let mut payload = header.payload(packet)?;
        let (at, number) = if format.rtx_payload_type == Some(pt) {
            // RFC 4588 §4; without a number it is padding, which repairs nothing.
            let (original, rest) = payload.split_first_chunk()?;
            payload = rest;
            let at = self.repaired(at, header.ssrc)?;
            let highest = self.streams[at].reception.highest();
            let number = nearest(highest, u16::from_be_bytes(*original));
            (at, number)
        } else {
            let at = self.stream(header.ssrc, at)?;
            self.streams[at].reception.clocked(now, header.timestamp);
            (at, number)
        };
        if !self.streams[at].reception.arrived(number) || payload.is_empty() {
            // It was there before; padding alone is a probe for bandwidth.
            return None;
        }
        let payload = self.keep(payload);
        let stream = &self.streams[at];
        stream.arrivals.packets.fetch_add(1, Ordering::Relaxed);
        let bytes = payload.len() as u64;
        stream.arrivals.bytes.fetch_add(bytes, Ordering::Relaxed);
        stream.deliver(Inbound::Packet(RtpPacket {
            sequence_number: number as u16,
            timestamp: header.timestamp,
            marker: header.marker,
            payload,
            arrival: now,
        }));
        Some(())
    }

    /// Copies a payload out of the buffer of its thread.
    fn keep(&mut self, payload: &[u8]) -> Bytes {
        if self.payloads.capacity() < payload.len() {
            self.payloads.reserve(PIECE.max(payload.len()));
        }
        self.payloads.extend_from_slice(payload);
        self.payloads.split().freeze()
    }

    /// The stream that a retransmission belongs to: as the far end has described it, or the last one
    /// of the m-line.
    fn repaired(&self, format: usize, ssrc: u32) -> Option<usize> {
        let format = &self.formats[format];
        let described = format
            .sources
            .iter()
            .find(|(_, repair)| *repair == Some(ssrc));
        match described {
            Some((original, _)) => self.streams.iter().position(|s| s.ssrc == *original),
            None => self
                .streams
                .iter()
                .rposition(|s| s.payload_type == format.payload_type),
        }
    }

    /// Finds a stream, or begins it: by its payload type, for without the MID header extension
    /// nothing else says what it is.
    fn stream(&mut self, ssrc: u32, format: usize) -> Option<usize> {
        if let Some(at) = self.streams.iter().position(|s| s.ssrc == ssrc) {
            return Some(at);
        }
        if self.is_closed {
            return None;
        }
        let format = &self.formats[format];
        if self.streams.len() == MAX_STREAMS {
            self.streams.remove(0);
        }
        let (sender, receiver) = mpsc::channel(TRACK_CAPACITY);
        let kind = format.codec.kind();
        let arrivals = Arc::new(Arrivals {
            kind,
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        });
        self.streams.push(Stream {
            ssrc,
            payload_type: format.payload_type,
            sender,
            arrivals: arrivals.clone(),
            reception: Reception::new(clock_rate(kind), format.nack),
            asks: format.nack,
            nack_count: 0,
            pli_count: 0,
        });
        self.has_begun = true;
        self.settings
            .events
            .send(PeerEvent::Track(TrackReceiver::new(
                format.codec,
                ssrc,
                format.mid.clone(),
                receiver,
                arrivals,
                self.me.clone(),
            )));
        Some(self.streams.len() - 1)
    }

    fn take_rtcp(&mut self, now: Instant, packet: &mut [u8], desk: &mut Outbox) -> Option<()> {
        let length = self.receiving.as_mut()?.rtcp(packet)?;
        super::rtcp::read(&packet[..length], |told| self.told(now, told, desk));
        Some(())
    }

    fn told(&mut self, now: Instant, told: Told<'_>, desk: &mut Outbox) {
        match told {
            Told::Clock {
                ssrc,
                ntp,
                rtp_timestamp,
                reports,
            } => {
                self.reports(&reports);
                if let Some(stream) = self.streams.iter_mut().find(|s| s.ssrc == ssrc) {
                    stream.reception.sender_report(now, ntp);
                    let report = Inbound::SenderReport { ntp, rtp_timestamp };
                    // It comes again.
                    let _ = stream.sender.try_send(report);
                }
            }
            Told::Reports(reports) => self.reports(&reports),
            Told::KeyFrame(ssrc) => {
                if let Some(kind) = self.local_kind(ssrc) {
                    self.key_frame_requested(kind);
                }
            }
            Told::FullIntra {
                sender,
                ssrc,
                number,
            } => {
                if let Some(kind) = self.local_kind(ssrc)
                    && self.outgoing[kind as usize].is_new_request(sender, number)
                {
                    self.key_frame_requested(kind);
                }
            }
            Told::Arrivals(report) => {
                let told = self.bandwidth.arrivals(now, report);
                self.can_send(told);
            }
            Told::Bandwidth(bits) => {
                let told = self.bandwidth.remb(bits);
                self.can_send(told);
            }
            Told::Again(ssrc, numbers) => {
                if let Some(kind) = self.local_kind(ssrc) {
                    self.outgoing[kind as usize].nack_count += 1;
                    self.again(now, kind, &numbers, desk);
                }
            }
        }
    }

    /// Tells how much can be sent, where that has changed.
    fn can_send(&self, bits: Option<u64>) {
        if let Some(bits) = bits {
            let event = PeerEvent::AvailableOutgoingBitrate(bits);
            self.settings.events.send_repeating(event);
        }
    }

    fn key_frame_requested(&mut self, kind: Kind) {
        self.outgoing[kind as usize].pli_count += 1;
        let event = PeerEvent::KeyFrameRequested { kind };
        self.settings.events.send_repeating(event);
    }

    fn reports(&self, reports: &[rtc::rtcp::reception_report::ReceptionReport]) {
        for report in reports {
            let Some(kind) = self.local_kind(report.ssrc) else {
                continue;
            };
            let jitter = f64::from(report.jitter) / f64::from(clock_rate(kind));
            self.settings
                .events
                .send_repeating(PeerEvent::ReceiverReport(ReceiverReport {
                    kind,
                    fraction_lost: f64::from(report.fraction_lost) / 256.0,
                    packets_lost: lost(report.total_lost),
                    highest_sequence_number: report.last_sequence_number,
                    jitter: std::time::Duration::from_secs_f64(jitter),
                    round_trip_time: ntp::round_trip_time(
                        ntp::now(),
                        report.last_sender_report,
                        report.delay,
                    ),
                }));
        }
    }

    fn local_kind(&self, ssrc: u32) -> Option<Kind> {
        let kinds = [Kind::Audio, Kind::Video].into_iter();
        let mut kinds = kinds.filter(|kind| self.outgoing[*kind as usize].ssrc == ssrc);
        kinds.next()
    }
}

/// The count is a signed one of 24 bits (RFC 3550 §6.4.1); duplicates can make it negative.
fn lost(count: u32) -> u32 {
    if count & 0xff80_0000 == 0 { count } else { 0 }
}
