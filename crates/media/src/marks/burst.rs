//! The bursts of tones that marks of sound are made of.

use std::f32::consts::TAU;
use std::time::Duration;

use super::{COUNTS, VOICES};

/// Tones in a burst.
const TONES: u32 = 16;

/// How long one tone sounds.
const TONE: Duration = Duration::from_millis(8);

/// How long a burst sounds.
pub(super) const BURST: Duration = Duration::from_millis(8 * TONES as u64);

/// The lowest tone, and from one to the next: all of them lie where every speech codec keeps the waveform, in Hz.
const LOWEST: f32 = 420.0;
const STEP: f32 = 170.0;

/// What lies in the tones' band, in Hz.
pub(super) const BAND: std::ops::RangeInclusive<f32> = 350.0..=3_050.0;

/// The order of the tones of each voice. However one is shifted in time against another, they have
/// at most two tones in common; no tone is followed by one beside it.
const ORDERS: [[u8; TONES as usize]; VOICES] = [
    [9, 12, 1, 13, 8, 3, 6, 15, 10, 4, 0, 2, 11, 14, 7, 5],
    [12, 1, 14, 4, 9, 15, 0, 11, 5, 7, 10, 2, 8, 13, 6, 3],
    [15, 12, 8, 2, 6, 9, 0, 7, 13, 10, 5, 3, 14, 11, 1, 4],
    [1, 3, 6, 8, 11, 5, 2, 13, 15, 4, 10, 0, 14, 12, 7, 9],
    [11, 2, 7, 9, 4, 13, 1, 12, 14, 5, 0, 6, 3, 10, 15, 8],
    [3, 7, 10, 0, 15, 6, 14, 2, 13, 5, 1, 12, 9, 4, 11, 8],
    [4, 14, 10, 6, 3, 8, 12, 15, 5, 1, 7, 11, 13, 9, 2, 0],
    [15, 0, 13, 8, 11, 3, 10, 14, 7, 2, 12, 4, 6, 9, 1, 5],
];

/// From the beginning of a mark's first burst to that of its second one, for count 0, and how much
/// later for each count.
const DISTANCE: Duration = Duration::from_millis(160);
const DISTANCE_STEP: Duration = Duration::from_millis(16);

/// Returns how far apart the bursts of a mark begin.
pub(super) fn distance(count: u32) -> Duration {
    DISTANCE + DISTANCE_STEP * (count % COUNTS)
}

/// Returns the burst of `voice` at `rate` samples a second, between −1 and 1.
pub(super) fn burst(voice: usize, rate: u32) -> Vec<f32> {
    let tone = (TONE.as_secs_f64() * f64::from(rate)) as usize;
    let length = tone * TONES as usize;
    // The ends come and go within 2 ms, and the phase never jumps: so no click is heard.
    let edge = (rate / 500) as usize;
    let (mut samples, mut turns) = (Vec::with_capacity(length), 0.0f32);
    for height in ORDERS[voice % VOICES] {
        let hertz = LOWEST + STEP * f32::from(height);
        for _ in 0..tone {
            let to_end = samples.len().min(length - 1 - samples.len());
            let rising = ((to_end as f32 + 0.5) / edge as f32).min(1.0);
            samples.push((TAU * turns).sin() * (0.5 - 0.5 * (TAU * rising / 2.0).cos()));
            turns = (turns + hertz / rate as f32).fract();
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::cross_correlation;

    #[test]
    fn no_voice_is_like_another_or_itself_at_another_time() {
        for one in 0..VOICES {
            for other in 0..VOICES {
                let (a, b) = (burst(one, 16_000), burst(other, 16_000));
                let energy: f32 = a.iter().map(|s| s * s).sum();
                let mut padded = vec![0.0; a.len()];
                padded.extend(&b);
                padded.resize(a.len() * 3, 0.0);
                let alike = cross_correlation(&a, &padded);
                let worst = alike
                    .iter()
                    .enumerate()
                    // A tone's own length around the place where it fits.
                    .filter(|(shift, _)| one != other || shift.abs_diff(a.len()) > 128)
                    .map(|(_, dot)| dot.abs() / energy)
                    .fold(0.0, f32::max);
                assert!(worst < 0.25, "{one} and {other}: {worst}");
            }
        }
    }
}
