//! What lies between the clock that sound comes by and the one it is played by.
//!
//! ```text
//!   0 ───────── start ───────── needless ───────── ceiling
//!   │             │                 │                 │
//!   │ empty:      │ playing begins  │ a quiet packet  │ the oldest packet
//!   │ silence,    │ with so much    │ is left out:    │ is dropped
//!   │ gather anew │                 │ nobody hears it │
//! ```

use std::collections::VecDeque;

/// Of a second: what is gathered before playing begins.
const START: f64 = 0.040;

/// Above [`START`]: more than this is not needed, and given back in a quiet moment.
const NEEDLESS: f64 = 0.040;

/// Above [`START`]: no more than this waits, whatever is said.
const CEILING: f64 = 0.080;

/// Louder than this it is not quiet: −60 dB of what is possible.
const QUIET: f32 = 0.001;

/// Samples on one channel on their way to a device.
#[derive(Debug)]
pub(super) struct Cushion {
    waiting: VecDeque<f32>,
    rate: f64,
    /// The most that was taken at a time.
    taken: usize,
    is_playing: bool,
}

impl Cushion {
    /// Makes an empty one for a device that takes `rate` samples a second.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            waiting: VecDeque::new(),
            rate: f64::from(rate),
            taken: 0,
            is_playing: false,
        }
    }

    /// Puts a packet in.
    pub(super) fn push(&mut self, packet: &[f32]) {
        let is_quiet = packet.iter().all(|sample| sample.abs() < QUIET);
        let wanted = self.waiting.len() + packet.len();
        if is_quiet && wanted > self.above_start(NEEDLESS) {
            return;
        }
        let excess = wanted.saturating_sub(self.above_start(CEILING));
        if excess > 0 {
            // A whole packet: a seam now and then is heard less than one in every packet.
            let dropped = excess.max(packet.len()).min(self.waiting.len());
            self.waiting.drain(..dropped);
        }
        self.waiting.extend(packet);
    }

    /// Takes what is to be played next, silence where there is nothing.
    pub(super) fn take(&mut self, played: &mut [f32]) {
        played.fill(0.0);
        self.taken = self.taken.max(played.len());
        self.is_playing |= self.waiting.len() >= self.above_start(0.0);
        if !self.is_playing {
            return;
        }
        let there = played.len().min(self.waiting.len());
        for (played, sample) in played.iter_mut().zip(self.waiting.drain(..there)) {
            *played = sample;
        }
        // With less than that it would run dry over and over.
        self.is_playing = there == played.len();
    }

    /// Returns how many samples lie so many seconds above where playing begins. A device that takes
    /// much at a time must find it there.
    fn above_start(&self, seconds: f64) -> usize {
        let start = (START * self.rate).max(2.0 * self.taken as f64);
        (start + seconds * self.rate) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;
    const PACKET: usize = 960;

    /// Lets sound that is loud, or silent, come for some seconds, while the device takes `device` samples
    /// at a time and is as fast as `speed` says. Returns what was played, and the most that waited.
    fn play(
        seconds: usize,
        device: usize,
        speed: f64,
        is_loud: impl Fn(usize) -> bool,
    ) -> (Vec<f32>, usize) {
        let mut cushion = Cushion::new(RATE);
        let (mut played, mut most, mut due) = (Vec::new(), 0, 0.0);
        for packet in 0..seconds * 50 {
            let level = if is_loud(packet) { 0.5 } else { 0.0 };
            cushion.push(&[level; PACKET]);
            most = most.max(cushion.waiting.len());
            due += PACKET as f64 * speed;
            while due >= device as f64 {
                due -= device as f64;
                let mut block = vec![0.0; device];
                cushion.take(&mut block);
                played.extend(block);
            }
        }
        (played, most)
    }

    fn loud(played: &[f32]) -> usize {
        played.iter().filter(|sample| **sample > 0.1).count()
    }

    #[test]
    fn by_one_clock_nothing_is_lost_and_little_waits() {
        // A packet at a time, one and a half, and so much that no number of packets is.
        for device in [PACKET, 1_440, 441, 2_205, 4_096] {
            let (played, most) = play(10, device, 1.0, |_| true);
            let silence = played.iter().position(|sample| *sample > 0.1).unwrap();
            assert!(silence <= 2 * device + 2 * PACKET, "{device}: {silence}");
            assert_eq!(loud(&played), played.len() - silence, "{device}");
            assert!(most <= 2 * PACKET + 3 * device, "{device}: {most}");
        }
    }

    #[test]
    fn a_device_that_is_slower_is_never_far_behind() {
        let (played, most) = play(60, PACKET, 0.99, |_| true);
        assert!(most <= 6 * PACKET, "{most}");
        assert_eq!(loud(&played), played.len());
    }

    #[test]
    fn what_is_needless_is_given_back_in_a_quiet_moment_and_no_word_is_lost() {
        // Half a second of each in turn.
        let (played, most) = play(60, PACKET, 0.99, |packet| packet / 25 % 2 == 0);
        let spoken = 30 * RATE as usize;
        assert!(loud(&played) > spoken - 6 * PACKET, "{}", loud(&played));
        assert!(most <= 5 * PACKET, "{most}");
    }

    #[test]
    fn a_device_that_is_faster_hears_silence_now_and_then() {
        let (played, most) = play(60, PACKET, 1.01, |_| true);
        let silent = played.len() - loud(&played);
        assert!(most <= 3 * PACKET, "{most}");
        // A hundredth of it, in stretches of two packets.
        assert!(silent < played.len() / 80, "{silent} of {}", played.len());
    }

    #[test]
    fn without_anything_it_is_silent() {
        let (played, most) = play(1, PACKET, 1.0, |_| false);
        assert_eq!((loud(&played), most), (0, 2 * PACKET));
        let mut block = [1.0; 7];
        Cushion::new(RATE).take(&mut block);
        assert_eq!(block, [0.0; 7]);
    }
}
