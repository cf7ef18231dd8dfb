//! Sound as samples on its way from where it comes from to an encoder: stereo, 48 kHz, piece by piece,
//! since an hour of it in memory would take gigabytes.
//!
//! ```text
//! file, generator, speech ─► resample ─► trim ─► gain, fades ─► encode
//!                                            └─► measure loudness, before that
//! ```

mod encode;
mod loudness;
mod resample;
mod shape;

use std::ops::ControlFlow;
use std::time::Duration;

pub(crate) use encode::{Encode, encode_loop};
pub(crate) use loudness::measure;
pub(crate) use resample::Resample;

use crate::error::MediaError;
use crate::opus::SAMPLE_RATE;
use crate::source::{Origin, SourceSpec, not_heard};
use crate::{babble, playlist, read, say};
use shape::{Shape, Trim};

/// Samples that lie side by side: left and right.
pub(crate) const CHANNELS: usize = 2;
/// Moments that are made at a time.
const BLOCK: usize = 960;

/// Whether more is wanted.
pub(crate) type Flow = ControlFlow<()>;

/// Where samples go.
pub(crate) trait Sink {
    /// Takes stereo samples within ±1, 48 000 a second, left and right in turn; says whether more are
    /// wanted.
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError>;

    /// Learns that nothing more comes.
    fn end(&mut self) -> Result<(), MediaError> {
        Ok(())
    }
}

/// Pours a source that ends into `to`, cut and shaped as its options say, once and without what follows
/// before another round; `channels` is what it will be encoded in, which its loudness depends on.
pub(crate) fn pour(spec: &SourceSpec, channels: u8, to: &mut dyn Sink) -> Result<(), MediaError> {
    if spec.never_ends() {
        return Err(MediaError::UnknownSource {
            text: spec.to_string(),
            reason: "it never ends: give it an end, as in `#t=0,10`".into(),
        });
    }
    let gain = loudness::gain(spec, channels)?;
    let mut shape = Shape::new(&spec.options, gain, to);
    pour_cut(spec, channels, &mut shape)?;
    shape.end()
}

/// Pours what is left of a source when it is cut.
pub(crate) fn pour_cut(
    spec: &SourceSpec,
    channels: u8,
    to: &mut dyn Sink,
) -> Result<(), MediaError> {
    let mut trim = Trim::new(&spec.options, to);
    match pour_whole(spec, channels, &mut trim)? {
        Flow::Break(()) => Ok(()),
        Flow::Continue(()) if trim.has_begun() => Ok(()),
        Flow::Continue(()) => Err(MediaError::UnknownSource {
            text: spec.to_string(),
            reason: "it ends before `t` begins".into(),
        }),
    }
}

fn pour_whole(spec: &SourceSpec, channels: u8, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    match &spec.origin {
        Origin::File(path) => read::pour(path, to),
        Origin::Say(text) => say::pour(text, &spec.options, to),
        Origin::Playlist(path) => playlist::pour(path, &spec.options, channels, to),
        Origin::Tone { .. } | Origin::Silence | Origin::Babble => {
            let sample = generator(spec);
            let mut block = Vec::with_capacity(BLOCK * CHANNELS);
            for number in 0u64.. {
                block.clear();
                for n in 0..BLOCK as u64 {
                    block.extend([sample(number * BLOCK as u64 + n); CHANNELS]);
                }
                if to.take(&block)?.is_break() {
                    break;
                }
            }
            Ok(Flow::Break(()))
        }
        Origin::Bars { .. } | Origin::Card(_) | Origin::Slides(_) | Origin::Feed(_) => {
            Err(not_heard(spec))
        }
    }
}

/// Peak of the tone, −18 dB below full scale (EBU R 68).
const TONE_PEAK: f32 = 0.126;

/// Returns what a generator gives at each sample.
pub(crate) fn generator(spec: &SourceSpec) -> Box<dyn Fn(u64) -> f32> {
    match spec.origin {
        Origin::Tone { hertz } => Box::new(move |n| {
            // Modulo a second first: `f32` would lose the phase of large numbers.
            let n = n % u64::from(SAMPLE_RATE);
            let turns = f64::from(hertz) * n as f64 / f64::from(SAMPLE_RATE);
            TONE_PEAK * (std::f32::consts::TAU * turns.fract() as f32).sin()
        }),
        Origin::Babble => {
            let speech = babble::round(spec.options.seed.unwrap_or_default());
            Box::new(move |n| speech[(n % speech.len() as u64) as usize])
        }
        _ => Box::new(|_| 0.0),
    }
}

/// Pours so much silence.
pub(crate) fn pour_silence(time: Duration, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    pour_silent_samples(samples(time), to)
}

/// Pours so many samples of silence on each channel.
pub(crate) fn pour_silent_samples(mut left: u64, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    let block = [0.0; BLOCK * CHANNELS];
    while left > 0 {
        let now = left.min(BLOCK as u64);
        if to.take(&block[..now as usize * CHANNELS])?.is_break() {
            return Ok(Flow::Break(()));
        }
        left -= now;
    }
    Ok(Flow::Continue(()))
}

/// Returns how many samples on one channel so much time is.
pub(crate) fn samples(time: Duration) -> u64 {
    let samples = time.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000;
    u64::try_from(samples).unwrap_or(u64::MAX)
}

/// Returns how long so many samples of one channel are.
pub(crate) fn lasting(samples: u64) -> Duration {
    let nanos = u128::from(samples) * 1_000_000_000 / u128::from(SAMPLE_RATE);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Returns left and right of one moment: of one channel or two as they are, of more the mean of all.
pub(crate) fn two_of(moment: &[f32]) -> [f32; CHANNELS] {
    let within = |sample: f32| {
        if sample.is_finite() {
            sample.clamp(-1.0, 1.0)
        } else {
            0.0
        }
    };
    match *moment {
        [left, right] => [within(left), within(right)],
        _ => [within(moment.iter().sum::<f32>() / moment.len().max(1) as f32); CHANNELS],
    }
}

/// Counts what it is given, and keeps nothing.
#[derive(Debug, Default)]
pub(crate) struct Count {
    /// Samples on one channel.
    pub(crate) samples: u64,
}

impl Sink for Count {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        self.samples += (samples.len() / CHANNELS) as u64;
        Ok(Flow::Continue(()))
    }
}

#[cfg(test)]
pub(crate) mod tests;
