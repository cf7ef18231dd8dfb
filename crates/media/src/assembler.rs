//! Inbound: from packets in any order to whole frames in order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::codec::{Codec, Kind};
use crate::frame::Frame;
use crate::payload;

/// The most packets kept while one is missing; a second of 1080p video is about a third of it.
const MAX_HELD: usize = 1024;
/// A jump ahead beyond this is another sequence or an error, not loss (RFC 3550 appendix A.1).
const MAX_DROPOUT: i64 = 3000;

/// What came of the packets so far.
#[derive(Debug)]
pub enum Assembled {
    /// A whole frame. Its media time counts from the first packet ever pushed.
    Frame {
        /// The frame, ready to be sent on; VP8 and VP9 without the sender's picture ids.
        frame: Arc<Frame>,
        /// Its timestamp as it came.
        rtp_timestamp: u32,
    },
    /// Packets that were waited for and did not come. Video goes on at the next key frame: ask for one.
    Lost {
        /// How many packets.
        packets: u32,
    },
}

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssemblerCounters {
    /// Packets pushed.
    pub packets: u64,
    /// Packets that were there already.
    pub duplicates: u64,
    /// Packets whose place had been given up, or far outside the sequence.
    pub late: u64,
    /// Frames whose payloads made no sense.
    pub malformed: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Packets of video left out because no decoder could have used them: before a key frame.
    pub undecodable: u64,
}

/// Reorders the packets of one SSRC by sequence number and groups them into frames.
///
/// Pure: it is told the time. Holds at most about a thousand packets; with more, it gives up on
/// what is missing. After every `push`, and at `next_due`, `poll` until `None`.
#[derive(Debug)]
pub struct FrameAssembler {
    codec: Codec,
    max_wait: Duration,
    /// Packets not yet consumed, by extended sequence number.
    held: BTreeMap<i64, Packet>,
    /// Extended sequence number of the next packet to consume.
    next: Option<i64>,
    highest: i64,
    /// Where the sequence would go on if a jump that was seen once is real.
    jump: Option<u16>,
    /// Payloads of the frame being put together.
    open: Option<OpenFrame>,
    awaits_key: bool,
    clock: Option<Clock>,
    counters: AssemblerCounters,
    /// H.264's: some senders tell them once.
    parameter_sets: payload::h264::ParameterSets,
}

#[derive(Debug)]
struct Packet {
    rtp_timestamp: u32,
    marker: bool,
    payload: Bytes,
    arrival: Instant,
}

#[derive(Debug)]
struct OpenFrame {
    rtp_timestamp: u32,
    payloads: Vec<Bytes>,
}

/// Unwraps RTP timestamps.
#[derive(Debug)]
struct Clock {
    last: u32,
    ticks: i64,
}

impl FrameAssembler {
    /// Makes an assembler that waits for a missing packet at most `max_wait` after the next one came.
    pub fn new(codec: Codec, max_wait: Duration) -> Self {
        Self {
            codec,
            max_wait,
            held: BTreeMap::new(),
            next: None,
            highest: 0,
            jump: None,
            open: None,
            awaits_key: codec.kind() == Kind::Video,
            clock: None,
            counters: AssemblerCounters::default(),
            parameter_sets: payload::h264::ParameterSets::default(),
        }
    }

    /// Takes in a packet that arrived at `now`.
    pub fn push(
        &mut self,
        now: Instant,
        sequence_number: u16,
        rtp_timestamp: u32,
        marker: bool,
        payload: Bytes,
    ) {
        self.counters.packets += 1;
        let Some(sequence) = self.extend(sequence_number) else {
            self.counters.late += 1;
            return;
        };
        if self.next.is_some_and(|next| sequence < next) {
            self.counters.late += 1;
            return;
        }
        self.highest = self.highest.max(sequence);
        let packet = Packet {
            rtp_timestamp,
            marker,
            payload,
            arrival: now,
        };
        match self.held.entry(sequence) {
            Entry::Occupied(_) => self.counters.duplicates += 1,
            Entry::Vacant(place) => {
                place.insert(packet);
            }
        }
    }

