//! Accounts for what comes in: counted, measured, nothing kept.

use std::time::{Duration, Instant};

use media::{Codec, Kind};
use serde::Serialize;

use crate::frames::{FrameAccount, Frames};

/// A pause in a stream longer than this is a gap worth counting.
const GAP: Duration = Duration::from_millis(500);

/// What came in over one or more streams of a kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Received {
    /// Packets that came, repeated ones not counted.
    pub packets: u64,
    /// Bytes of payload that came with them.
    pub bytes: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1) at the end, in seconds.
    pub jitter: f64,
    /// Pauses longer than half a second.
    pub gaps: u32,
    /// The longest pause, in seconds.
    pub longest_gap: f64,
    /// From the first packet to the last, in seconds.
    pub seconds: f64,
    /// Key frames asked for, because the picture could not be decoded any more (PLI, RFC 4585 §6.3.1).
    #[serde(skip_serializing_if = "is_none")]
    pub key_frames_asked: u64,
    /// Frames of a picture, counted without decoding.
    #[serde(skip_serializing_if = "Frames::is_empty")]
    pub frames: Frames,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Received {
    /// Adds what another stream brought.
    pub fn add(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.lost += other.lost;
        self.gaps += other.gaps;
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        self.seconds += other.seconds;
        self.key_frames_asked += other.key_frames_asked;
        self.frames.add(&other.frames);
        if other.packets > 0 {
            self.jitter = other.jitter;
        }
    }
}

/// What came in as sound and as picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReceivedMedia {
    /// Sound.
    pub audio: Received,
    /// Picture.
    pub video: Received,
}

impl ReceivedMedia {
    /// Adds what another join brought.
    pub fn add(&mut self, other: &Self) {
        self.audio.add(&other.audio);
        self.video.add(&other.video);
    }
}

/// The account of one stream of one SSRC.
///
/// Sequence numbers are extended to 64 bits; what was expected is the span from the first to the
/// highest, and what did not come of it is lost (RFC 3550 §A.3). A jump of more than
/// [`RESTART`] either way is a stream that started over, not a loss of thousands.
#[derive(Debug)]
pub(crate) struct StreamAccount {
    clock_rate: u32,
    span: Option<Span>,
    /// Losses of spans that ended with a restart.
    lost_before: u64,
    received: u64,
    bytes: u64,
    transit: Option<i64>,
    jitter: f64,
    first: Option<Instant>,
    last: Option<Instant>,
    gaps: u32,
    longest_gap: Duration,
    frames: Option<FrameAccount>,
    key_frames_asked: u64,
    /// The last packet was no repetition.
    is_fresh: bool,
}

/// A jump in sequence numbers that is no loss any more (RFC 3550 §A.1, `MAX_DROPOUT`).
const RESTART: u16 = 3000;

#[derive(Debug)]
struct Span {
    first: u64,
    highest: u64,
    received: u64,
    /// Which of the 64 sequence numbers up to `highest` came, so that a repeat counts once.
    seen: u64,
}

impl Span {
    fn new(sequence_number: u16) -> Self {
        // Started one cycle up, so that a straggler from before the first has a number.
        let first = (1 << 16) + u64::from(sequence_number);
        Self {
            first,
            highest: first,
            received: 1,
            seen: 1,
        }
    }

    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }
}

