//! Voice activity of one participant: energy with an onset and a hangover.

use std::time::{Duration, Instant};

use super::mixer::Pcm;

/// Louder than this (mean square, −45 dBFS) counts as voice.
const VOICE: f64 = 32_768.0 * 32_768.0 * 3.2e-5;

/// A peak above this (about −70 dBFS) is sound worth mixing, voice or not.
const AUDIBLE_PEAK: u16 = 10;

/// So many loud ticks in a row make a voice: a click does not take the stage.
const ONSET_TICKS: u32 = 3;

/// A pause between words does not end a voice.
const HANGOVER: Duration = Duration::from_millis(600);

/// Whether one participant speaks, told tick by tick.
#[derive(Default)]
pub(super) struct VoiceActivity {
    loud_ticks: u32,
    voice_until: Option<Instant>,
}

impl VoiceActivity {
    /// Takes one tick's sound, or `None` for silence, and returns whether the participant speaks.
    pub(super) fn update(&mut self, now: Instant, pcm: Option<&Pcm>) -> bool {
        if pcm.is_some_and(|pcm| mean_square(pcm) > VOICE) {
            self.loud_ticks += 1;
            if self.loud_ticks >= ONSET_TICKS || self.voice_until.is_some_and(|until| now < until) {
                self.voice_until = Some(now + HANGOVER);
            }
        } else {
            self.loud_ticks = 0;
        }
        self.is_active(now)
    }

    /// Ends the voice at once: the participant was muted, or its sound ended with its call.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    fn is_active(&self, now: Instant) -> bool {
        self.voice_until.is_some_and(|until| now < until)
    }
}

/// Returns whether there is anything to hear in `pcm`.
pub(super) fn is_audible(pcm: &Pcm) -> bool {
    pcm.iter()
        .any(|sample| sample.unsigned_abs() > AUDIBLE_PEAK)
}

fn mean_square(pcm: &Pcm) -> f64 {
    let sum: i64 = pcm
        .iter()
        .map(|sample| i64::from(*sample) * i64::from(*sample))
        .sum();
    sum as f64 / pcm.len() as f64
}

#[cfg(test)]
mod tests {
    use super::super::mixer::TICK_SAMPLES;
    use super::*;

    const LOUD: Pcm = [3_000; TICK_SAMPLES];
    const FAINT: Pcm = [50; TICK_SAMPLES];

    #[test]
    fn speaks_after_the_onset_and_until_the_hangover_is_over() {
        let start = Instant::now();
        let at = |tick: u32| start + tick * Duration::from_millis(20);
        let mut voice = VoiceActivity::default();
        let spoken: Vec<bool> = (0..5)
            .map(|tick| voice.update(at(tick), Some(&LOUD)))
            .collect();
        assert_eq!(spoken, [false, false, true, true, true]);
        assert!(voice.update(at(5), None));
        assert!(voice.update(at(33), Some(&FAINT)));
        assert!(!voice.update(at(34), Some(&FAINT)));
    }

    #[test]
    fn a_click_and_a_murmur_are_no_voice() {
        let start = Instant::now();
        let mut voice = VoiceActivity::default();
        assert!(!voice.update(start, Some(&LOUD)));
        assert!((0..100).all(|_| !voice.update(start, Some(&FAINT))));
    }

    #[test]
    fn a_mute_ends_it_at_once() {
        let start = Instant::now();
        let mut voice = VoiceActivity::default();
        assert!((0..3).any(|_| voice.update(start, Some(&LOUD))));
        voice.stop();
        assert!(!voice.update(start, None));
    }

    #[test]
    fn audible_is_less_than_voice_and_more_than_nothing() {
        assert!(is_audible(&FAINT));
        assert!(!is_audible(&[3; TICK_SAMPLES]));
    }
}
