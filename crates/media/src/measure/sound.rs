//! How like a clip what was heard is: where it lies, how well its waveform survived, and whether its ends are there.
//!
//! Both signals are cut down to the speech band, where Opus keeps the waveform.
//! The clip is found in what was heard by cross-correlation, then compared piece by piece,
//! each piece at its own best place some milliseconds around its neighbour's:
//! a receiver's jitter buffer stretches time by a pitch period here and there, which nobody hears.

use std::time::Duration;

use super::band::{RATE, cross_correlation, speech_band};

/// Overall similarity from which on a clip counts as heard.
pub const HEARD: f32 = 0.8;
/// Overall similarity that another clip must not exceed.
pub const OTHER: f32 = 0.3;
/// Local similarity from which on the first 200 ms, or the last word, count as there.
pub const PRESENT: f32 = 0.6;

/// Length of the pieces that are compared each at its own place.
const PIECE: usize = samples(400);
/// How far a piece may lie from where its neighbour says.
const SLACK: usize = samples(25);
/// Length of the pieces of a close look at either end, and how far they may lie from each other:
/// a jitter buffer that has filled up while it was quiet shortens the first sounds most.
const CLOSE_PIECE: usize = samples(100);
const CLOSE_SLACK: usize = samples(40);
/// The beginning that must not be clipped.
const HEAD: usize = samples(200);
/// Long enough for a last word of two syllables.
const LAST_WORD: usize = samples(450);

const fn samples(milliseconds: usize) -> usize {
    milliseconds * RATE as usize / 1000
}

/// How like its clip a recording is; all similarities are normalised correlations, 1 for a perfect copy at any level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundSimilarity {
    /// Over the whole clip.
    pub overall: f32,
    /// Over the clip's first 200 ms of sound.
    pub first_200_ms: f32,
    /// Over the clip's last 450 ms of sound.
    pub last_word: f32,
    /// How much of the clip was recognised, its pauses included.
    pub heard: Duration,
    /// Where in the recording the clip begins, in seconds; negative if the recording began too late.
    pub offset: f64,
}

impl SoundSimilarity {
    /// What nothing at all is like.
    const NOTHING: Self = Self {
        overall: 0.0,
        first_200_ms: 0.0,
        last_word: 0.0,
        heard: Duration::ZERO,
        offset: 0.0,
    };

    /// Returns whether the clip was heard from its first sound to its last word.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.overall >= HEARD && self.first_200_ms >= PRESENT && self.last_word >= PRESENT
    }
}

/// Compares `heard` with `clip`, both mono at `sample_rate` Hz.
#[must_use]
pub fn compare(clip: &[f32], heard: &[f32], sample_rate: u32) -> SoundSimilarity {
    let clip = speech_band(clip, sample_rate);
    let Some((begin, end)) = sounding(&clip) else {
        return SoundSimilarity::NOTHING;
    };
    let sound = &clip[begin..end];
    // Silence on both sides: the recording may have begun after the clip, or ended before it.
    let ahead = sound.len();
    let mut heard_padded = vec![0.0; ahead];
    heard_padded.extend(speech_band(heard, sample_rate));
    heard_padded.resize(heard_padded.len() + sound.len() + PIECE, 0.0);
    let heard = heard_padded;

    let Some(at) = find(sound, &heard) else {
        return SoundSimilarity::NOTHING;
    };
    // What is weaker than the rest by 40 dB counts as silent, so that rounding noise is like nothing.
    let noise = 1e-4 * energy(&heard[at..at + sound.len()]) / sound.len() as f32;
    let place = Place {
        heard: &heard,
        noise,
    };

    let pieces = place.follow(sound, at);
    // By amplitude, not energy: the loud vowels would outvote a lost quiet word.
    let (mut sum, mut weights, mut recognised) = (0.0, 0.0, 0);
    for piece in &pieces {
        let weight = piece.energy.sqrt();
        sum += weight * piece.similarity();
        weights += weight;
        recognised += if piece.is_recognised() {
            piece.length
        } else {
            0
        };
    }
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return SoundSimilarity::NOTHING;
    };
    let surest = pieces
        .iter()
        .find(|piece| piece.is_recognised())
        .unwrap_or(first);
    let tail_at = sound.len() - LAST_WORD.min(sound.len());
    let head = (0..HEAD.min(sound.len())).step_by(CLOSE_PIECE).rev();
    let tail = (tail_at..sound.len()).step_by(CLOSE_PIECE);
    SoundSimilarity {
        overall: sum / weights,
        first_200_ms: place.close_look(sound, head, first.shift()),
        last_word: place.close_look(sound, tail, last.shift()),
        heard: seconds(recognised),
        offset: (surest.found.at as f64 - (ahead + surest.begin + begin) as f64) / f64::from(RATE),
    }
}

fn seconds(samples: usize) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(RATE))
}

/// Returns from where to where `clip` sounds: above a hundredth (−40 dB) of its loudest 10 ms.
fn sounding(clip: &[f32]) -> Option<(usize, usize)> {
    let step = samples(10);
    let powers: Vec<f32> = clip.chunks(step).map(energy).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    if loudest <= f32::MIN_POSITIVE {
        return None;
    }
    let sounds = |power: &f32| *power >= loudest * 1e-4;
    let first = powers.iter().position(sounds)?;
    let last = powers.iter().rposition(sounds)?;
    Some((first * step, ((last + 1) * step).min(clip.len())))
}

