//! Inbound: from packets in any order to whole frames in order.

use std::collections::BTreeMap;
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
        /// The frame, ready to be sent on; VP8 without the sender's picture ids.
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
        if self.held.contains_key(&sequence) {
            self.counters.duplicates += 1;
        } else {
            self.held.insert(sequence, packet);
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
        let open = self.open.take()?;
        let packets = open.payloads.len() as u64;
        let media_time = self.media_time(open.rtp_timestamp);
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
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(100);

    /// What came out, in short: `k` and `d` frames by timestamp, `-` and a number for loss.
    struct Harness {
        assembler: FrameAssembler,
        now: Instant,
        out: Vec<String>,
    }

    impl Harness {
        fn new(codec: Codec) -> Self {
            Self {
                assembler: FrameAssembler::new(codec, WAIT),
                now: Instant::now(),
                out: Vec::new(),
            }
        }

        fn drain(&mut self) {
            while let Some(assembled) = self.assembler.poll(self.now) {
                self.out.push(match assembled {
                    Assembled::Frame {
                        frame,
                        rtp_timestamp,
                    } => {
                        format!("{}{rtp_timestamp}", if frame.is_key { 'k' } else { 'd' })
                    }
                    Assembled::Lost { packets } => format!("-{packets}"),
                });
            }
        }

        fn wait(&mut self, time: Duration) -> &mut Self {
            self.now += time;
            self.drain();
            self
        }

        fn packet(&mut self, seq: u16, ts: u32, marker: bool, payload: &[u8]) -> &mut Self {
            let payload = Bytes::copy_from_slice(payload);
            self.assembler.push(self.now, seq, ts, marker, payload);
            self.drain();
            self
        }

        fn opus(&mut self, seq: u16) -> &mut Self {
            self.packet(seq, u32::from(seq), false, &[0xf8, 1])
        }

        /// A frame of one packet.
        fn key(&mut self, seq: u16, ts: u32) -> &mut Self {
            self.packet(seq, ts, true, KEY)
        }

        fn delta(&mut self, seq: u16, ts: u32) -> &mut Self {
            self.packet(seq, ts, true, DELTA)
        }

        fn took(&mut self) -> String {
            std::mem::take(&mut self.out).join(" ")
        }
    }

    const KEY: &[u8] = &[0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
    const DELTA: &[u8] = &[0x10, 0x11, 0, 0, 1];
    const MORE: &[u8] = &[0x00, 5, 6];

    #[test]
    fn packets_in_order_come_at_once() {
        let mut h = Harness::new(Codec::Opus);
        assert_eq!(h.opus(7).opus(8).opus(9).took(), "k7 k8 k9");
    }

    #[test]
    fn order_is_restored_across_the_wrap() {
        let mut h = Harness::new(Codec::Opus);
        assert_eq!(h.opus(65534).opus(0).opus(1).took(), "k65534");
        assert_eq!(h.opus(65535).took(), "k65535 k0 k1");
    }

    #[test]
    fn a_gap_is_waited_for_and_then_told() {
        let mut h = Harness::new(Codec::Opus);
        h.opus(1).opus(4);
        let due = h.assembler.next_due().unwrap();
        assert_eq!(due, h.now + WAIT);
        assert_eq!(h.wait(WAIT - Duration::from_millis(1)).took(), "k1");
        assert_eq!(h.wait(Duration::from_millis(1)).took(), "-2 k4");
        assert_eq!(h.assembler.next_due(), None);
        // What comes now is too late, and counted.
        assert_eq!(h.opus(3).took(), "");
        assert_eq!(h.assembler.counters().late, 1);
        assert_eq!(h.assembler.counters().lost, 2);
    }

    #[test]
    fn a_gap_filled_in_time_is_no_loss() {
        let mut h = Harness::new(Codec::Opus);
        h.opus(1).opus(3).wait(WAIT / 2).opus(2);
        assert_eq!(h.wait(WAIT * 2).took(), "k1 k2 k3");
        assert_eq!(h.assembler.counters().lost, 0);
    }

    #[test]
    fn duplicates_are_counted_and_dropped() {
        let mut h = Harness::new(Codec::Opus);
        h.opus(1).opus(3).opus(3).opus(1).opus(2);
        assert_eq!(h.took(), "k1 k2 k3");
        let counters = h.assembler.counters();
        assert_eq!((counters.duplicates, counters.late), (1, 1));
    }

    #[test]
    fn video_starts_at_a_key_frame() {
        let mut h = Harness::new(Codec::Vp8);
        h.packet(1, 10, true, MORE).delta(2, 20);
        assert!(h.assembler.awaits_key_frame());
        h.key(3, 30).delta(4, 40);
        assert_eq!(h.took(), "k30 d40");
        assert_eq!(h.assembler.counters().undecodable, 2);
    }

    #[test]
    fn video_goes_on_at_the_next_key_frame_after_loss() {
        let mut h = Harness::new(Codec::Vp8);
        h.key(1, 10).packet(2, 20, false, DELTA);
        h.packet(4, 20, true, MORE)
            .delta(5, 30)
            .key(6, 40)
            .delta(7, 50);
        assert_eq!(h.took(), "k10");
        assert_eq!(h.wait(WAIT).took(), "-1 k40 d50");
        assert!(!h.assembler.awaits_key_frame());
    }

    #[test]
    fn frames_of_many_packets_come_whole() {
        let mut h = Harness::new(Codec::Vp8);
        h.packet(1, 10, false, KEY).packet(3, 10, true, MORE);
        assert_eq!(h.took(), "");
        assert_eq!(h.packet(2, 10, false, MORE).took(), "k10");
    }

    #[test]
    fn a_frame_without_marker_ends_at_the_next_timestamp() {
        let mut h = Harness::new(Codec::Vp8);
        h.packet(1, 10, false, KEY).packet(2, 10, false, MORE);
        assert_eq!(h.delta(3, 20).took(), "k10 d20");
    }

    #[test]
    fn padding_between_frames_is_no_frame() {
        let mut h = Harness::new(Codec::Vp8);
        h.key(1, 10)
            .packet(2, 10, false, &[])
            .packet(3, 10, false, &[])
            .delta(4, 20);
        assert_eq!(h.took(), "k10 d20");
    }

    #[test]
    fn malformed_frames_are_counted() {
        let mut h = Harness::new(Codec::Vp8);
        h.key(1, 10)
            .packet(2, 20, false, DELTA)
            .packet(3, 20, true, &[0x90])
            .delta(4, 30);
        assert_eq!(h.took(), "k10");
        assert_eq!(h.assembler.counters().malformed, 1);
        assert!(h.assembler.awaits_key_frame());
        assert_eq!(h.key(5, 40).took(), "k40");
    }

    #[test]
    fn a_sender_that_starts_over_is_followed() {
        let mut h = Harness::new(Codec::Opus);
        h.opus(100).opus(20_000);
        assert_eq!(h.took(), "k100");
        assert_eq!(h.opus(20_001).opus(20_002).took(), "k20001 k20002");
        // A single stray packet changes nothing.
        assert_eq!(h.opus(50_000).opus(20_003).took(), "k20003");
    }

    #[test]
    fn memory_is_bounded() {
        let mut h = Harness::new(Codec::Opus);
        h.opus(0);
        for seq in 2..2500 {
            h.opus(seq);
        }
        assert!(h.assembler.held.len() <= MAX_HELD);
        assert_eq!(h.assembler.counters().lost, 1);
        // Video without end.
        let mut h = Harness::new(Codec::Vp8);
        h.packet(0, 10, false, KEY);
        for seq in 1..5000 {
            h.packet(seq, 10, false, MORE);
        }
        assert!(
            h.assembler
                .open
                .as_ref()
                .is_none_or(|open| open.payloads.len() <= MAX_HELD)
        );
    }

    #[test]
    fn media_time_passes_the_wrap_of_timestamps() {
        let mut assembler = FrameAssembler::new(Codec::Opus, WAIT);
        let now = Instant::now();
        let mut times = Vec::new();
        for n in 0..3u32 {
            let timestamp = u32::MAX.wrapping_sub(959).wrapping_add(n * 960);
            assembler.push(
                now,
                n as u16,
                timestamp,
                false,
                Bytes::from_static(&[0xf8, 1]),
            );
            if let Some(Assembled::Frame { frame, .. }) = assembler.poll(now) {
                times.push(frame.media_time.as_millis());
            }
        }
        assert_eq!(times, [0, 20, 40]);
    }

    #[test]
    fn rubbish_never_panics_and_frames_never_go_back() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let codec = [Codec::Opus, Codec::Vp8, Codec::Av1][random.usize(0..3)];
            let mut assembler = FrameAssembler::new(codec, WAIT);
            let mut now = Instant::now();
            let mut seq = random.u16(..);
            for _ in 0..600 {
                now += Duration::from_millis(random.u64(0..30));
                seq = seq.wrapping_add(1);
                let number = match random.u8(0..20) {
                    0 => random.u16(..),
                    1..4 => seq.wrapping_sub(random.u16(0..9)),
                    4 => continue,
                    _ => seq,
                };
                let payload: Bytes = match random.u8(0..4) {
                    0 => (0..random.usize(0..9)).map(|_| random.u8(..)).collect(),
                    1 => Bytes::from_static(KEY),
                    2 => Bytes::from_static(DELTA),
                    _ => Bytes::from_static(MORE),
                };
                assembler.push(now, number, random.u32(0..5) * 3000, random.bool(), payload);
                while let Some(assembled) = assembler.poll(now) {
                    if let Assembled::Frame { frame, .. } = assembled {
                        assert!(frame.encoded().is_ok(), "seed {seed}");
                    }
                }
                if let Some(due) = assembler.next_due() {
                    assert!(due > now, "seed {seed}: polled dry and still due");
                }
                assert!(assembler.held.len() <= MAX_HELD + 1);
            }
        }
    }
}
