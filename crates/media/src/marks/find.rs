//! Finds marks in sound.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::burst::{BAND, BURST, burst, distance};
use super::{COUNTS, VOICES};

/// Samples a second that a finder takes.
pub const FINDER_RATE: u32 = 16_000;

/// Samples looked at together, and how far one look is from the next: a burst that begins in the
/// first half is wholly inside.
const BLOCK: usize = 4096;
const HOP: usize = BLOCK / 2;

/// How far a burst must stand out, in standard deviations of what correlating with anything else
/// gives. Chance reaches five about once a minute; a burst alone has some thirty.
const STANDS_OUT: f32 = 7.5;

/// How exactly the distance between two bursts must be one that marks have, in samples: 1 ms.
const TOLERANCE: i64 = FINDER_RATE as i64 / 1000;

/// Nothing else begins so close to a burst, in samples: the length of a tone.
const APART: i64 = FINDER_RATE as i64 * 8 / 1000;

/// Quieter than this (root mean square, −76 dBFS) there is nothing to find.
const SILENT: f32 = 1.6e-4;

/// A gap longer than this, in samples, is a new beginning.
const LONGEST_GAP: i64 = FINDER_RATE as i64;

/// A mark that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundMark {
    /// Whose it is.
    pub voice: usize,
    /// Its count.
    pub count: u32,
    /// The sample it begins with, as the samples pushed are numbered.
    pub at: i64,
}

/// Finds the marks of a number of voices in mono sound at [`FINDER_RATE`].
///
/// The spectrum of each look is flattened before it is correlated, so that a tone or a loud vowel
/// weighs no more than its few frequencies. A mark counts when both its bursts stand out at a
/// distance that marks have.
pub struct SoundMarks {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// The conjugate spectra of the voices' bursts, in the band alone.
    bursts: Vec<Vec<Complex<f32>>>,
    /// The first bin of the band.
    first_bin: usize,
    buffer: Vec<f32>,
    /// The number of the buffer's first sample.
    begins: i64,
    /// Bursts that may be the first of a mark, by voice: where, and how far they stand out.
    single: Vec<VecDeque<(i64, f32)>>,
    found: VecDeque<SoundMark>,
}

impl fmt::Debug for SoundMarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoundMarks({} voices)", self.bursts.len())
    }
}

impl SoundMarks {
    /// Listens for the first so many voices.
    pub fn new(voices: usize) -> Self {
        let mut planner = RealFftPlanner::<f32>::new();
        let forward = planner.plan_fft_forward(BLOCK);
        let inverse = planner.plan_fft_inverse(BLOCK);
        let hz_per_bin = FINDER_RATE as f32 / BLOCK as f32;
        let first_bin = (BAND.start() / hz_per_bin).ceil() as usize;
        let last_bin = (BAND.end() / hz_per_bin) as usize;
        let voices = voices.min(VOICES);
        let bursts = (0..voices)
            .map(|voice| {
                let mut time = burst(voice, FINDER_RATE);
                time.resize(BLOCK, 0.0);
                let spectrum = transform(&*forward, &mut time);
                spectrum[first_bin..=last_bin]
                    .iter()
                    .map(Complex::conj)
                    .collect()
            })
            .collect();
        Self {
            forward,
            inverse,
            bursts,
            first_bin,
            buffer: Vec::with_capacity(BLOCK + HOP),
            begins: 0,
            single: vec![VecDeque::new(); voices],
            found: VecDeque::new(),
        }
    }

    /// Takes in samples, the first of which has the number `at`. What is missing since the last ones
    /// counts as silent; what was there already is left out.
    pub fn push(&mut self, at: i64, samples: &[f32]) {
        let expected = self.begins + self.buffer.len() as i64;
        let gap = at - expected;
        if self.buffer.is_empty() || gap.abs() > LONGEST_GAP {
            self.buffer.clear();
            self.single.iter_mut().for_each(VecDeque::clear);
            self.begins = at;
        } else if gap > 0 {
            self.buffer.resize(self.buffer.len() + gap as usize, 0.0);
        }
        let known = usize::try_from(-gap).unwrap_or(0).min(samples.len());
        let known = if self.buffer.is_empty() { 0 } else { known };
        self.buffer.extend_from_slice(&samples[known..]);
        while self.buffer.len() >= BLOCK {
            self.look();
            self.buffer.drain(..HOP);
            self.begins += HOP as i64;
        }
    }

