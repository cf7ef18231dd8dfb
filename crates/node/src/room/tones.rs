//! What a simulated far end is heard with: ringing, a greeting, a sign of life, keys. Pure: the
//! same sample is the same sound.

use super::mixer::{Pcm, TICK_SAMPLES};

/// Samples a second.
const RATE: u64 = 48_000;

/// Peak of one tone, −18 dB below full scale; two at once stay below the limiter.
const PEAK: f64 = 4_125.0;

/// So many samples a tone takes to rise and to fall: it does not click.
const EDGE: u64 = RATE / 200;

/// A key sounds for so long, and so long is the pause after it.
const KEY: u64 = RATE / 8;
const KEY_PAUSE: u64 = RATE / 8;

/// Tones of the keys: of its row, and of its column, in Hz (ITU-T Q.23).
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];

/// What is heard as time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Melody {
    /// 425 Hz, a second in every five (ITU-T E.180).
    Ringing,
    /// Three rising notes, then 440 Hz for a fifth of every second.
    Greeting,
}

/// Plays a melody.
pub(super) struct Player {
    melody: Melody,
    position: u64,
}

impl Player {
    /// Begins at the beginning.
    pub(super) fn new(melody: Melody) -> Self {
        Self {
            melody,
            position: 0,
        }
    }

    /// Returns the next 20 ms, or `None` for silence.
    pub(super) fn tick(&mut self) -> Option<Pcm> {
        let melody = self.melody;
        tick(&mut self.position, |at| match melody {
            Melody::Ringing => note(at % (5 * RATE), RATE, 425.0),
            Melody::Greeting => greeting(at),
        })
    }
}

fn greeting(at: u64) -> f64 {
    let note_length = RATE / 5;
    match at / note_length {
        0 => note(at, note_length, 523.25),
        1 => note(at - note_length, note_length, 659.25),
        2 => note(at - 2 * note_length, note_length, 783.99),
        _ => note(at % RATE, note_length, 440.0),
    }
}

/// Plays keys one after the other.
#[derive(Default)]
pub(super) struct KeyPlayer {
    waiting: std::collections::VecDeque<(f64, f64)>,
    position: u64,
}

impl KeyPlayer {
    /// Keys that may wait to be played; further ones are dropped.
    const AT_MOST: usize = 512;

    /// Appends keys; what is no key is passed over.
    pub(super) fn press(&mut self, digits: &str) {
        let free = Self::AT_MOST.saturating_sub(self.waiting.len());
        self.waiting
            .extend(digits.chars().filter_map(tones).take(free));
    }

    /// Returns the next 20 ms, or `None` when no key is left.
    pub(super) fn tick(&mut self) -> Option<Pcm> {
        let (row, column) = *self.waiting.front()?;
        let pcm = tick(&mut self.position, |at| {
            note(at, KEY, row) + note(at, KEY, column)
        });
        if self.position >= KEY + KEY_PAUSE {
            self.waiting.pop_front();
            self.position = 0;
        }
        // The pause between keys is silence, and not the end.
        Some(pcm.unwrap_or([0; TICK_SAMPLES]))
    }
}

fn tones(key: char) -> Option<(f64, f64)> {
    let row = KEYS.iter().position(|keys| keys.contains(key))?;
    let column = KEYS[row].find(key)?;
    Some((ROWS[row], COLUMNS[column]))
}

fn tick(position: &mut u64, sample: impl Fn(u64) -> f64) -> Option<Pcm> {
    let start = *position;
    *position += TICK_SAMPLES as u64;
    let mut pcm = [0; TICK_SAMPLES];
    for (at, out) in (start..).zip(&mut pcm) {
        // Far within range: two tones have half of full scale at most.
        *out = (sample(at) * PEAK) as i16;
    }
    pcm.iter().any(|sample| *sample != 0).then_some(pcm)
}

/// A note of `length` samples from 0 on, silent afterwards.
fn note(at: u64, length: u64, hertz: f64) -> f64 {
    if at >= length {
        return 0.0;
    }
    let edge = at.min(length - at).min(EDGE) as f64 / EDGE as f64;
    edge * (std::f64::consts::TAU * hertz * at as f64 / RATE as f64).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How strong a frequency is in some sound (Goertzel's algorithm).
    fn strength(pcm: &[i16], hertz: f64) -> f64 {
        let coefficient = 2.0 * (std::f64::consts::TAU * hertz / RATE as f64).cos();
        let (mut one, mut two) = (0.0, 0.0);
        for sample in pcm {
            (one, two) = (f64::from(*sample) + coefficient * one - two, one);
        }
        (one * one + two * two - coefficient * one * two).sqrt() / pcm.len() as f64
    }

    #[test]
    fn every_key_has_its_two_tones() {
        for (row, keys) in KEYS.iter().enumerate() {
            for (column, key) in keys.chars().enumerate() {
                let mut player = KeyPlayer::default();
                player.press(&key.to_string());
                let pcm: Vec<i16> = (0..6).flat_map(|_| player.tick().expect("sound")).collect();
                let loudest = |tones: [f64; 4]| {
                    let mut by_strength = [0, 1, 2, 3];
                    by_strength.sort_by(|a, b| {
                        strength(&pcm, tones[*b]).total_cmp(&strength(&pcm, tones[*a]))
                    });
                    by_strength[0]
                };
                assert_eq!((loudest(ROWS), loudest(COLUMNS)), (row, column), "{key}");
            }
        }
    }

    #[test]
    fn keys_follow_each_other_with_pauses_and_end() {
        let mut player = KeyPlayer::default();
        player.press("1x2");
        let heard: Vec<bool> = std::iter::from_fn(|| player.tick())
            .map(|pcm| pcm != [0; TICK_SAMPLES])
            .collect();
        let begins = heard.windows(2).filter(|two| !two[0] && two[1]).count();
        assert_eq!(begins + usize::from(heard[0]), 2, "{heard:?}");
        assert!(player.tick().is_none());
        player.press(&"1".repeat(1_000));
        assert_eq!(player.waiting.len(), KeyPlayer::AT_MOST);
    }

    #[test]
    fn a_greeting_goes_over_into_a_sign_of_life_each_second() {
        let mut player = Player::new(Melody::Greeting);
        let seconds: Vec<Vec<i16>> = (0..3)
            .map(|_| {
                let ticks = (0..50).map(|_| player.tick().unwrap_or([0; TICK_SAMPLES]));
                ticks.flatten().collect()
            })
            .collect();
        assert!(strength(&seconds[0], 659.25) > 10.0 * strength(&seconds[1], 659.25));
        assert!(strength(&seconds[2], 440.0) > 300.0);
        assert_eq!(seconds[1], seconds[2]);
    }

    #[test]
    fn ringing_pauses() {
        let mut player = Player::new(Melody::Ringing);
        let heard: Vec<bool> = (0..500).map(|_| player.tick().is_some()).collect();
        assert_eq!(heard.iter().filter(|heard| **heard).count(), 100);
        assert!(heard[0] && !heard[60] && heard[251]);
    }
}
