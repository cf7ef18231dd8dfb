//! AV1 by rav1e: small pictures, in real time.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use rav1e::config::SpeedSettings;
use rav1e::prelude::*;

use crate::codec::Codec;
use crate::error::MediaError;
use crate::picture::Picture;
use crate::video::{Encoded, VideoSettings};

/// The most pixels rav1e encodes in real time on one core.
const MAX_PIXELS: usize = 640 * 360;

/// Encodes pictures up to 640 × 360. rav1e looks ahead, so a frame comes some pictures after its own.
pub struct Av1Encoder {
    context: Context<u8>,
    settings: VideoSettings,
    /// Times of the pictures inside, oldest first.
    times: VecDeque<Duration>,
}

impl fmt::Debug for Av1Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Av1Encoder({:?})", self.settings)
    }
}

impl Av1Encoder {
    /// Makes a real-time encoder.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of range, or the picture larger than 640 × 360.
    pub fn new(settings: VideoSettings) -> Result<Self, MediaError> {
        settings.check(Codec::Av1, None)?;
        if settings.width * settings.height > MAX_PIXELS {
            return Err(refused(format!(
                "{}x{} is too large to encode in real time: at most 640x360",
                settings.width, settings.height
            )));
        }
        let mut speed_settings = SpeedSettings::from_preset(10);
        speed_settings.rdo_lookahead_frames = 1;
        speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
        let encoder = EncoderConfig {
            width: settings.width,
            height: settings.height,
            time_base: Rational::new(1, settings.frame_rate.into()),
            chroma_sampling: ChromaSampling::Cs420,
            min_key_frame_interval: 0,
            max_key_frame_interval: settings.key_interval.into(),
            low_latency: true,
            bitrate: i32::try_from(settings.bit_rate).unwrap_or(i32::MAX),
            speed_settings,
            ..EncoderConfig::with_speed_preset(10)
        };
        let context = Config::new()
            .with_encoder_config(encoder)
            .with_threads(1)
            .new_context()
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            context,
            settings,
            times: VecDeque::new(),
        })
    }

    /// Takes in one picture, to be a key frame if `key`; returns the frames that are ready.
    ///
    /// # Errors
    ///
    /// Fails if the picture is of another size than the encoder.
    pub fn encode(
        &mut self,
        picture: &Picture,
        media_time: Duration,
        key: bool,
    ) -> Result<Vec<Encoded>, MediaError> {
        self.settings.check(Codec::Av1, Some(picture))?;
        let mut frame = self.context.new_frame();
        for ((plane, pixels), stride) in frame
            .planes
            .iter_mut()
            .zip(picture.planes())
            .zip(picture.strides())
        {
            plane.copy_from_raw_u8(pixels, stride, 1);
        }
        let parameters = FrameParameters {
            frame_type_override: if key {
                FrameTypeOverride::Key
            } else {
                FrameTypeOverride::No
            },
            ..Default::default()
        };
        self.context
            .send_frame((frame, parameters))
            .map_err(|status| refused(status.to_string()))?;
        self.times.push_back(media_time);
        self.ready()
    }

    /// Returns the frames that are still inside.
    ///
    /// # Errors
    ///
    /// Fails if rav1e does.
    pub fn finish(mut self) -> Result<Vec<Encoded>, MediaError> {
        self.context.flush();
        self.ready()
    }

    fn ready(&mut self) -> Result<Vec<Encoded>, MediaError> {
        let mut ready = Vec::new();
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    let media_time = self.times.pop_front().unwrap_or_default();
                    ready.push(Encoded {
                        is_key: Codec::Av1.is_key_frame(&packet.data),
                        bytes: Bytes::from(packet.data),
                        media_time,
                    });
                }
                Err(EncoderStatus::Encoded) => {}
                Err(EncoderStatus::NeedMoreData | EncoderStatus::LimitReached) => return Ok(ready),
                Err(status) => return Err(refused(status.to_string())),
            }
        }
    }
}

fn refused(reason: String) -> MediaError {
    MediaError::Coder {
        codec: Codec::Av1,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::tests::moving;

    #[test]
    fn key_frames_come_when_asked_for() {
        let settings = VideoSettings {
            width: 160,
            height: 96,
            bit_rate: 150_000,
            ..Default::default()
        };
        let mut encoder = Av1Encoder::new(settings).unwrap();
        let mut frames = Vec::new();
        let mut lag = 0;
        for n in 0..20u32 {
            let time = settings.frame_duration() * n;
            frames.extend(encoder.encode(&moving(160, 96, n), time, n == 11).unwrap());
            lag = lag.max(n as usize + 1 - frames.len());
        }
        assert!(lag <= 4, "{lag} frames inside");
        frames.extend(encoder.finish().unwrap());
        assert_eq!(frames.len(), 20);
        for (n, frame) in (0u32..).zip(&frames) {
            assert_eq!(frame.media_time, settings.frame_duration() * n);
            assert_eq!(frame.is_key, n == 0 || n == 11, "{n}");
        }
        assert_eq!(Codec::Av1.dimensions(&frames[11].bytes), Some((160, 96)));
        assert_eq!(Codec::Av1.dimensions(&frames[12].bytes), None);
    }

    #[test]
    fn too_large_a_picture_is_refused() {
        let settings = VideoSettings {
            width: 1280,
            height: 720,
            ..Default::default()
        };
        let error = Av1Encoder::new(settings).unwrap_err().to_string();
        assert!(error.contains("640x360"), "{error}");
    }
}
