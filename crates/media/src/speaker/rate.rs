//! Samples at 48 kHz to those of a device that takes another rate.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::opus::{SAMPLE_RATE, SAMPLES_PER_PACKET};

/// Takes samples on one channel, and gives them at the rate of the device.
#[derive(Debug)]
pub(super) struct ToRate {
    /// Nothing where the rate is right as it is.
    resampler: Option<Fft<f32>>,
    /// What is not resampled yet: less than the resampler takes at a time.
    waiting: Vec<f32>,
    given: Vec<f32>,
}

impl ToRate {
    /// Begins for a device that takes `rate` samples a second.
    ///
    /// # Errors
    ///
    /// Fails, with words for a person, if nothing can be given at that rate.
    pub(super) fn new(rate: u32) -> Result<Self, String> {
        let (from, to) = (SAMPLE_RATE as usize, rate as usize);
        let resampler = || Fft::new(from, to, SAMPLES_PER_PACKET, 1, FixedSync::Input);
        Ok(Self {
            resampler: (from != to)
                .then(resampler)
                .transpose()
                .map_err(|error| format!("takes {rate} samples a second: {error}"))?,
            waiting: Vec::new(),
            given: Vec::new(),
        })
    }

    /// Returns what there is to be played once these have come.
    ///
    /// # Errors
    ///
    /// Fails, with words for a person, if they cannot be resampled.
    pub(super) fn take(&mut self, samples: &[i16]) -> Result<&[f32], String> {
        let samples = samples.iter().map(|sample| f32::from(*sample) / 32_768.0);
        self.given.clear();
        let Some(resampler) = &mut self.resampler else {
            self.given.extend(samples);
            return Ok(&self.given);
        };
        let failed = |error: &dyn std::fmt::Display| format!("cannot be resampled for: {error}");
        self.waiting.extend(samples);
        let length = resampler.input_frames_next();
        let mut used = 0;
        while let Some(block) = self.waiting.get(used..used + length) {
            let block = InterleavedSlice::new(block, 1, length).map_err(|error| failed(&error))?;
            let made = resampler
                .process(&block, None)
                .map_err(|error| failed(&error))?;
            // A filter may go beyond what was loudest before it.
            let made = made.take_data().into_iter();
            self.given
                .extend(made.map(|sample| sample.clamp(-1.0, 1.0)));
            used += length;
        }
        self.waiting.drain(..used);
        Ok(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stays_the_same_at_any_rate() {
        for rate in [8_000, 44_100, 48_000, 96_000] {
            let mut to_rate = ToRate::new(rate).unwrap();
            let mut given = Vec::new();
            // In pieces that are no packets.
            for piece in (0..2 * SAMPLE_RATE).collect::<Vec<_>>().chunks(777) {
                let tone = piece.iter().map(|n| {
                    let turns = 440.0 * f64::from(*n) / f64::from(SAMPLE_RATE);
                    (9_000.0 * (std::f64::consts::TAU * turns).sin()) as i16
                });
                given.extend_from_slice(to_rate.take(&tone.collect::<Vec<_>>()).unwrap());
            }
            let (expected, packet) = (2 * rate as usize, rate as usize / 50);
            assert!(
                given.len() <= expected && given.len() + 2 * packet > expected,
                "{rate}: {}",
                given.len()
            );
            // Of the second second, when the filter has begun.
            let second = &given[given.len() - rate as usize..];
            let crossings = second.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0);
            let crossings = crossings.count();
            assert!((438..=441).contains(&crossings), "{rate}: {crossings}");
            let loudest = second.iter().copied().fold(0.0, f32::max);
            assert!((0.26..0.29).contains(&loudest), "{rate}: {loudest}");
        }
    }

    #[test]
    fn what_takes_nothing_is_refused() {
        ToRate::new(0).expect_err("no device takes nothing a second");
    }
}
