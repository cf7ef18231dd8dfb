//! Opus for the listeners: one encoder for everyone who does not speak, one for each who does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{Codec, Frame, MediaError, OpusEncoder, OpusSettings};

use super::mixer::{Pcm, TICK_SAMPLES};

/// What one tick lasts.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// After a sound so many ticks are encoded to the end, then silence is no longer encoded at all.
const TAIL_TICKS: u32 = 5;

/// Encodes one mix, tick by tick.
pub(super) struct MixEncoder {
    encoder: OpusEncoder,
    silent_ticks: u32,
    silence: Arc<Frame>,
}

impl MixEncoder {
    /// Makes an encoder.
    ///
    /// # Errors
    ///
    /// Fails if libopus does.
    pub(super) fn new() -> Result<Self, MediaError> {
        Ok(Self {
            encoder: OpusEncoder::new(OpusSettings::default())?,
            silent_ticks: TAIL_TICKS,
            // A track is never empty.
            silence: Arc::clone(&media::silence().frames[0]),
        })
    }

    /// Returns 20 ms of silence.
    pub(super) fn silence(&self) -> Arc<Frame> {
        Arc::clone(&self.silence)
    }

    /// Encodes 20 ms, or silence.
    pub(super) fn encode(&mut self, mix: Option<&Pcm>) -> Arc<Frame> {
        self.silent_ticks = if mix.is_some() {
            0
        } else {
            self.silent_ticks.saturating_add(1)
        };
        if self.silent_ticks > TAIL_TICKS {
            return Arc::clone(&self.silence);
        }
        let mut samples = [0.0; TICK_SAMPLES];
        for (sample, pcm) in samples.iter_mut().zip(mix.into_iter().flatten()) {
            *sample = f32::from(*pcm) / 32_768.0;
        }
        match self.encoder.encode(&samples) {
            Ok(packet) => Arc::new(frame(packet)),
            // libopus refuses nothing of this size; if it did, silence is the honest answer.
            Err(_) => Arc::clone(&self.silence),
        }
    }
}

fn frame(packet: Bytes) -> Frame {
    Frame {
        codec: Codec::Opus,
        payloads: vec![packet],
        media_time: Duration::ZERO,
        duration: TICK,
        is_key: true,
        promise: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_one_shared_frame_and_sound_ends_before_it() {
        let mut encoder = MixEncoder::new().expect("libopus encodes");
        let silence = encoder.encode(None);
        assert!(Arc::ptr_eq(&silence, &encoder.encode(None)));
        assert!(!Arc::ptr_eq(
            &silence,
            &encoder.encode(Some(&[1_000; TICK_SAMPLES]))
        ));
        for _ in 0..TAIL_TICKS {
            assert!(
                !Arc::ptr_eq(&silence, &encoder.encode(None)),
                "the tail is encoded"
            );
        }
        assert!(Arc::ptr_eq(&silence, &encoder.encode(None)));
    }
}
