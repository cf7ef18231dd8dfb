//! What a listener hears of one stream of sound: 20 ms after 20 ms, whatever comes and does not.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::MediaError;
use crate::jitter::{JitterBuffer, JitterCounts, Next};
use crate::opus::{OpusDecoder, SAMPLES_PER_PACKET};

/// Louder than this it is not quiet: −60 dB of what is possible.
const QUIET: i16 = 32;

/// Plays one stream of Opus as it is to be heard: packets are put in order and waited for a little,
/// and what is lost is recovered from the next packet or concealed.
///
/// Pure: it takes the time and never reads it. Someone calls [`Playout::tick`] every
/// [`Playout::TICK`].
#[derive(Debug)]
pub struct Playout {
    buffer: JitterBuffer,
    decoder: OpusDecoder,
    /// Samples of one tick, all channels together.
    tick: usize,
    /// Decoded and not yet played, and the tick that is played now.
    pcm: VecDeque<i16>,
    playing: Vec<i16>,
    is_quiet: bool,
}

impl Playout {
    /// So much is played at a time.
    pub const TICK: Duration = Duration::from_millis(20);

    /// Makes one that gives one or two channels, whatever packets hold.
    ///
    /// # Errors
    ///
    /// Fails on another number of channels.
    pub fn new(channels: u8) -> Result<Self, MediaError> {
        let tick = SAMPLES_PER_PACKET * usize::from(channels);
        Ok(Self {
            buffer: JitterBuffer::default(),
            decoder: OpusDecoder::new(channels)?,
            tick,
            pcm: VecDeque::new(),
            playing: vec![0; tick],
            is_quiet: true,
        })
    }

    /// Takes a packet.
    pub fn push(&mut self, now: Instant, rtp_timestamp: u32, packet: Bytes) {
        self.buffer.push(now, rtp_timestamp, packet);
    }

    /// Returns the sound of the next 20 ms: 48 kHz, channels interleaved; silent where there is none.
    pub fn tick(&mut self, now: Instant) -> &[i16] {
        while self.pcm.len() < self.tick {
            let next = self.buffer.next(now, self.is_quiet);
            let decoded = match &next {
                Next::Nothing => break,
                Next::Packet(packet) => self.decoder.decode(packet),
                Next::Recover(following) => self.decoder.conceal(Some(following)),
                Next::Conceal => self.decoder.conceal(None),
            };
            match decoded {
                // `as` saturates, and takes NaN to be silence.
                Ok(sound) => self.pcm.extend(
                    sound
                        .iter()
                        .map(|sample| (sample * 32_768.0).round() as i16),
                ),
                // A damaged packet is 20 ms of silence, and the next one is as good as ever.
                Err(_) => self.pcm.extend(std::iter::repeat_n(0, self.tick)),
            }
        }
        self.playing.clear();
        let there = self.tick.min(self.pcm.len());
        self.playing.extend(self.pcm.drain(..there));
        self.playing.resize(self.tick, 0);
        self.is_quiet = self
            .playing
            .iter()
            .all(|sample| sample.unsigned_abs() < QUIET as u16);
        &self.playing
    }

    /// Returns what was late, concealed and dropped.
    pub fn counts(&self) -> JitterCounts {
        self.buffer.counts()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::measure::{decode, sound};
    use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE};
    use crate::read_audio;

