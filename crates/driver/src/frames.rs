//! Frames of a received picture, counted without decoding.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Codec;
use serde::Serialize;

/// How many frames the average is taken over (W3C webrtc-stats, `freezeCount`).
const AVERAGED: usize = 30;

/// The least by which a pause must exceed the average to be a freeze (W3C webrtc-stats).
const LEAST: Duration = Duration::from_millis(150);

/// What came in as frames of a picture.
///
/// Nothing is decoded: a frame counts when its last packet, the one with the marker bit, has
/// come, and freezes are told from when those packets came instead of when a picture was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Frames {
    /// Frames whose last packet came.
    pub received: u64,
    /// Those that began a key frame.
    pub keys: u64,
    /// W3C `freezeCount`: pauses longer than three times the average, and than the average and
    /// 150 ms.
    pub freezes: u32,
    /// W3C `totalFreezesDuration`, in seconds.
    pub frozen: f64,
}

impl Frames {
    /// Adds what another stream brought.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.keys += other.keys;
        self.freezes += other.freezes;
        self.frozen += other.frozen;
    }

    /// Says whether there was no frame at all.
    pub fn is_empty(&self) -> bool {
        self.received == 0 && self.keys == 0
    }
}

/// The account of one stream's frames.
#[derive(Debug)]
pub(crate) struct FrameAccount {
    codec: Codec,
    last: Option<Instant>,
    /// The last pauses between frames, and their sum.
    pauses: VecDeque<Duration>,
    sum: Duration,
    frames: Frames,
}

impl FrameAccount {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            last: None,
            pauses: VecDeque::with_capacity(AVERAGED),
            sum: Duration::ZERO,
            frames: Frames::default(),
        }
    }

    /// Takes note of a packet.
    pub(crate) fn packet(&mut self, arrival: Instant, marker: bool, payload: &[u8]) {
        if self.codec.begins_key_frame(payload) {
            self.frames.keys += 1;
        }
        if !marker {
            return;
        }
        self.frames.received += 1;
        let Some(last) = self.last.replace(arrival) else {
            return;
        };
        let pause = arrival.saturating_duration_since(last);
        if self.pauses.len() == AVERAGED {
            if self.is_freeze(pause) {
                self.frames.freezes += 1;
                self.frames.frozen += pause.as_secs_f64();
            }
            self.sum -= self.pauses.pop_front().unwrap_or_default();
        }
        self.pauses.push_back(pause);
        self.sum += pause;
    }

    /// Tells whether so long a pause is a freeze.
    fn is_freeze(&self, pause: Duration) -> bool {
        let average = self.sum / AVERAGED as u32;
        pause > (average * 3).max(average + LEAST)
    }

    /// Tells whether the pause that goes on is one.
    pub(crate) fn is_frozen(&self, now: Instant) -> bool {
        let pause = self.last.map(|last| now.saturating_duration_since(last));
        self.pauses.len() == AVERAGED && pause.is_some_and(|pause| self.is_freeze(pause))
    }

    /// Returns the sums so far.
    pub(crate) fn frames(&self) -> Frames {
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A VP8 payload: descriptor of a frame's start, then the tag of a key frame or another one.
    fn vp8(is_key: bool) -> [u8; 2] {
        [0x10, u8::from(!is_key)]
    }

    fn after(pauses: impl IntoIterator<Item = u64>) -> Frames {
        let mut account = FrameAccount::new(Codec::Vp8);
        let mut at = Instant::now();
        account.packet(at, false, &vp8(true));
        account.packet(at, true, &[0x00, 1]);
        for pause in pauses {
            at += Duration::from_millis(pause);
            account.packet(at, true, &vp8(false));
        }
        account.frames()
    }

    #[test]
    fn a_steady_picture_never_freezes() {
        let frames = after([33; 100]);
        assert_eq!((frames.received, frames.keys, frames.freezes), (101, 1, 0));
    }

    #[test]
    fn a_long_pause_is_a_freeze_as_the_w3c_defines_it() {
        // Average 33 ms: the bound is 183 ms.
        let with = |pause| after([[33; 40].as_slice(), &[pause], &[33; 10]].concat());
        assert_eq!(with(183).freezes, 0);
        let frozen = with(184);
        assert_eq!(frozen.freezes, 1);
        assert!((frozen.frozen - 0.184).abs() < 1e-9);
    }

    #[test]
    fn a_slow_picture_is_measured_by_its_own_average() {
        // Average 200 ms: the bound is 600 ms.
        let with = |pause| after([[200; 40].as_slice(), &[pause]].concat()).freezes;
        assert_eq!((with(600), with(601)), (0, 1));
    }

    #[test]
    fn a_picture_that_stands_still_is_frozen_before_the_next_one_comes() {
        let mut account = FrameAccount::new(Codec::Vp8);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        (0..32).for_each(|n| account.packet(at(n * 33), true, &vp8(n == 0)));
        assert!(!account.is_frozen(at(31 * 33 + 183)));
        assert!(account.is_frozen(at(31 * 33 + 184)));
        assert_eq!(account.frames().freezes, 0);
    }

    #[test]
    fn the_first_frames_have_no_average_to_be_measured_by() {
        assert_eq!(after([33, 2000, 33]).freezes, 0);
    }
}