/// Returns where in `heard` the clip's sound fits best.
fn find(sound: &[f32], heard: &[f32]) -> Option<usize> {
    let dots = cross_correlation(sound, heard);
    let mut energies = Vec::with_capacity(heard.len() + 1);
    let mut sum = 0.0_f64;
    energies.push(sum);
    for sample in heard {
        sum += f64::from(*sample) * f64::from(*sample);
        energies.push(sum);
    }
    // A floor, lest a place with hardly any sound win by rounding noise.
    let floor = sum * 0.01;
    (0..=heard.len().checked_sub(sound.len())?)
        .map(|at| {
            (
                at,
                f64::from(dots[at].max(0.0)).powi(2)
                    / (energies[at + sound.len()] - energies[at] + floor),
            )
        })
        .filter(|(_, score)| score.is_finite() && *score > 0.0)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// A part of the clip and where it was found.
struct Piece {
    begin: usize,
    length: usize,
    energy: f32,
    found: Found,
}

impl Piece {
    fn similarity(&self) -> f32 {
        ratio(self.found.dot, self.energy, self.found.energy)
    }

    /// How much later than in the clip it lies, in samples.
    fn shift(&self) -> isize {
        self.found.at as isize - self.begin as isize
    }

    /// A loud piece that fits is a better place to start from than a quiet one.
    fn weighed(&self) -> f32 {
        self.similarity() * self.energy.sqrt()
    }

    fn is_recognised(&self) -> bool {
        self.similarity() >= 0.5
    }
}

#[derive(Clone, Copy)]
struct Found {
    at: usize,
    dot: f32,
    energy: f32,
}

/// What was heard, with what counts as silence in it (power).
struct Place<'a> {
    heard: &'a [f32],
    noise: f32,
}

impl Place<'_> {
    /// Finds every piece of `sound`, starting from the one that fits best when the whole lies `at`, then outwards.
    fn follow(&self, sound: &[f32], at: usize) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = sound
            .chunks(PIECE)
            .enumerate()
            .map(|(index, part)| Piece {
                begin: index * PIECE,
                length: part.len(),
                energy: energy(part),
                found: self.around(part, at + index * PIECE, SLACK),
            })
            .collect();
        let Some(anchor) =
            (0..pieces.len()).max_by(|a, b| pieces[*a].weighed().total_cmp(&pieces[*b].weighed()))
        else {
            return pieces;
        };
        let mut shift = pieces[anchor].shift();
        let mut visit = |index: usize, shift: &mut isize| {
            let piece = &mut pieces[index];
            let part = &sound[piece.begin..piece.begin + piece.length];
            piece.found = self.around(
                part,
                shift.saturating_add_unsigned(piece.begin).max(0) as usize,
                SLACK,
            );
            // A piece that was lost says nothing about where the next one lies.
            if piece.is_recognised() {
                *shift = piece.shift();
            }
        };
        let mut outwards = shift;
        for index in anchor + 1..sound.len().div_ceil(PIECE) {
            visit(index, &mut outwards);
        }
        for index in (0..anchor).rev() {
            visit(index, &mut shift);
        }
        pieces
    }

    /// Returns the similarity of the short pieces of `sound` that begin at `begins`, the first of them near `shift`.
    fn close_look(
        &self,
        sound: &[f32],
        begins: impl Iterator<Item = usize>,
        mut shift: isize,
    ) -> f32 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for begin in begins {
            let part = &sound[begin..(begin + CLOSE_PIECE).min(sound.len())];
            let at = shift.saturating_add_unsigned(begin).max(0) as usize;
            let piece = Piece {
                begin,
                length: part.len(),
                energy: energy(part),
                found: self.around(part, at, CLOSE_SLACK),
            };
            sum += piece.similarity() * piece.energy.sqrt();
            weights += piece.energy.sqrt();
            if piece.is_recognised() {
                shift = piece.shift();
            }
        }
        if weights > 0.0 { sum / weights } else { 0.0 }
    }

    /// Returns where `part` fits best within `slack` samples around `at`.
    fn around(&self, part: &[f32], at: usize, slack: usize) -> Found {
        let last = self.heard.len().saturating_sub(part.len());
        let silence = self.noise * part.len() as f32;
        let fit = |at: usize| {
            let there = &self.heard[at..at + part.len()];
            let dot = part.iter().zip(there).map(|(a, b)| a * b).sum::<f32>();
            Found {
                at,
                dot,
                energy: energy(there) + silence,
            }
        };
        let score = |found: &Found| found.dot / found.energy.max(f32::MIN_POSITIVE).sqrt();
        (at.saturating_sub(slack).min(last)..=(at + slack).min(last))
            .map(fit)
            .max_by(|a, b| score(a).total_cmp(&score(b)))
            .unwrap_or(Found {
                at: at.min(last),
                dot: 0.0,
                energy: silence,
            })
    }
}

fn energy(signal: &[f32]) -> f32 {
    signal.iter().map(|s| s * s).sum()
}

fn ratio(dot: f32, of_clip: f32, of_heard: f32) -> f32 {
    let scale = (of_clip * of_heard).sqrt();
    if scale > f32::MIN_POSITIVE {
        (dot / scale).clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
