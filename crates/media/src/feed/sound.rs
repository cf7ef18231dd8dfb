//! Sound that comes as time goes by: samples of any rate to Opus packets with their moments.

use std::time::{Duration, Instant};

use crate::codec::Codec;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
use crate::sound::{CHANNELS, Flow, Resample, Sink, two_of};

const PACKET: Duration = Duration::from_millis(20);

/// Samples that come this far from where the ones before ended begin anew: a pause, or a clock that
/// has gone astray. Below it the sound goes on without a seam.
const SEAM: Duration = Duration::from_millis(80);

/// Samples as they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Samples a second on each channel.
    pub(super) rate: u32,
    /// How many are interleaved.
    pub(super) channels: usize,
    /// Within ±1.
    pub(super) interleaved: &'a [f32],
}

/// Makes Opus packets of samples, as they come.
pub(super) struct SoundEncoder {
    encoder: OpusEncoder,
    channels: usize,
    rate: u32,
    resample: Resample,
    waiting: Waiting,
    /// When the first of what waits plays; nothing before the first sample.
    begins: Option<Instant>,
}

/// What is not encoded yet, stereo: less than a packet.
#[derive(Default)]
struct Waiting(Vec<f32>);

impl Sink for Waiting {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        self.0.extend_from_slice(samples);
        Ok(Flow::Continue(()))
    }
}

impl SoundEncoder {
    pub(super) fn new(settings: OpusSettings) -> Result<Self, MediaError> {
        // Packets are always sent: where none comes, the input is taken to be away.
        let dtx = false;
        Ok(Self {
            encoder: OpusEncoder::new(OpusSettings { dtx, ..settings })?,
            channels: settings.channels.into(),
            rate: SAMPLE_RATE,
            resample: Resample::live(SAMPLE_RATE)?,
            waiting: Waiting::default(),
            begins: None,
        })
    }

    /// Takes samples of which the first plays at `at`; gives each packet that is whole to `send`.
    ///
    /// # Errors
    ///
    /// Fails if that is no sound people have.
    pub(super) fn push(
        &mut self,
        samples: Samples<'_>,
        at: Instant,
        mut send: impl FnMut(Frame, Instant),
    ) -> Result<(), MediaError> {
        if samples.channels == 0 {
            return Err(MediaError::Sound("it has no channels".into()));
        }
        self.place(samples.rate, at)?;
        let moments = samples.interleaved.chunks_exact(samples.channels);
        let stereo: Vec<f32> = moments.flat_map(two_of).collect();
        // Nothing here says that it has enough.
        let _ = self.resample.take(&stereo, &mut self.waiting)?;
        let mut used = 0;
        while let Some(packet) = self
            .waiting
            .0
            .get(used..used + SAMPLES_PER_PACKET * CHANNELS)
        {
            let encoded = if self.channels == CHANNELS {
                self.encoder.encode(packet)?
            } else {
                let mono = packet
                    .chunks_exact(CHANNELS)
                    .map(|pair| (pair[0] + pair[1]) / 2.0);
                self.encoder.encode(&mono.collect::<Vec<f32>>())?
            };
            let frame = Frame::packetize(Codec::Opus, encoded, Duration::ZERO, PACKET, true)?;
            let begins = self.begins.unwrap_or(at);
            send(frame, begins);
            self.begins = Some(begins + PACKET);
            used += packet.len();
        }
        self.waiting.0.drain(..used);
        Ok(())
    }

    /// Sets where the next samples belong: behind those before, unless they come from elsewhere.
    fn place(&mut self, rate: u32, at: Instant) -> Result<(), MediaError> {
        let waiting = (self.waiting.0.len() / CHANNELS) as f64 / f64::from(SAMPLE_RATE);
        let inside = Duration::from_secs_f64((waiting + self.resample.inside()).max(0.0));
        let apart = self.begins.map(|begins| {
            let expected = begins + inside;
            at.saturating_duration_since(expected)
                .max(expected.saturating_duration_since(at))
        });
        if rate != self.rate || apart.is_none_or(|apart| apart > SEAM) {
            self.resample = Resample::live(rate)?;
            self.rate = rate;
            self.waiting.0.clear();
            self.begins = Some(at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opus::OpusDecoder;

    fn tone(rate: u32, channels: usize, seconds: usize) -> Vec<f32> {
        (0..rate as usize * seconds)
            .flat_map(|n| {
                let turns = 440.0 * n as f64 / f64::from(rate);
                let sample = 0.3 * (std::f64::consts::TAU * turns.fract()).sin() as f32;
                std::iter::repeat_n(sample, channels)
            })
            .collect()
    }

    #[test]
    fn any_rate_becomes_packets_one_after_another() {
        for (rate, channels) in [(48_000, 1), (44_100, 2), (16_000, 1), (8_000, 2)] {
            let (mut encoder, start) = (
                SoundEncoder::new(OpusSettings::default()).unwrap(),
                Instant::now(),
            );
            let mut decoder = OpusDecoder::new(1).unwrap();
            let (mut heard, mut moments) = (Vec::new(), Vec::new());
            let samples = tone(rate, channels, 2);
            // In pieces that fit nothing, each stamped a bit off.
            let piece = 777 * channels;
            for (n, interleaved) in samples.chunks(piece).enumerate() {
                let at = start + Duration::from_secs_f64((n * 777) as f64 / f64::from(rate));
                let at = at + Duration::from_millis(n as u64 % 7);
                let samples = Samples {
                    rate,
                    channels,
                    interleaved,
                };
                let send = |frame: Frame, at| {
                    heard.extend_from_slice(decoder.decode(&frame.payloads[0]).unwrap());
                    moments.push(at);
                };
                encoder.push(samples, at, send).unwrap();
            }
            assert!(moments.len() >= 96, "{rate}: {}", moments.len());
            assert!(moments.windows(2).all(|w| w[1] - w[0] == PACKET), "{rate}");
            let crossings = heard[48_000..]
                .windows(2)
                .filter(|w| w[0] < 0.0 && w[1] >= 0.0)
                .count();
            let expected = 440.0 * (heard.len() - 48_000) as f64 / 48_000.0;
            assert!(
                (crossings as f64 - expected).abs() < 4.0,
                "{rate}: {crossings}"
            );
        }
    }

    #[test]
    fn a_pause_is_kept() {
        let (mut encoder, start) = (
            SoundEncoder::new(OpusSettings::default()).unwrap(),
            Instant::now(),
        );
        let interleaved = [0.1; 960];
        let mut moments = Vec::new();
        for at in [0, 20, 500, 520] {
            let samples = Samples {
                rate: 48_000,
                channels: 1,
                interleaved: &interleaved,
            };
            let at = start + Duration::from_millis(at);
            encoder
                .push(samples, at, |_, at| moments.push((at - start).as_millis()))
                .unwrap();
        }
        assert_eq!(moments, [0, 20, 500, 520]);
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        let mut encoder = SoundEncoder::new(OpusSettings::default()).unwrap();
        for (rate, channels) in [(0, 1), (48_000, 0), (u32::MAX, 2)] {
            let samples = Samples {
                rate,
                channels,
                interleaved: &[0.0; 10],
            };
            assert!(encoder.push(samples, Instant::now(), |_, _| {}).is_err());
        }
        let samples = Samples {
            rate: 48_000,
            channels: 1,
            interleaved: &[f32::NAN; 960],
        };
        assert!(encoder.push(samples, Instant::now(), |_, _| {}).is_ok());
    }
}