    /// Returns the next thing known at `now`; call again until `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Assembled> {
        loop {
            let (&sequence, _) = self.held.first_key_value()?;
            let next = *self.next.get_or_insert(sequence);
            if sequence == next {
                if let Some(assembled) = self.consume(sequence) {
                    return Some(assembled);
                }
            } else if self.held.len() > MAX_HELD || self.deadline().is_some_and(|at| at <= now) {
                return Some(self.give_up(next, sequence));
            } else {
                return None;
            }
        }
    }

    /// Returns when to poll even if no packet comes: when a missing one is given up.
    pub fn next_due(&self) -> Option<Instant> {
        let (&sequence, _) = self.held.first_key_value()?;
        if self.next == Some(sequence) {
            // Not yet polled since the last push.
            return self.held.first_key_value().map(|(_, p)| p.arrival);
        }
        self.deadline()
    }

    /// Tells whether video waits for a key frame; true from the start until the first one.
    pub fn awaits_key_frame(&self) -> bool {
        self.awaits_key
    }

    /// Returns what has been counted.
    pub fn counters(&self) -> AssemblerCounters {
        self.counters
    }

    fn deadline(&self) -> Option<Instant> {
        let first = self.held.values().map(|packet| packet.arrival).min()?;
        Some(first + self.max_wait)
    }

    /// Returns the sequence number without wraps; `None` for one far outside the sequence.
    fn extend(&mut self, number: u16) -> Option<i64> {
        if self.next.is_none() && self.held.is_empty() {
            // One wrap up, so that packets from before the first one have room.
            self.highest = i64::from(number) + 0x1_0000;
            return Some(self.highest);
        }
        let ahead = i64::from(number.wrapping_sub(self.highest as u16) as i16);
        if (-MAX_DROPOUT..=MAX_DROPOUT).contains(&ahead) {
            self.jump = None;
            return Some(self.highest + ahead);
        }
        // Twice in a row, the sender has started over (RFC 3550 appendix A.1).
        if self.jump == Some(number) {
            self.jump = None;
            self.start_over();
            self.highest += ahead.rem_euclid(0x1_0000);
            return Some(self.highest);
        }
        self.jump = Some(number.wrapping_add(1));
        None
    }

    /// Forgets the sequence so far; the next number is where another begins.
    fn start_over(&mut self) {
        self.counters.undecodable += self.held.len() as u64;
        self.held.clear();
        self.open = None;
        self.next = None;
        self.awaits_key = self.codec.kind() == Kind::Video;
    }

    fn give_up(&mut self, next: i64, found: i64) -> Assembled {
        let packets = u32::try_from(found - next).unwrap_or(u32::MAX);
        self.counters.lost += u64::from(packets);
        self.next = Some(found);
        self.drop_open();
        self.awaits_key = self.codec.kind() == Kind::Video;
        Assembled::Lost { packets }
    }

    fn drop_open(&mut self) {
        if let Some(open) = self.open.take() {
            self.counters.undecodable += open.payloads.len() as u64;
        }
    }

    /// Consumes the packet that is next; returns a frame if one is whole.
    fn consume(&mut self, sequence: i64) -> Option<Assembled> {
        // A packet with another timestamp ends the frame before it, marker or not.
        let ended = self.held.get(&sequence).is_some_and(|packet| {
            self.open.as_ref().is_some_and(|open| {
                open.rtp_timestamp != packet.rtp_timestamp && !packet.payload.is_empty()
            })
        });
        if ended {
            return self.close();
        }
        let packet = self.held.remove(&sequence)?;
        self.next = Some(sequence + 1);
        if packet.payload.is_empty() {
            // Padding alone, sent to probe for bandwidth.
            return None;
        }
        let is_start = match self.codec {
            Codec::Opus => true,
            Codec::Vp8 => payload::vp8::is_frame_start(&packet.payload),
            Codec::Vp9 => payload::vp9::is_frame_start(&packet.payload),
            Codec::H264 => payload::h264::is_frame_start(&packet.payload),
            Codec::Av1 => payload::av1::is_frame_start(&packet.payload),
        };
        match &mut self.open {
            Some(open) if open.payloads.len() < MAX_HELD => open.payloads.push(packet.payload),
            None if is_start => {
                self.open = Some(OpenFrame {
                    rtp_timestamp: packet.rtp_timestamp,
                    payloads: vec![packet.payload],
                });
            }
            Some(_) | None => {
                self.drop_open();
                self.counters.undecodable += 1;
                self.awaits_key = true;
                return None;
            }
        }
        if packet.marker || self.codec == Codec::Opus {
            return self.close();
        }
        None
    }

    /// Ends the frame being put together; returns it if it can be used.
    fn close(&mut self) -> Option<Assembled> {
        let mut open = self.open.take()?;
        let packets = open.payloads.len() as u64;
        let media_time = self.media_time(open.rtp_timestamp);
        if self.codec == Codec::H264 {
            self.parameter_sets.complete(&mut open.payloads);
        }
        let Ok(frame) = Frame::from_payloads(self.codec, open.payloads, media_time) else {
            self.counters.malformed += 1;
            self.awaits_key = self.codec.kind() == Kind::Video;
            return None;
        };
        if self.awaits_key && !frame.is_key {
            self.counters.undecodable += packets;
            return None;
        }
        self.awaits_key = false;
        Some(Assembled::Frame {
            frame: Arc::new(frame),
            rtp_timestamp: open.rtp_timestamp,
        })
    }

    fn media_time(&mut self, rtp_timestamp: u32) -> Duration {
        let clock = self.clock.get_or_insert(Clock {
            last: rtp_timestamp,
            ticks: 0,
        });
        clock.ticks += i64::from(rtp_timestamp.wrapping_sub(clock.last) as i32);
        clock.last = rtp_timestamp;
        let ticks = u64::try_from(clock.ticks).unwrap_or(0);
        let rate = u64::from(self.codec.clock_rate());
        Duration::from_secs(ticks / rate)
            + Duration::from_nanos(ticks % rate * 1_000_000_000 / rate)
    }
}

#[cfg(test)]
mod tests;
