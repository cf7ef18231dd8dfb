//! AV1: small pictures by rav1e, in real time; and decoded by dav1d.

mod decode;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rav1e::config::SpeedSettings;
use rav1e::prelude::*;

pub(crate) use decode::Av1Decoder;

use crate::codec::Codec;
use crate::error::MediaError;
use crate::picture::Picture;
use crate::video::{Encoded, VideoSettings};

/// The most pixels rav1e encodes in real time on one core.
const MAX_PIXELS: usize = 640 * 360;

/// Threads of an encoder, and parts of its picture.
const THREADS: usize = 2;

/// Encodes pictures up to 640 × 360, the frame of each coming out with the picture [`HELD`] later.
///
/// [`HELD`]: Self::HELD
pub(crate) struct Av1Encoder {
    config: Config,
    context: Context<u8>,
    settings: VideoSettings,
    /// The pictures inside with their times, oldest first.
    inside: VecDeque<(Duration, Arc<Frame<u8>>)>,
    /// Whether the context has given no frame yet, so that its next one is a key frame.
    is_fresh: bool,
}

impl fmt::Debug for Av1Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Av1Encoder({:?})", self.settings)
    }
}

impl Av1Encoder {
    /// How many pictures are inside after each call of [`encode`](Self::encode), once it is full.
    ///
    /// rav1e decides where key frames go three pictures ahead and how to spend bits one more, with
    /// every setting; the only way to have less is to flush, after which it takes no more pictures.
    pub(crate) const HELD: usize = 4;

    /// Makes a real-time encoder.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of range, or the picture larger than 640 × 360.
    pub(crate) fn new(settings: VideoSettings) -> Result<Self, MediaError> {
        settings.check(Codec::Av1, None)?;
        if settings.width * settings.height > MAX_PIXELS {
            return Err(refused(format!(
                "{}x{} is too large to encode in real time: at most 640x360",
                settings.width, settings.height
            )));
        }
        let config = config(settings);
        Ok(Self {
            context: context(&config)?,
            config,
            settings,
            inside: VecDeque::new(),
            is_fresh: true,
        })
    }

    /// Takes in one picture; returns the frames that are ready, the first a key frame if `key`.
    ///
    /// rav1e makes no key frame of a picture that is inside already. So a fresh context, which begins
    /// with a key frame, takes over the pictures inside.
    ///
    /// # Errors
    ///
    /// Fails if the picture is of another size than the encoder.
    pub(crate) fn encode(
        &mut self,
        picture: &Picture,
        media_time: Duration,
        key: bool,
    ) -> Result<Vec<Encoded>, MediaError> {
        self.settings.check(Codec::Av1, Some(picture))?;
        if key && !self.is_fresh {
            self.renew()?;
        }
        let frame = Arc::new(padded(&self.context, picture, self.settings));
        send(&mut self.context, &frame)?;
        self.inside.push_back((media_time, frame));
        self.ready()
    }

    /// Sets the bit rate in bits a second, from the pictures inside on: the next frame is a key frame,
    /// since rav1e's rate is set once and for all.
    ///
    /// # Errors
    ///
    /// Fails if it is out of range.
    pub(crate) fn set_bit_rate(&mut self, bit_rate: u32) -> Result<(), MediaError> {
        let settings = VideoSettings {
            bit_rate,
            ..self.settings
        };
        settings.check(Codec::Av1, None)?;
        self.settings = settings;
        self.config = config(settings);
        self.renew()
    }

    /// Lets a fresh context take over the pictures inside.
    fn renew(&mut self) -> Result<(), MediaError> {
        self.context = context(&self.config)?;
        self.is_fresh = true;
        for (_, frame) in &self.inside {
            send(&mut self.context, frame)?;
        }
        Ok(())
    }

    /// Forgets the pictures inside; the next frame is a key frame, of the next picture.
    ///
    /// # Errors
    ///
    /// Fails if rav1e does.
    pub(crate) fn clear(&mut self) -> Result<(), MediaError> {
        if !self.inside.is_empty() {
            self.inside.clear();
            self.context = context(&self.config)?;
            self.is_fresh = true;
        }
        Ok(())
    }

    /// Returns the frames that are still inside.
    ///
    /// # Errors
    ///
    /// Fails if rav1e does.
    pub(crate) fn finish(mut self) -> Result<Vec<Encoded>, MediaError> {
        self.context.flush();
        self.ready()
    }

