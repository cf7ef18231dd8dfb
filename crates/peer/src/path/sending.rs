//! Frames on their way out, and packets that are sent again.

use std::{cell::RefCell, sync::Arc, time::Instant};

use media::{Frame, Kind};

use super::{MediaPath, Ordering, Route, State, header::Outline, outgoing::Repair};
use crate::{outbox::Outbox, relay, socket::Socket};

/// Far more than a packet that is sent again, or a report.
pub(super) const SPARE: usize = 2048;

/// What a packet takes on the way besides its payload: IP, UDP, RTP with an extension, and SRTP's tag.
const OVERHEAD: usize = 28 + 20 + 16;

thread_local! {
    /// Where packets of this thread are made.
    static DESK: RefCell<Outbox> = RefCell::default();
}

/// Lets `make` make packets, and sends them through the socket it names.
pub(super) fn with_desk<T>(make: impl FnOnce(&mut Outbox) -> (T, Option<Arc<Socket>>)) -> T {
    DESK.with_borrow_mut(|desk| {
        let (result, socket) = make(desk);
        if let Some(socket) = socket {
            socket.send(desk);
        }
        desk.clear();
        result
    })
}

impl MediaPath {
    /// Sends all packets of a frame, or discards it: before the connection is there, and where the
    /// socket does not take what it was given before.
    pub(crate) fn send(&self, frame: &Frame, timestamp: u32) {
        let is_open = self.is_open.load(Ordering::Acquire);
        let is_sent = is_open
            && with_desk(|desk| {
                let mut state = self.state();
                let socket = state.frame(Instant::now(), frame, timestamp, desk);
                (socket.is_some(), socket)
            });
        if !is_sent {
            let count = frame.payloads.len() as u64;
            self.discarded.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl Route {
    /// Appends a datagram that goes this way, or nothing if `write` says so; it is told where the
    /// datagram itself begins.
    pub(super) fn write(
        &self,
        socket: &Socket,
        desk: &mut Outbox,
        write: impl FnOnce(&mut Vec<u8>, usize) -> bool,
    ) {
        let segments = socket.max_segments();
        match self.relay {
            None => desk.write(self.to, segments, |bytes| {
                let start = bytes.len();
                write(bytes, start)
            }),
            Some(server) => desk.write(server, segments, |bytes| {
                let start = bytes.len();
                let indication = relay::Indication::begin(self.to, bytes);
                let inside = bytes.len();
                let is_written = write(bytes, inside);
                indication.end(bytes, start);
                is_written
            }),
        }
    }
}

impl State {
    /// The socket that media goes through, if there is a way and room for so many bytes.
    pub(super) fn socket(&self, bytes: usize) -> Option<Arc<Socket>> {
        let socket = self.route.as_ref()?.socket.upgrade()?;
        (self.sending.is_some() && socket.has_room(bytes)).then_some(socket)
    }

    /// The socket for what lies on the desk, if there is anything.
    pub(super) fn socket_for(&self, desk: &Outbox) -> Option<Arc<Socket>> {
        if desk.is_empty() {
            None
        } else {
            self.socket(0)
        }
    }

    fn frame(
        &mut self,
        now: Instant,
        frame: &Frame,
        timestamp: u32,
        desk: &mut Outbox,
    ) -> Option<Arc<Socket>> {
        let kind = frame.codec.kind();
        let size = frame.payload_bytes() + frame.payloads.len() * 100;
        let socket = self.socket(size)?;
        let (route, sending) = (self.route.as_ref()?, self.sending.as_mut()?);
        let extension = transport_wide(&self.formats, self.settings.transport_cc, kind);
        let outgoing = &mut self.outgoing[kind as usize];
        let last = frame.payloads.len().saturating_sub(1);
        for (at, payload) in frame.payloads.iter().enumerate() {
            let marker = match kind {
                // The end of a frame.
                Kind::Video => at == last,
                // The beginning of sound (RFC 7587 §4.1).
                Kind::Audio => !std::mem::replace(&mut outgoing.has_begun, true),
            };
            let outline = Outline {
                marker,
                payload_type: outgoing.payload_type,
                sequence_number: outgoing.next as u16,
                timestamp,
                ssrc: outgoing.ssrc,
                transport_wide: extension.map(|number| (number, count(&mut self.transport_wide))),
            };
            let index = outgoing.index();
            route.write(&socket, desk, |bytes, start| {
                let header = outline.write(bytes);
                bytes.extend_from_slice(payload);
                let protected = sending.rtp(bytes, start, header, outline.ssrc, index);
                protected.is_ok()
            });
            if let Some((_, number)) = outline.transport_wide {
                self.bandwidth.sent(now, number, payload.len() + OVERHEAD);
            }
            outgoing.keep(payload, outline);
            outgoing.next += 1;
        }
        outgoing.clock = Some((now, timestamp));
        outgoing.packets += frame.payloads.len() as u64;
        outgoing.bytes += frame.payload_bytes() as u64;
        Some(socket)
    }

    /// Sends packets again that the far end has asked for, as far as they are still there, and there is room.
    pub(super) fn again(
        &mut self,
        now: Instant,
        kind: Kind,
        numbers: &[u16],
        desk: &mut Outbox,
    ) -> Option<Arc<Socket>> {
        if self.bandwidth.is_congested(now) {
            // It would take the room of what is new.
            return None;
        }
        let socket = self.socket(numbers.len() * SPARE)?;
        let (route, sending) = (self.route.as_ref()?, self.sending.as_mut()?);
        let extension = transport_wide(&self.formats, self.settings.transport_cc, kind);
        let outgoing = &mut self.outgoing[kind as usize];
        for number in numbers {
            let Some((index, sent)) = outgoing.sent(*number) else {
                continue;
            };
            let (outline, index) = match &mut outgoing.repair {
                None => return None,
                // To the last bit: a nonce must not protect two headers (RFC 7714 §5.1).
                Some(Repair::Same) => (sent.outline, index),
                Some(Repair::Stream {
                    ssrc,
                    payload_type,
                    next,
                }) => {
                    *next += 1;
                    let outline = Outline {
                        payload_type: *payload_type,
                        sequence_number: *next as u16,
                        ssrc: *ssrc,
                        transport_wide: extension
                            .map(|number| (number, count(&mut self.transport_wide))),
                        ..sent.outline
                    };
                    (outline, *next)
                }
            };
            let is_stream = outline.ssrc != outgoing.ssrc;
            if is_stream && let Some((_, number)) = outline.transport_wide {
                let bytes = sent.payload.len() + OVERHEAD;
                self.bandwidth.sent(now, number, bytes);
            }
            route.write(&socket, desk, |bytes, start| {
                let header = outline.write(bytes);
                if is_stream {
                    // The number it had (RFC 4588 §4).
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
                bytes.extend_from_slice(&sent.payload);
                sending
                    .rtp(bytes, start, header, outline.ssrc, index)
                    .is_ok()
            });
            outgoing.retransmitted += 1;
        }
        Some(socket)
    }

    /// Sends an RTCP packet, if there is a way.
    pub(super) fn rtcp(&mut self, desk: &mut Outbox, write: impl FnOnce(&mut Vec<u8>)) {
        let (Some(socket), Some(route), Some(sending)) = (
            self.socket(SPARE),
            self.route.as_ref(),
            self.sending.as_mut(),
        ) else {
            return;
        };
        route.write(&socket, desk, |bytes, start| {
            write(bytes);
            let sender = bytes.get(start + 4..start + 8);
            let Some(Ok(sender)) = sender.map(<[u8; 4]>::try_from) else {
                return false;
            };
            let protected = sending.rtcp(bytes, start, u32::from_be_bytes(sender));
            protected.is_ok()
        });
    }
}

fn transport_wide(formats: &[super::Format], is_wanted: bool, kind: Kind) -> Option<u8> {
    let format = formats.iter().find(|format| format.codec.kind() == kind)?;
    format.transport_wide.filter(|_| is_wanted)
}

fn count(number: &mut u16) -> u16 {
    *number = number.wrapping_add(1);
    *number
}