impl StreamAccount {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            clock_rate: codec.clock_rate(),
            frames: (codec.kind() == Kind::Video).then(|| FrameAccount::new(codec)),
            key_frames_asked: 0,
            is_fresh: false,
            span: None,
            lost_before: 0,
            received: 0,
            bytes: 0,
            transit: None,
            jitter: 0.0,
            first: None,
            last: None,
            gaps: 0,
            longest_gap: Duration::ZERO,
        }
    }

    /// Takes note of a packet. Returns true if it is the first one.
    pub(crate) fn packet(
        &mut self,
        arrival: Instant,
        sequence_number: u16,
        timestamp: u32,
        bytes: usize,
    ) -> bool {
        self.is_fresh = self.is_new(sequence_number);
        if !self.is_fresh {
            return false;
        }
        self.received += 1;
        self.bytes += bytes as u64;
        let first = *self.first.get_or_insert(arrival);
        if let Some(last) = self.last {
            let pause = arrival.saturating_duration_since(last);
            self.longest_gap = self.longest_gap.max(pause);
            if pause > GAP {
                self.gaps += 1;
            }
        }
        self.last = Some(arrival);

        // RFC 3550 §A.8, in units of the RTP clock; arithmetic modulo 2^32 as there.
        let since = arrival.saturating_duration_since(first);
        let arrived = (since.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000) as u32;
        let transit = i64::from(arrived.wrapping_sub(timestamp) as i32);
        if let Some(before) = self.transit.replace(transit) {
            let d = f64::from(((transit - before) as i32).unsigned_abs());
            self.jitter += (d - self.jitter) / 16.0;
        }
        self.received == 1
    }

    fn is_new(&mut self, sequence_number: u16) -> bool {
        let Some(span) = &mut self.span else {
            self.span = Some(Span::new(sequence_number));
            return true;
        };
        let ahead = sequence_number.wrapping_sub(span.highest as u16);
        let behind = (span.highest as u16).wrapping_sub(sequence_number);
        if ahead != 0 && ahead < RESTART {
            span.highest += u64::from(ahead);
            span.seen = if ahead < 64 {
                span.seen << ahead | 1
            } else {
                1
            };
            span.received += 1;
            true
        } else if behind < RESTART {
            let number = span.highest - u64::from(behind);
            let bit = if behind < 64 { 1u64 << behind } else { 0 };
            if span.seen & bit != 0 || bit == 0 || number < span.first {
                return false;
            }
            span.seen |= bit;
            span.received += 1;
            true
        } else {
            self.lost_before += span.lost();
            *span = Span::new(sequence_number);
            self.transit = None;
            true
        }
    }

    /// Takes note of what the packet just told of has of a frame.
    pub(crate) fn part_of_frame(&mut self, arrival: Instant, marker: bool, payload: &[u8]) {
        if let Some(frames) = self.frames.as_mut().filter(|_| self.is_fresh) {
            frames.packet(arrival, marker, payload);
        }
    }

    /// Tells whether its picture stands still.
    pub(crate) fn is_frozen(&self, now: Instant) -> bool {
        self.frames
            .as_ref()
            .is_some_and(|frames| frames.is_frozen(now))
    }

    /// Takes note of a request for a key frame.
    pub(crate) fn asked_for_key_frame(&mut self) {
        self.key_frames_asked += 1;
    }

    /// Returns when the last packet came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.last
    }

    /// Returns the sums so far.
    pub(crate) fn received(&self) -> Received {
        let seconds = match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_duration_since(first).as_secs_f64(),
            _ => 0.0,
        };
        Received {
            packets: self.received,
            bytes: self.bytes,
            lost: self.lost_before + self.span.as_ref().map_or(0, Span::lost),
            jitter: self.jitter / f64::from(self.clock_rate),
            gaps: self.gaps,
            longest_gap: self.longest_gap.as_secs_f64(),
            key_frames_asked: self.key_frames_asked,
            frames: self
                .frames
                .as_ref()
                .map(FrameAccount::frames)
                .unwrap_or_default(),
            seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds packets of 20 ms at 48 kHz that come exactly on time.
    fn feed(account: &mut StreamAccount, start: Instant, numbers: impl IntoIterator<Item = u16>) {
        for n in numbers {
            let at = start + Duration::from_millis(20 * u64::from(n));
            account.packet(at, n, 960 * u32::from(n), 100);
        }
    }

    #[test]
    fn a_complete_stream_has_no_loss_and_no_jitter() {
        let mut account = StreamAccount::new(Codec::Opus);
        feed(&mut account, Instant::now(), 0..500);
        let sum = account.received();
        assert_eq!((sum.packets, sum.lost, sum.gaps), (500, 0, 0));
        assert!(sum.jitter < 1e-4, "{}", sum.jitter);
        assert!((sum.seconds - 9.98).abs() < 1e-6);
    }

    #[test]
    fn missing_packets_are_lost_and_late_ones_are_not() {
        let mut account = StreamAccount::new(Codec::Opus);
        feed(&mut account, Instant::now(), [1, 2, 5, 4, 6, 8]);
        let sum = account.received();
        assert_eq!((sum.packets, sum.lost), (6, 2), "3 and 7 never came");
    }

    #[test]
    fn a_repeated_packet_hides_no_loss() {
        let mut account = StreamAccount::new(Codec::Opus);
        feed(&mut account, Instant::now(), [1, 2, 2, 2, 4, 4]);
        let sum = account.received();
        assert_eq!((sum.packets, sum.lost), (3, 1));
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut account = StreamAccount::new(Codec::Opus);
        let start = Instant::now();
        for (i, n) in (65_530..=65_535u16).chain(0..6).enumerate() {
            account.packet(
                start + Duration::from_millis(20 * i as u64),
                n,
                960 * i as u32,
                1,
            );
        }
        let sum = account.received();
        assert_eq!((sum.packets, sum.lost), (12, 0));
    }

    #[test]
    fn a_stream_that_starts_over_is_no_loss_of_thousands() {
        let mut account = StreamAccount::new(Codec::Opus);
        let start = Instant::now();
        for n in [10u16, 11, 13, 30_000, 30_001] {
            account.packet(start, n, 0, 1);
        }
        let sum = account.received();
        assert_eq!((sum.packets, sum.lost), (5, 1), "12 alone is lost");
    }

    #[test]
    fn jitter_and_gaps_are_seen() {
        let mut account = StreamAccount::new(Codec::Opus);
        let start = Instant::now();
        for n in 0..200u16 {
            // Every other packet comes 10 ms late; between 99 and 100 lies a second of silence.
            let late = if n % 2 == 0 { 10 } else { 0 };
            let pause = if n >= 100 { 1000 } else { 0 };
            let at = start + Duration::from_millis(20 * u64::from(n) + late + pause);
            account.packet(at, n, 960 * u32::from(n), 1);
        }
        let sum = account.received();
        assert!((0.005..0.02).contains(&sum.jitter), "{}", sum.jitter);
        assert_eq!(sum.gaps, 1);
        assert!((1.0..1.1).contains(&sum.longest_gap));
    }
}
