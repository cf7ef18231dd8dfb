//! Cutting, gain and fades.

use super::{CHANNELS, Flow, Sink, samples};
use crate::error::MediaError;
use crate::source::SourceOptions;

/// Lets through what lies between two moments.
pub(super) struct Trim<'a> {
    to: &'a mut dyn Sink,
    /// Samples on one channel still to be left out.
    skip: u64,
    /// Samples on one channel still to be let through, if there is an end.
    left: Option<u64>,
    has_begun: bool,
}

impl<'a> Trim<'a> {
    pub(super) fn new(options: &SourceOptions, to: &'a mut dyn Sink) -> Self {
        let start = samples(options.start);
        Self {
            to,
            skip: start,
            left: options.end.map(|end| samples(end) - start),
            has_begun: false,
        }
    }

    /// Tells whether anything was let through.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }
}

impl Sink for Trim<'_> {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        let count = (samples.len() / CHANNELS) as u64;
        let skipped = self.skip.min(count);
        self.skip -= skipped;
        let let_through = (count - skipped).min(self.left.unwrap_or(u64::MAX));
        let begin = skipped as usize * CHANNELS;
        let part = &samples[begin..begin + let_through as usize * CHANNELS];
        if part.is_empty() {
            return Ok(match self.left {
                Some(0) => Flow::Break(()),
                _ => Flow::Continue(()),
            });
        }
        self.has_begun = true;
        let flow = self.to.take(part)?;
        if let Some(left) = &mut self.left {
            *left -= let_through;
            if *left == 0 {
                return Ok(Flow::Break(()));
            }
        }
        Ok(flow)
    }
}

/// Makes sound louder or quieter, and lets it come and go.
pub(super) struct Shape<'a> {
    to: &'a mut dyn Sink,
    factor: f32,
    /// Samples on one channel of the two fades.
    fade_in: u64,
    fade_out: u64,
    /// Samples on one channel that have come.
    taken: u64,
    /// What may be the end: as much as fades out.
    held: Vec<f32>,
}

impl<'a> Shape<'a> {
    /// `gain` is in decibels.
    pub(super) fn new(options: &SourceOptions, gain: f64, to: &'a mut dyn Sink) -> Self {
        Self {
            to,
            factor: 10f64.powf(gain / 20.0) as f32,
            fade_in: samples(options.fade_in),
            fade_out: samples(options.fade_out),
            taken: 0,
            held: Vec::new(),
        }
    }
}

impl Sink for Shape<'_> {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        let begin = self.held.len();
        self.held.extend(samples.iter().map(|s| s * self.factor));
        for moment in self.held[begin..].chunks_exact_mut(CHANNELS) {
            if self.taken >= self.fade_in {
                break;
            }
            let weight = (self.taken as f64 / self.fade_in as f64) as f32;
            moment.iter_mut().for_each(|sample| *sample *= weight);
            self.taken += 1;
        }
        let waits = self.fade_out as usize * CHANNELS;
        // As much at a time as stays: what stays moves up each time.
        let ready = self.held.len().checked_sub(waits);
        let Some(ready) = ready.filter(|ready| *ready >= waits) else {
            return Ok(Flow::Continue(()));
        };
        let flow = self.to.take(&self.held[..ready])?;
        self.held.drain(..ready);
        Ok(flow)
    }

    fn end(&mut self) -> Result<(), MediaError> {
        let left = self.held.len() / CHANNELS;
        for (at, moment) in self.held.chunks_exact_mut(CHANNELS).enumerate() {
            let weight = (left - at) as f32 / left as f32;
            moment.iter_mut().for_each(|sample| *sample *= weight);
        }
        let _ = self.to.take(&self.held)?;
        self.held.clear();
        Ok(())
    }
}
