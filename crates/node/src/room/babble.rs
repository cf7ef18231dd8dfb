//! Sound that resembles speech and is nobody's, for the `wrong_clip` fault.

use super::mixer::{Pcm, TICK_SAMPLES};

/// Samples a second.
const RATE: f64 = 48_000.0;

/// Two formants of each of some vowels, in Hz, and the pitch they are spoken at.
const VOWELS: [(f64, f64, f64); 5] = [
    (730.0, 1_090.0, 118.0),
    (270.0, 2_290.0, 131.0),
    (300.0, 870.0, 109.0),
    (530.0, 1_840.0, 124.0),
    (570.0, 840.0, 113.0),
];

/// Samples a syllable lasts: 220 ms, the last quarter of it a pause.
const SYLLABLE: u64 = 10_560;

/// Speaks nonsense, always the same.
#[derive(Default)]
pub(super) struct Babble {
    position: u64,
}

impl Babble {
    /// Returns the next 20 ms.
    pub(super) fn tick(&mut self) -> Pcm {
        let mut pcm = [0; TICK_SAMPLES];
        for sample in &mut pcm {
            *sample = sample_at(self.position);
            self.position += 1;
        }
        pcm
    }
}

fn sample_at(position: u64) -> i16 {
    let syllable = position / SYLLABLE;
    let within = (position % SYLLABLE) as f64 / SYLLABLE as f64;
    // A step coprime to their number visits the vowels in an order that does not sound like a scale.
    let (low, high, pitch) = VOWELS[(syllable * 3 % 5) as usize];
    let envelope = if within < 0.75 {
        (within / 0.75 * std::f64::consts::PI).sin()
    } else {
        0.0
    };
    let time = position as f64 / RATE;
    let voiced: f64 = (1..=24_u32)
        .map(|harmonic| {
            let frequency = pitch * f64::from(harmonic);
            let weight = resonance(frequency, low) + 0.5 * resonance(frequency, high);
            weight * (std::f64::consts::TAU * frequency * time).sin()
        })
        .sum();
    (voiced * envelope * 4_000.0).clamp(-32_000.0, 32_000.0) as i16
}

/// How much of `frequency` a formant lets through.
fn resonance(frequency: f64, formant: f64) -> f64 {
    let off = (frequency - formant) / 120.0;
    1.0 / (1.0 + off * off)
}

#[cfg(test)]
mod tests {
    use super::super::voice::is_audible;
    use super::*;

    #[test]
    fn is_to_be_heard_has_pauses_and_repeats_itself_for_nobody_else() {
        let mut babble = Babble::default();
        let ticks: Vec<Pcm> = (0..110).map(|_| babble.tick()).collect();
        let audible = ticks.iter().filter(|tick| is_audible(tick)).count();
        assert!((60..105).contains(&audible), "{audible}");
        assert_eq!(Babble::default().tick(), ticks[0]);
    }
}
