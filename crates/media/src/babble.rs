//! Sound that resembles speech and is nobody's: syllables of a voice that says nothing, in phrases with
//! pauses between them, at the level of speech.

use std::f32::consts::{PI, TAU};

use crate::opus::SAMPLE_RATE;

/// How long it goes on before it repeats itself, in samples.
pub(crate) const ROUND: usize = 30 * SAMPLE_RATE as usize;
const RATE: f32 = SAMPLE_RATE as f32;

/// The level while it speaks, in dB below full scale, as ITU-T P.56 has it for telephone speech.
const ACTIVE_LEVEL: f32 = -26.0;

/// Three formants of some vowels, in Hz.
const VOWELS: [[f32; 3]; 6] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [270.0, 2290.0, 3010.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
    [490.0, 1350.0, 1690.0],
];
const BANDWIDTHS: [f32; 3] = [80.0, 100.0, 140.0];

/// Returns one round for `seed`, mono; it begins and ends in a pause.
pub(crate) fn round(seed: u64) -> Vec<f32> {
    let mut speaker = Speaker::new(seed);
    let mut speech = Vec::with_capacity(ROUND);
    let mut active = Vec::new();
    speech.resize(milliseconds(200.0), 0.0);
    loop {
        let phrase = speaker.phrase();
        let pause = milliseconds(speaker.between(250.0, 900.0));
        if speech.len() + phrase.len() + pause > ROUND {
            break;
        }
        active.extend_from_slice(&phrase);
        speech.extend(phrase);
        speech.resize(speech.len() + pause, 0.0);
    }
    speech.resize(ROUND, 0.0);
    let power = active.iter().map(|s| s * s).sum::<f32>() / active.len().max(1) as f32;
    let factor = 10f32.powf(ACTIVE_LEVEL / 20.0) / power.sqrt().max(1e-9);
    for sample in &mut speech {
        *sample = (*sample * factor).clamp(-0.99, 0.99);
    }
    speech
}

fn milliseconds(time: f32) -> usize {
    (time * RATE / 1000.0) as usize
}

struct Speaker {
    random: fastrand::Rng,
    /// Where in its period the voice is, in turns.
    phase: f32,
    formants: [Resonator; 3],
    hiss: Resonator,
    /// The voice without its highest tones.
    glottis: f32,
}

impl Speaker {
    fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            phase: 0.0,
            formants: Default::default(),
            hiss: Resonator::default(),
            glottis: 0.0,
        }
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.random.f32()
    }

    /// Some syllables whose pitch falls towards the end.
    fn phrase(&mut self) -> Vec<f32> {
        let syllables = self.random.usize(5..13);
        let pitch = self.between(105.0, 135.0);
        let mut phrase = Vec::new();
        let mut before = VOWELS[self.random.usize(..VOWELS.len())];
        for number in 0..syllables {
            let fall = 1.15 - 0.35 * number as f32 / syllables as f32;
            let vowel = VOWELS[self.random.usize(..VOWELS.len())];
            self.syllable(pitch * fall, before, vowel, &mut phrase);
            before = vowel;
        }
        phrase
    }

    /// A hiss or a closure, and a vowel that comes from the one before.
    fn syllable(&mut self, pitch: f32, from: [f32; 3], to: [f32; 3], speech: &mut Vec<f32>) {
        let consonant = milliseconds(self.between(35.0, 75.0));
        let is_hiss = self.random.f32() < 0.5;
        self.hiss.tune(self.random.f32() * 2500.0 + 3500.0, 1500.0);
        for n in 0..consonant {
            let weight = if is_hiss {
                (PI * n as f32 / consonant as f32).sin()
            } else {
                0.0
            };
            let noise = self.random.f32() - 0.5;
            speech.push(self.hiss.step(noise) * weight * 0.02);
        }
        let vowel = milliseconds(self.between(110.0, 210.0));
        let stress = self.between(0.55, 1.0);
        for n in 0..vowel {
            let at = n as f32 / vowel as f32;
            if n % 48 == 0 {
                let glide = (at * 3.0).min(1.0);
                for (k, formant) in self.formants.iter_mut().enumerate() {
                    formant.tune(from[k] + (to[k] - from[k]) * glide, BANDWIDTHS[k]);
                }
            }
            self.phase = (self.phase + pitch * (1.05 - 0.1 * at) / RATE).fract();
            // A pulse each period, its slope as of a voice, and a little breath.
            let pulse = if self.phase < 0.4 {
                (PI * self.phase / 0.4).sin().powi(2)
            } else {
                0.0
            };
            let breath = (self.random.f32() - 0.5) * 0.03;
            let opening = pulse + breath;
            let flow = opening - self.glottis;
            self.glottis = opening;
            let voice = self
                .formants
                .iter_mut()
                .fold(flow, |sound, formant| formant.step(sound));
            speech.push(voice * stress * (PI * at).sin().powf(0.6));
        }
    }
}