    fn ready(&mut self) -> Result<Vec<Encoded>, MediaError> {
        let mut ready = Vec::new();
        loop {
            match self.context.receive_packet() {
                Ok(packet) => {
                    let held = self.inside.pop_front();
                    let media_time = held.map_or(Duration::ZERO, |(time, _)| time);
                    self.is_fresh = false;
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

fn config(settings: VideoSettings) -> Config {
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
        // Halves, so that two cores share a key frame: rav1e encodes a context's first one twice.
        tiles: THREADS,
        speed_settings,
        ..EncoderConfig::with_speed_preset(10)
    };
    Config::new()
        .with_encoder_config(encoder)
        .with_threads(THREADS)
}

fn context(config: &Config) -> Result<Context<u8>, MediaError> {
    config
        .new_context()
        .map_err(|error| refused(error.to_string()))
}

/// Copies a picture into a frame that may be sent more than once: rav1e wants such a one padded.
fn padded(context: &Context<u8>, picture: &Picture, settings: VideoSettings) -> Frame<u8> {
    let mut frame = context.new_frame();
    for ((plane, pixels), stride) in frame
        .planes
        .iter_mut()
        .zip(picture.planes())
        .zip(picture.strides())
    {
        plane.copy_from_raw_u8(pixels, stride, 1);
        plane.pad(settings.width, settings.height);
    }
    frame
}

fn send(context: &mut Context<u8>, frame: &Arc<Frame<u8>>) -> Result<(), MediaError> {
    context
        .send_frame(Arc::clone(frame))
        .map_err(|status| refused(status.to_string()))
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
    use crate::video::tests::{check_key_frames, moving};

    const SMALL: VideoSettings = VideoSettings {
        width: 160,
        height: 96,
        frame_rate: 25,
        bit_rate: 150_000,
        key_interval: 40,
    };

    fn picture(n: u64) -> Picture {
        moving(160, 96, n as u32)
    }

    fn time(n: u64) -> Duration {
        SMALL.frame_duration() * n as u32
    }

    /// An encoder that was given its first pictures.
    fn filled() -> Av1Encoder {
        let mut encoder = Av1Encoder::new(SMALL).unwrap();
        for n in 0..Av1Encoder::HELD as u64 {
            assert!(
                encoder
                    .encode(&picture(n), time(n), n == 2)
                    .unwrap()
                    .is_empty()
            );
        }
        encoder
    }

    const REQUESTS: [u64; 4] = [11, 12, 14, 70];
    /// The requests, the first frame, and those due 40 frames after another.
    const KEYS: [u64; 6] = [0, 11, 12, 14, 54, 70];

    #[test]
    fn the_frame_after_a_request_is_a_key_frame() {
        let mut encoder = filled();
        let mut times = Vec::new();
        check_key_frames(&REQUESTS, &KEYS, |n, key| {
            let fed = n + Av1Encoder::HELD as u64;
            let frames = encoder.encode(&picture(fed), time(fed), key).unwrap();
            times.extend(frames.iter().map(|frame| frame.media_time));
            let size = frames[0].is_key.then_some((160, 96));
            assert_eq!(Codec::Av1.dimensions(&frames[0].bytes), size, "{n}");
            frames.iter().map(|frame| frame.is_key).collect()
        })
        .unwrap();
        let rest = encoder.finish().unwrap();
        assert_eq!(rest.len(), Av1Encoder::HELD);
        times.extend(rest.iter().map(|frame| frame.media_time));
        assert!(times.into_iter().eq((0..104).map(time)), "none is missing");
    }

    #[test]
    fn a_picture_made_a_key_frame_by_rav1e_would_be_late() {
        // The control of the test above: the request goes with the picture, as rav1e has it.
        let mut encoder = filled();
        let wrong = check_key_frames(&REQUESTS, &KEYS, |n, key| {
            let frame = padded(&encoder.context, &picture(n + 4), SMALL);
            let frame_type_override = if key {
                FrameTypeOverride::Key
            } else {
                FrameTypeOverride::No
            };
            let parameters = FrameParameters {
                frame_type_override,
                ..Default::default()
            };
            encoder.context.send_frame((frame, parameters)).unwrap();
            let frames = encoder.ready().unwrap();
            frames.iter().map(|frame| frame.is_key).collect()
        });
        assert!(wrong.unwrap_err().starts_with("step 11"));
    }

    #[test]
    fn all_contexts_have_the_same_sequence_header() {
        let mut encoder = filled();
        let keys: Vec<Encoded> = (4..60)
            .flat_map(|n| encoder.encode(&picture(n), time(n), n % 13 == 0).unwrap())
            .filter(|frame| frame.is_key)
            .collect();
        assert_eq!(keys.len(), 5);
        // Temporal delimiter, then the sequence header with its size in one byte.
        let header = |frame: &Encoded| frame.bytes[2..4 + usize::from(frame.bytes[3])].to_vec();
        assert_eq!(keys[0].bytes[..3], [0x12, 0, 0x0a]);
        assert!(keys.iter().all(|key| header(key) == header(&keys[0])));
    }

    #[test]
    fn cleared_it_begins_anew() {
        let mut encoder = filled();
        encoder.clear().unwrap();
        let frames: Vec<Encoded> = (50..58)
            .flat_map(|n| encoder.encode(&picture(n), time(n), false).unwrap())
            .collect();
        assert_eq!((frames[0].media_time, frames[0].is_key), (time(50), true));
        assert_eq!(frames.len(), 4);
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