    /// Returns the next mark that was found.
    pub fn poll(&mut self) -> Option<SoundMark> {
        self.found.pop_front()
    }

    /// Looks at the first block of the buffer.
    fn look(&mut self) {
        let mut block = self.buffer[..BLOCK].to_vec();
        let power = block.iter().map(|s| s * s).sum::<f32>() / BLOCK as f32;
        if power.sqrt() < SILENT {
            return;
        }
        let spectrum = transform(&*self.forward, &mut block);
        let bins = self.bursts.first().map_or(0, Vec::len);
        let band = &spectrum[self.first_bin..self.first_bin + bins];
        let mean = band.iter().map(|bin| bin.norm()).sum::<f32>() / bins.max(1) as f32;
        if mean <= f32::MIN_POSITIVE {
            return;
        }
        // What is far below the rest is rounding noise, and stays small.
        let flat: Vec<_> = band
            .iter()
            .map(|bin| bin / (bin.norm() + 0.1 * mean))
            .collect();
        for voice in 0..self.bursts.len() {
            for (at, stands_out) in self.bursts_in(voice, &flat) {
                self.burst(voice, self.begins + at as i64, stands_out);
            }
        }
    }

    /// Returns where bursts of `voice` begin, and how far each stands out.
    fn bursts_in(&self, voice: usize, flat: &[Complex<f32>]) -> Vec<(usize, f32)> {
        let mut product = self.inverse.make_input_vec();
        let (mut energy, into) = (0.0, &mut product[self.first_bin..]);
        for ((to, bin), burst) in into.iter_mut().zip(flat).zip(&self.bursts[voice]) {
            *to = bin * burst;
            energy += to.norm_sqr();
        }
        // Parseval's theorem: the mean square of what comes out, were all phases chance.
        let deviation = (2.0 * energy).sqrt();
        let mut out = self.inverse.make_output_vec();
        if self.inverse.process(&mut product, &mut out).is_err() || deviation <= 0.0 {
            return Vec::new();
        }
        let mut found: Vec<(usize, f32)> = Vec::new();
        for (at, value) in out[..HOP].iter().enumerate() {
            let stands_out = value / deviation;
            if stands_out < STANDS_OUT {
                continue;
            }
            match found.last_mut() {
                Some(last) if (at - last.0) as i64 <= APART => {
                    if stands_out > last.1 {
                        *last = (at, stands_out);
                    }
                }
                _ => found.push((at, stands_out)),
            }
        }
        found
    }

    /// Takes note of a burst; with one before it, it may be a mark.
    fn burst(&mut self, voice: usize, at: i64, stands_out: f32) {
        let single = &mut self.single[voice];
        // Seen at the end of one look and again at the beginning of the next one.
        if let Some(last) = single.back_mut()
            && at - last.0 <= APART
        {
            if stands_out > last.1 {
                *last = (at, stands_out);
            }
            return;
        }
        let longest = samples(distance(COUNTS - 1)) + TOLERANCE;
        while single
            .front()
            .is_some_and(|(first, _)| at - first > longest)
        {
            single.pop_front();
        }
        let pair = single.iter().enumerate().find_map(|(place, (first, _))| {
            let count = (0..COUNTS)
                .find(|count| (at - first - samples(distance(*count))).abs() <= TOLERANCE)?;
            Some((place, *first, count))
        });
        match pair {
            Some((place, first, count)) => {
                single.drain(..=place);
                self.found.push_back(SoundMark {
                    voice,
                    count,
                    at: first,
                });
            }
            None => single.push_back((at, stands_out)),
        }
    }
}

fn samples(time: std::time::Duration) -> i64 {
    (time.as_micros() * u128::from(FINDER_RATE) / 1_000_000) as i64
}

fn transform(plan: &dyn RealToComplex<f32>, time: &mut [f32]) -> Vec<Complex<f32>> {
    let mut spectrum = plan.make_output_vec();
    // Buffers of the plan's own length are never refused; were they, there is nothing to find.
    let _ = plan.process(time, &mut spectrum);
    spectrum
}

const _: () = assert!(BURST.as_micros() as u64 * FINDER_RATE as u64 / 1_000_000 <= HOP as u64);

#[cfg(test)]
mod tests;
