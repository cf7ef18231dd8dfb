//! How loud sound is, and how much louder or quieter it must be made (EBU R 128, ITU-R BS.1770).

use ebur128::{EbuR128, Mode};

use super::{CHANNELS, Flow, Sink, pour_cut};
use crate::error::MediaError;
use crate::opus::SAMPLE_RATE;
use crate::source::SourceSpec;

/// No normalisation lets the sound come nearer to full scale than this, in dBTP (EBU R 128).
const HIGHEST_PEAK: f64 = -1.0;

/// Returns by how many decibels a source is made louder: by what its options say, and by what its
/// loudness then lacks.
pub(super) fn gain(spec: &SourceSpec, channels: u8) -> Result<f64, MediaError> {
    let gain = spec.options.gain.unwrap_or_default();
    let Some(target) = spec.options.loudness else {
        return Ok(gain);
    };
    let measured = measure(spec, channels)?;
    let Some(loudness) = measured.loudness else {
        tracing::info!(source = %spec, "too short or too quiet for its loudness to be measured");
        return Ok(gain);
    };
    let wanted = target - loudness;
    let normalised = wanted.min(HIGHEST_PEAK - measured.peak);
    tracing::info!(
        source = %spec,
        "loudness {loudness:.1} LUFS, true peak {:.1} dBTP: {normalised:+.1} dB",
        measured.peak
    );
    if normalised < wanted {
        tracing::warn!(
            source = %spec,
            "{target} LUFS would take its peaks above {HIGHEST_PEAK} dBTP: it stays {:.1} LU below",
            wanted - normalised
        );
    }
    Ok(gain + normalised)
}

/// How loud a sound is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loudness {
    /// Integrated loudness in LUFS; `None` where nothing passed the gates.
    pub(crate) loudness: Option<f64>,
    /// True peak in dBTP.
    pub(crate) peak: f64,
}

/// Measures how loud a source is that ends, in one channel or two, before its options change that.
pub(crate) fn measure(spec: &SourceSpec, channels: u8) -> Result<Loudness, MediaError> {
    let mut meter = Meter::new(channels)?;
    pour_cut(spec, channels, &mut meter)?;
    meter.finish()
}

/// Measures what it is given, as it sounds in one channel or two.
pub(crate) struct Meter {
    meter: EbuR128,
    channels: u8,
    mono: Vec<f32>,
}

impl Meter {
    pub(crate) fn new(channels: u8) -> Result<Self, MediaError> {
        let mode = Mode::I | Mode::TRUE_PEAK;
        Ok(Self {
            meter: EbuR128::new(channels.into(), SAMPLE_RATE, mode).map_err(failed)?,
            channels,
            mono: Vec::new(),
        })
    }

    pub(crate) fn finish(self) -> Result<Loudness, MediaError> {
        let loudness = self.meter.loudness_global().map_err(failed)?;
        let mut peak = 0.0f64;
        for channel in 0..self.channels.into() {
            peak = peak.max(self.meter.true_peak(channel).map_err(failed)?);
        }
        Ok(Loudness {
            loudness: loudness.is_finite().then_some(loudness),
            peak: 20.0 * peak.max(1e-9).log10(),
        })
    }
}

impl Sink for Meter {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        let added = if self.channels == 1 {
            self.mono.clear();
            let means = samples.chunks_exact(CHANNELS).map(|m| (m[0] + m[1]) / 2.0);
            self.mono.extend(means);
            self.meter.add_frames_f32(&self.mono)
        } else {
            self.meter.add_frames_f32(samples)
        };
        added.map_err(failed)?;
        Ok(Flow::Continue(()))
    }
}

fn failed(error: ebur128::Error) -> MediaError {
    MediaError::Sound(format!("its loudness cannot be measured: {error}"))
}
