//! How loud a sound is, and whether somebody speaks in it.

use earshot::Detector;

use crate::opus::SAMPLE_RATE;

/// What the detector takes at a time: 16 ms at 16 kHz.
const WINDOW: usize = 256;

/// One of its samples is made of so many.
const DECIMATION: usize = SAMPLE_RATE as usize / 16_000;

/// A window that scores more than this has a voice in it.
const VOICE: f32 = 0.5;

/// Silence, as RFC 6464 states it: −127 dBov.
const SILENCE: f64 = -127.0;

/// What was measured of a sound since its beginning; words and units of W3C webrtc-stats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Heard {
    /// `totalAudioEnergy`: the square of the level, times seconds.
    pub energy: f64,
    /// `totalSamplesDuration`, in seconds.
    pub seconds: f64,
    /// Seconds with speech in them.
    pub speech: f64,
}

impl Heard {
    /// Returns `audioLevel` since `before`: the root of the mean square, from 0 to 1.
    pub fn level_since(&self, before: &Self) -> f64 {
        let seconds = self.seconds - before.seconds;
        if seconds <= 0.0 {
            return 0.0;
        }
        ((self.energy - before.energy) / seconds).max(0.0).sqrt()
    }
}

/// Returns a level from 0 to 1 in dBov, as RFC 6464 states it: −127 for silence.
pub fn dbov(level: f64) -> f64 {
    (20.0 * level.log10()).clamp(SILENCE, 0.0)
}

/// Measures a sound as it goes by: 48 kHz, one channel.
///
/// Speech is told by a small network that knows voices; a pure tone resembles one to it.
pub struct SoundMeter {
    detector: Box<Detector>,
    window: Vec<i16>,
    heard: Heard,
}

impl std::fmt::Debug for SoundMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SoundMeter({:?})", self.heard)
    }
}

impl Default for SoundMeter {
    fn default() -> Self {
        Self {
            detector: Box::default(),
            window: Vec::with_capacity(WINDOW),
            heard: Heard::default(),
        }
    }
}

impl SoundMeter {
    /// Takes samples in.
    pub fn push(&mut self, samples: &[i16]) {
        let square = |sample: &i16| (f64::from(*sample) / 32_768.0).powi(2);
        let rate = f64::from(SAMPLE_RATE);
        self.heard.energy += samples.iter().map(square).sum::<f64>() / rate;
        self.heard.seconds += samples.len() as f64 / rate;
        for group in samples.chunks_exact(DECIMATION) {
            let sum: i32 = group.iter().map(|sample| i32::from(*sample)).sum();
            self.window.push((sum / DECIMATION as i32) as i16);
            if self.window.len() == WINDOW {
                if self.detector.predict_i16(&self.window) > VOICE {
                    self.heard.speech += WINDOW as f64 / 16_000.0;
                }
                self.window.clear();
            }
        }
    }

    /// Returns what was measured so far.
    pub fn heard(&self) -> Heard {
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::measure::decode;
    use crate::read_audio;

    fn measured(samples: impl IntoIterator<Item = f32>) -> Heard {
        let mut meter = SoundMeter::default();
        let samples: Vec<i16> = samples
            .into_iter()
            .map(|sample| (sample * 32_767.0) as i16)
            .collect();
        samples.chunks(960).for_each(|chunk| meter.push(chunk));
        meter.heard()
    }

    #[test]
    fn a_level_is_that_of_the_w3c() {
        let sine = |n: u32| (n as f32 * 0.05).sin();
        let level = measured((0..96_000).map(sine)).level_since(&Heard::default());
        // A full sine has half the power of what is possible: −3 dB.
        assert!((dbov(level) + 3.01).abs() < 0.05, "{level}");
        let quiet = measured((0..48_000).map(|n| sine(n) * 0.01));
        assert!((dbov(quiet.level_since(&Heard::default())) + 43.0).abs() < 0.2);
        assert_eq!(
            dbov(measured([0.0; 4800]).level_since(&Heard::default())),
            -127.0
        );
        assert_eq!(Heard::default().level_since(&Heard::default()), 0.0);
    }

    #[test]
    fn speech_is_told_from_noise_and_silence() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/speech.opus");
        let speech = measured(decode::sound(&read_audio(&path).unwrap()).unwrap());
        let share = |heard: Heard| heard.speech / heard.seconds;
        assert!(share(speech) > 0.5, "{speech:?}");
        let mut random = fastrand::Rng::with_seed(3);
        let noise = measured((0..240_000).map(|_| (random.f32() - 0.5) * 0.2));
        assert!(share(noise) < 0.2, "{noise:?}");
        assert_eq!(measured([0.0; 48_000]).speech, 0.0);
    }
}
