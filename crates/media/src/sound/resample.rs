//! Samples of any rate to 48 000 a second.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::{CHANNELS, Flow, Sink};
use crate::error::MediaError;
use crate::opus::SAMPLE_RATE;

/// Samples that are resampled at a time, about, of what is there as a whole.
const CHUNK: usize = 1024;

/// Takes samples of one rate, and hands on those of 48 kHz.
pub(crate) struct Resample {
    /// Nothing where the rate is right as it is.
    inner: Option<Inner>,
}

struct Inner {
    resampler: Fft<f32>,
    rate: u32,
    /// What is not resampled yet: less than the resampler takes at a time.
    waiting: Vec<f32>,
    /// Samples on one channel taken in and given out.
    taken: u64,
    given: u64,
    /// Samples still to come that the resampler makes before the first one.
    delay: usize,
}

impl Resample {
    /// Begins with sound of `rate` samples a second on each channel.
    ///
    /// # Errors
    ///
    /// Fails if that is no sound people have.
    pub(crate) fn new(rate: u32) -> Result<Self, MediaError> {
        Self::by(CHUNK, rate)
    }

    /// Begins with sound that comes as time goes by, and is resampled 20 ms at a time.
    ///
    /// # Errors
    ///
    /// Fails if that is no sound people have.
    pub(crate) fn live(rate: u32) -> Result<Self, MediaError> {
        Self::by(rate as usize / 50, rate)
    }

    fn by(chunk: usize, rate: u32) -> Result<Self, MediaError> {
        if !(4_000..=384_000).contains(&rate) {
            let what = format!("it has {rate} samples a second; 4000 to 384000 are played");
            return Err(MediaError::Sound(what));
        }
        if rate == SAMPLE_RATE {
            return Ok(Self { inner: None });
        }
        let (from, to) = (rate as usize, SAMPLE_RATE as usize);
        let resampler = Fft::<f32>::new(from, to, chunk, CHANNELS, FixedSync::Both)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            inner: Some(Inner {
                delay: resampler.output_delay(),
                resampler,
                rate,
                waiting: Vec::new(),
                taken: 0,
                given: 0,
            }),
        })
    }

    /// Returns how many seconds of what was taken have not been handed on.
    pub(crate) fn inside(&self) -> f64 {
        self.inner.as_ref().map_or(0.0, |inner| {
            let taken = inner.taken as f64 / f64::from(inner.rate);
            taken - inner.given as f64 / f64::from(SAMPLE_RATE)
        })
    }

    /// Takes stereo samples, left and right in turn.
    pub(crate) fn take(&mut self, samples: &[f32], to: &mut dyn Sink) -> Result<Flow, MediaError> {
        match &mut self.inner {
            None => to.take(samples),
            Some(inner) => inner.take(samples, to),
        }
    }

    /// Hands on what is inside.
    pub(crate) fn finish(self, to: &mut dyn Sink) -> Result<Flow, MediaError> {
        match self.inner {
            None => Ok(Flow::Continue(())),
            Some(inner) => inner.finish(to),
        }
    }
}

impl Inner {
    fn take(&mut self, samples: &[f32], to: &mut dyn Sink) -> Result<Flow, MediaError> {
        self.taken += (samples.len() / CHANNELS) as u64;
        for moment in samples.chunks_exact(CHANNELS) {
            self.waiting.extend_from_slice(moment);
            if self.waiting.len() == self.resampler.input_frames_next() * CHANNELS
                && self.step(u64::MAX, to)?.is_break()
            {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    /// Pushes out what is inside, with silence.
    fn finish(mut self, to: &mut dyn Sink) -> Result<Flow, MediaError> {
        let end = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        while self.given < end {
            let length = self.resampler.input_frames_next() * CHANNELS;
            self.waiting.resize(length, 0.0);
            if self.step(end, to)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    fn step(&mut self, end: u64, to: &mut dyn Sink) -> Result<Flow, MediaError> {
        let length = self.waiting.len() / CHANNELS;
        let input = InterleavedSlice::new(&self.waiting, CHANNELS, length)
            .map_err(|error| failed(&error))?;
        let output = self.resampler.process(&input, None);
        let output = output.map_err(|error| failed(&error))?.take_data();
        self.waiting.clear();
        let made = output.len() / CHANNELS;
        let late = self.delay.min(made);
        self.delay -= late;
        let wanted = usize::try_from(end - self.given).unwrap_or(usize::MAX);
        let last = made.min(late.saturating_add(wanted));
        self.given += (last - late) as u64;
        to.take(&output[late * CHANNELS..last * CHANNELS])
    }
}

fn failed(error: &dyn std::fmt::Display) -> MediaError {
    MediaError::Sound(format!("it cannot be resampled: {error}"))
}
