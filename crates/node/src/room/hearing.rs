//! What the room hears of one participant: its packets, put in order and decoded, tick by tick.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{JitterBuffer, JitterCounts, MediaError, Next, OpusDecoder, packet_samples};

use super::mixer::{Pcm, TICK_SAMPLES};
use super::voice::is_audible;

/// Opus spends no more than this on 20 ms of digital silence, with DTX or without.
const SILENT_PACKET: usize = 3;

/// After so many silent ticks, silent packets are no longer decoded.
const QUIET_TICKS: u32 = 10;

/// Where a participant's packets are put. Cheap to clone.
///
/// Bounded; when it is full, the oldest packet gives way.
#[derive(Clone, Default)]
pub(super) struct Ear {
    buffer: Arc<Mutex<JitterBuffer>>,
}

impl Ear {
    /// Takes one packet of Opus.
    pub(super) fn push(&self, now: Instant, rtp_timestamp: u32, payload: Bytes) {
        self.lock().push(now, rtp_timestamp, payload);
    }

    /// Returns what the buffer has counted.
    pub(super) fn counts(&self) -> JitterCounts {
        self.lock().counts()
    }

    /// Returns how much sound lies ahead.
    pub(super) fn delay(&self) -> Duration {
        self.lock().delay()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, JitterBuffer> {
        // A buffer whose writer panicked is as good as any other: its parts do not depend on each other.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the room hears of one participant.
pub(super) struct Hearing {
    ear: Ear,
    decoder: OpusDecoder,
    /// Decoded and not yet played: less than one tick between ticks, unless packets are longer.
    pcm: VecDeque<i16>,
    quiet_ticks: u32,
}

impl Hearing {
    /// Makes an ear and what listens to it.
    ///
    /// # Errors
    ///
    /// Fails if libopus does.
    pub(super) fn new() -> Result<Self, MediaError> {
        Ok(Self {
            ear: Ear::default(),
            decoder: OpusDecoder::new(1)?,
            pcm: VecDeque::new(),
            // It begins in silence, and silence need not be decoded.
            quiet_ticks: QUIET_TICKS,
        })
    }

    /// Returns where packets are put.
    pub(super) fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Returns the sound of this tick, or `None` for silence.
    pub(super) fn tick(&mut self, now: Instant) -> Option<Pcm> {
        let quiet = self.quiet_ticks > 0;
        while self.pcm.len() < TICK_SAMPLES {
            let next = self.ear.lock().next(now, quiet);
            if self.is_silent_tick(&next) {
                self.quiet_ticks = self.quiet_ticks.saturating_add(1);
                return None;
            }
            if !self.take(next) {
                break;
            }
        }
        let pcm = self.cut()?;
        if is_audible(&pcm) {
            self.quiet_ticks = 0;
            return Some(pcm);
        }
        self.quiet_ticks = self.quiet_ticks.saturating_add(1);
        None
    }

    /// Whether all of this tick is silence that need not be decoded, as it is of whoever does not talk.
    fn is_silent_tick(&self, next: &Next) -> bool {
        let Next::Packet(packet) = next else {
            return false;
        };
        self.pcm.is_empty()
            && self.is_deaf_to(packet)
            && packet_samples(packet) as usize == TICK_SAMPLES
    }

    /// Whether a packet that holds silence comes after much of it.
    fn is_deaf_to(&self, packet: &[u8]) -> bool {
        self.quiet_ticks >= QUIET_TICKS && packet.len() <= SILENT_PACKET
    }

    /// Decodes what is next; returns `false` when there is nothing.
    fn take(&mut self, next: Next) -> bool {
        let decoded = match &next {
            Next::Nothing => return false,
            Next::Packet(packet) if self.is_deaf_to(packet) => {
                let silence = packet_samples(packet) as usize;
                self.pcm.extend(std::iter::repeat_n(0, silence));
                return true;
            }
            Next::Packet(packet) => self.decoder.decode(packet),
            Next::Recover(following) => self.decoder.conceal(Some(following)),
            Next::Conceal => self.decoder.conceal(None),
        };
        match decoded {
            Ok(samples) => self
                .pcm
                .extend(samples.iter().map(|sample| to_i16(*sample))),
            // A damaged packet is 20 ms of silence, and the next one is as good as ever.
            Err(_) => self.pcm.extend(std::iter::repeat_n(0, TICK_SAMPLES)),
        }
        true
    }

    /// Cuts one tick from what is decoded; the end of a sound is filled up with silence.
    fn cut(&mut self) -> Option<Pcm> {
        if self.pcm.is_empty() {
            self.quiet_ticks = self.quiet_ticks.saturating_add(1);
            return None;
        }
        let mut pcm = [0; TICK_SAMPLES];
        for (to, from) in pcm
            .iter_mut()
            .zip(self.pcm.drain(..TICK_SAMPLES.min(self.pcm.len())))
        {
            *to = from;
        }
        Some(pcm)
    }
}

fn to_i16(sample: f32) -> i16 {
    // `as` saturates, and takes NaN to be silence.
    (sample * 32_768.0).round() as i16
}

#[cfg(test)]
mod tests {
    use media::{OpusEncoder, OpusSettings};

    use super::*;

    struct Bench {
        hearing: Hearing,
        encoder: OpusEncoder,
        start: Instant,
        ticks: u32,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                hearing: Hearing::new().expect("libopus decodes"),
                encoder: OpusEncoder::new(OpusSettings::default()).expect("libopus encodes"),
                start: Instant::now(),
                ticks: 0,
            }
        }

        /// Sends 20 ms of a tone (or of silence) and plays 20 ms; returns the energy heard.
        fn step(&mut self, amplitude: f32, arrives: bool) -> f64 {
            let now = self.start + Duration::from_millis(20) * self.ticks;
            let tone: Vec<f32> = (0..960_u32)
                .map(|i| (self.ticks * 960 + i) as f32 * 440.0 * std::f32::consts::TAU / 48_000.0)
                .map(|phase| phase.sin() * amplitude)
                .collect();
            let packet = self.encoder.encode(&tone).expect("960 samples");
            if arrives {
                self.hearing.ear().push(now, self.ticks * 960, packet);
            }
            self.ticks += 1;
            let heard = self.hearing.tick(now);
            heard.map_or(0.0, |pcm| {
                pcm.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / 960.0
            })
        }
    }

    #[test]
    fn hears_a_tone_and_then_silence() {
        let mut bench = Bench::new();
        let heard: Vec<f64> = (0..20).map(|_| bench.step(0.5, true)).collect();
        let expected = (0.5_f64 * 32_768.0).powi(2) / 2.0;
        assert!(
            heard[5..]
                .iter()
                .all(|e| (0.8..1.2).contains(&(e / expected))),
            "{heard:?}"
        );
        let after: Vec<f64> = (0..20).map(|_| bench.step(0.0, true)).collect();
        assert!(after[12..].iter().all(|energy| *energy == 0.0), "{after:?}");
        assert!(bench.hearing.quiet_ticks > 5);
        let again: Vec<f64> = (0..5).map(|_| bench.step(0.5, true)).collect();
        assert!(again[4] > expected * 0.8, "{again:?}");
    }

    #[test]
    fn single_losses_leave_no_hole() {
        let mut bench = Bench::new();
        let heard: Vec<f64> = (0..60)
            .map(|n| bench.step(0.5, n < 10 || n % 7 != 0))
            .collect();
        let loud = (0.25_f64 * 32_768.0).powi(2) / 2.0;
        assert!(heard[5..].iter().all(|energy| *energy > loud), "{heard:?}");
    }

    #[test]
    fn damaged_packets_are_silence() {
        let mut bench = Bench::new();
        for n in 0..40_u32 {
            let now = bench.start + Duration::from_millis(20) * n;
            bench
                .hearing
                .ear()
                .push(now, n * 960, Bytes::from_static(&[0xff, 0xff, 0x00, 0x17]));
            assert!(bench.hearing.tick(now).is_none());
        }
    }
}