/// A resonance of two poles.
#[derive(Debug, Default)]
struct Resonator {
    gain: f32,
    feedback: [f32; 2],
    past: [f32; 2],
}

impl Resonator {
    fn tune(&mut self, frequency: f32, bandwidth: f32) {
        let radius = (-PI * bandwidth / RATE).exp();
        let cosine = (TAU * frequency / RATE).cos();
        self.feedback = [2.0 * radius * cosine, -radius * radius];
        self.gain = 1.0 - self.feedback[0] - self.feedback[1];
    }

    fn step(&mut self, input: f32) -> f32 {
        let [one, two] = self.past;
        let output = self.gain * input + self.feedback[0] * one + self.feedback[1] * two;
        self.past = [output, one];
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(samples: &[f32]) -> f32 {
        let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
        10.0 * power.max(1e-12).log10()
    }

    /// Levels of pieces of 20 ms.
    fn levels(speech: &[f32]) -> Vec<f32> {
        speech.chunks_exact(960).map(level).collect()
    }

    /// Power at one frequency (Goertzel), of a signal that is sampled so often.
    fn power_at(frequency: f32, signal: &[f32], rate: f32) -> f32 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in signal.iter().enumerate() {
            let angle = TAU * (frequency * n as f32 / rate).fract();
            re += sample * angle.cos();
            im += sample * angle.sin();
        }
        (re * re + im * im) / signal.len() as f32
    }

    fn band(signal: &[f32], rate: f32, from: f32, to: f32) -> f32 {
        let steps = 60;
        let at = |n| from + (to - from) * n as f32 / steps as f32;
        (0..steps)
            .map(|n| power_at(at(n), signal, rate))
            .sum::<f32>()
            / steps as f32
    }

    #[test]
    fn it_is_as_loud_and_as_busy_as_speech() {
        let speech = round(0);
        assert_eq!(speech.len(), ROUND);
        let levels = levels(&speech);
        let active: Vec<f32> = levels.iter().copied().filter(|l| *l > -45.0).collect();
        let activity = active.len() as f32 / levels.len() as f32;
        assert!((0.5..0.85).contains(&activity), "{activity}");
        let power = active.iter().map(|l| 10f32.powf(l / 10.0)).sum::<f32>() / active.len() as f32;
        let active_level = 10.0 * power.log10();
        assert!((-28.0..-23.0).contains(&active_level), "{active_level}");
        assert!(speech.iter().all(|s| s.abs() < 1.0));
    }

    #[test]
    fn its_spectrum_falls_as_that_of_speech() {
        let speech = &round(0)[..6 * 48_000];
        let low = band(speech, RATE, 150.0, 900.0);
        let middle = band(speech, RATE, 1000.0, 3000.0);
        let high = band(speech, RATE, 4000.0, 8000.0);
        let rumble = band(speech, RATE, 10.0, 60.0);
        assert!(low > 4.0 * middle && middle > high, "{low} {middle} {high}");
        assert!(low > 10.0 * rumble, "{low} {rumble}");
    }

    #[test]
    fn its_loudness_moves_as_syllables_do() {
        let envelope: Vec<f32> = round(0)
            .chunks_exact(480)
            .map(|piece| piece.iter().map(|s| s.abs()).sum::<f32>() / 480.0)
            .collect();
        let mean = envelope.iter().sum::<f32>() / envelope.len() as f32;
        let envelope: Vec<f32> = envelope.iter().map(|e| e - mean).collect();
        let syllables = band(&envelope, 100.0, 3.0, 7.0);
        let faster = band(&envelope, 100.0, 16.0, 40.0);
        assert!(syllables > 4.0 * faster, "{syllables} against {faster}");
        // The control: a steady noise has no such thing.
        let mut random = fastrand::Rng::with_seed(1);
        let noise: Vec<f32> = (0..envelope.len()).map(|_| random.f32() - 0.5).collect();
        assert!(band(&noise, 100.0, 3.0, 7.0) < 4.0 * band(&noise, 100.0, 16.0, 40.0));
    }

    #[test]
    fn a_seed_says_the_same_each_time() {
        let one = round(7);
        assert_eq!(one, round(7));
        assert_ne!(one, round(8));
        assert!(
            one[..4800]
                .iter()
                .chain(&one[ROUND - 4800..])
                .all(|s| *s == 0.0)
        );
    }
}