    /// Plays a tone that is sent over a link which loses and delays; returns what is heard, and
    /// what it cost. In virtual time.
    fn play(loss: f64, jitter_ms: u64) -> (Vec<i16>, JitterCounts) {
        let mut random = fastrand::Rng::with_seed(5);
        let mut encoder = OpusEncoder::new(OpusSettings::default()).unwrap();
        let start = Instant::now();
        let packets: Vec<_> = (0..500u32)
            .map(|n| {
                let tone: Vec<f32> = (0..960)
                    .map(|i| {
                        ((n * 960 + i) as f32 * 300.0 / SAMPLE_RATE as f32 * std::f32::consts::TAU)
                            .sin()
                            * 0.5
                    })
                    .collect();
                let leaves = start + Playout::TICK * n + Duration::from_millis(100);
                let arrives = leaves + Duration::from_millis(random.u64(0..=jitter_ms));
                (arrives, n, encoder.encode(&tone).unwrap())
            })
            .collect();
        let mut packets: Vec<_> = packets
            .into_iter()
            .filter(|_| random.f64() >= loss)
            .collect();
        packets.sort_by_key(|(arrives, ..)| *arrives);
        let mut packets = packets.into_iter().peekable();
        let mut playout = Playout::new(1).unwrap();
        let mut heard = Vec::new();
        for tick in 0..500 {
            let now = start + Playout::TICK * tick;
            while let Some((at, n, packet)) = packets.next_if(|(at, ..)| *at <= now) {
                playout.push(at, n * 960, packet);
            }
            heard.extend_from_slice(playout.tick(now));
        }
        (heard, playout.counts())
    }

    /// The share of 20 ms stretches, from the first sound on, in which there is something to hear.
    /// After a loss Opus takes some packets to be as loud again as a steady tone was.
    fn covered(heard: &[i16]) -> f64 {
        let loud = |stretch: &&[i16]| stretch.iter().any(|sample| sample.unsigned_abs() > 500);
        let stretches = || heard.chunks(960).skip(15).take(480);
        stretches().filter(loud).count() as f64 / stretches().count() as f64
    }

    #[test]
    fn a_good_link_is_heard_without_a_hole() {
        let (heard, counts) = play(0.0, 0);
        assert!(covered(&heard) > 0.999, "{}", covered(&heard));
        assert_eq!(counts, JitterCounts::default());
    }

    #[test]
    fn jitter_costs_a_little_delay_and_no_sound() {
        let (heard, counts) = play(0.0, 60);
        assert!(covered(&heard) > 0.99, "{} {counts:?}", covered(&heard));
        assert!(counts.late < 10, "{counts:?}");
        assert!(counts.concealed < 15, "{counts:?}");
    }

    #[test]
    fn loss_is_made_up_for() {
        let (heard, counts) = play(0.1, 20);
        assert!(covered(&heard) > 0.98, "{} {counts:?}", covered(&heard));
        assert!(counts.concealed > 20, "{counts:?}");
    }

    #[test]
    fn what_was_lost_is_recovered_from_the_packet_after_it() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/speech.opus");
        let spoken = decode::sound(&read_audio(&path).unwrap()).unwrap();
        let played = |fec| {
            let settings = OpusSettings {
                fec,
                ..OpusSettings::default()
            };
            let mut encoder = OpusEncoder::new(settings).unwrap();
            let mut playout = Playout::new(1).unwrap();
            let start = Instant::now();
            let mut heard = Vec::new();
            for (n, samples) in (0u32..).zip(spoken.chunks_exact(SAMPLES_PER_PACKET)) {
                let now = start + Playout::TICK * n;
                let packet = encoder.encode(samples).unwrap();
                // One in six never comes.
                if n % 6 != 5 {
                    playout.push(now, n * SAMPLES_PER_PACKET as u32, packet);
                }
                let sound = playout.tick(now).iter();
                heard.extend(sound.map(|sample| f32::from(*sample) / 32_768.0));
            }
            let alike = sound::compare(&spoken, &heard, SAMPLE_RATE).overall;
            (alike, playout.counts())
        };
        let ((with, counts), (without, _)) = (played(true), played(false));
        assert!(counts.concealed > 30, "{counts:?}");
        assert_eq!(counts.concealed_samples, 0, "{counts:?}");
        assert!(
            with > 0.9 && with > without,
            "{with}, and {without} without"
        );
    }

    #[test]
    fn nothing_is_silence() {
        let mut playout = Playout::new(2).unwrap();
        let sound = playout.tick(Instant::now());
        assert!(sound.len() == 1920 && sound.iter().all(|sample| *sample == 0));
        let (heard, _) = play(1.0, 0);
        assert!(heard.iter().all(|sample| *sample == 0));
    }
}
