//! How loud what comes is, from packets as they come: a level needs them neither in order nor complete.

use std::sync::{Arc, Mutex, PoisonError};

use media::{Heard, OpusDecoder};

/// Sound is decoded at this rate: voices have little above 8 kHz, and less of it costs less.
const RATE: u32 = 16_000;

/// What was heard so far in all streams of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Level(Arc<Mutex<Heard>>);

impl Level {
    /// Returns the sums so far; of speech there are none.
    pub(crate) fn heard(&self) -> Heard {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to measure one stream; nothing where there is no decoder for it.
    pub(crate) fn meter(&self) -> Option<LevelMeter> {
        Some(LevelMeter {
            decoder: OpusDecoder::at_rate(RATE, 1).ok()?,
            level: self.clone(),
        })
    }
}

/// Measures one stream.
#[derive(Debug)]
pub(crate) struct LevelMeter {
    decoder: OpusDecoder,
    level: Level,
}

impl LevelMeter {
    /// Takes a packet in.
    pub(crate) fn packet(&mut self, payload: &[u8]) {
        // What is malformed is as loud as nothing.
        let Ok(samples) = self.decoder.decode(payload) else {
            return;
        };
        let rate = f64::from(RATE);
        let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        let heard = &self.level.0;
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.energy += energy / rate;
        heard.seconds += samples.len() as f64 / rate;
    }
}

#[cfg(test)]
mod tests {
    use media::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET, dbov};

    use super::*;

    /// Returns the level of a second of a tone with this peak.
    fn measured(peak: f32) -> f64 {
        let mut encoder = OpusEncoder::new(OpusSettings::default()).expect("good settings");
        let level = Level::default();
        let mut meter = level.meter().expect("a decoder");
        for packet in 0..50 {
            let tone: Vec<f32> = (0..SAMPLES_PER_PACKET)
                .map(|n| (packet * SAMPLES_PER_PACKET + n) as f32 / SAMPLE_RATE as f32)
                .map(|time| peak * (440.0 * time * std::f32::consts::TAU).sin())
                .collect();
            meter.packet(&encoder.encode(&tone).expect("a packet"));
        }
        meter.packet(&[]);
        let heard = level.heard();
        assert!((heard.seconds - 1.0).abs() < 0.01, "{heard:?}");
        dbov(heard.level_since(&Heard::default()))
    }

    #[test]
    fn a_tone_is_as_loud_as_it_is() {
        // The root of the mean square of a sine is 3 dB below its peak.
        for (peak, level) in [(0.5, -9.0), (0.05, -29.0)] {
            let measured = measured(peak);
            assert!((measured - level).abs() < 1.5, "{measured} for {peak}");
        }
        assert!(measured(0.0) < -80.0);
    }
}
