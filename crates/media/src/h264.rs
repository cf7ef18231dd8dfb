//! H.264, constrained baseline, by openh264.
#![expect(
    unsafe_code,
    reason = "a running encoder's bit rate, and its silence, are set by openh264's own interface"
)]

use std::fmt;
use std::ptr;
use std::time::Duration;

use bytes::Bytes;
use openh264::decoder::{DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, Profile, RateControlMode, UsageType,
    VuiConfig,
};
use openh264::formats::{YUVSlices, YUVSource};
use openh264::{OpenH264API, Timestamp};
use openh264_sys2::{
    ENCODER_OPTION_BITRATE, ENCODER_OPTION_TRACE_LEVEL, SBitrateInfo, SPATIAL_LAYER_ALL,
    WELS_LOG_QUIET,
};

use crate::codec::Codec;
use crate::error::MediaError;
use crate::picture::Picture;
use crate::video::{Encoded, VideoSettings};

/// Encodes pictures as they come, at most one frame for each.
pub(crate) struct H264Encoder {
    encoder: Encoder,
    settings: VideoSettings,
    /// Frames since the last key frame, that one included.
    since_key: u32,
    /// A key frame is due, and the last picture gave none.
    owes_key: bool,
}

impl fmt::Debug for H264Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H264Encoder({:?})", self.settings)
    }
}

impl H264Encoder {
    /// Makes a real-time encoder.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of range.
    pub(crate) fn new(settings: VideoSettings) -> Result<Self, MediaError> {
        settings.check(Codec::H264, None)?;
        let config = EncoderConfig::new()
            .profile(Profile::Baseline)
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(settings.bit_rate))
            .max_frame_rate(FrameRate::from_hz(settings.frame_rate as f32))
            // Every picture has a frame: what does not fit is coarser, and does not stand still.
            .skip_frames(false)
            // Key frames come when asked for or due, and not where openh264 sees a new scene.
            .scene_change_detect(false)
            .complexity(Complexity::Low)
            .num_threads(1)
            .vui(VuiConfig::bt601());
        let mut encoder =
            Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        // It is set up by its first picture, and would warn of it on our standard error.
        let mut level = WELS_LOG_QUIET;
        // SAFETY: this option may be set before that; it takes a pointer to an int, which is read during
        // the call alone.
        let code = unsafe {
            encoder
                .raw_api()
                .set_option(ENCODER_OPTION_TRACE_LEVEL, ptr::from_mut(&mut level).cast())
        };
        if code != 0 {
            return Err(refused(format!("openh264 cannot be silent: {code}")));
        }
        Ok(Self {
            encoder,
            settings,
            since_key: 0,
            owes_key: true,
        })
    }

    /// Encodes one picture, as a key frame if `key`; `None` where openh264 leaves it out to keep to
    /// its bit rate. Media times rise; the first frame is a key frame.
    ///
    /// # Errors
    ///
    /// Fails if the picture is of another size than the encoder.
    pub(crate) fn encode(
        &mut self,
        picture: &Picture,
        media_time: Duration,
        key: bool,
    ) -> Result<Option<Encoded>, MediaError> {
        self.settings.check(Codec::H264, Some(picture))?;
        self.owes_key |= key || self.since_key >= self.settings.key_interval;
        if self.owes_key && self.since_key > 0 {
            self.encoder.force_intra_frame();
        }
        let [y, u, v] = picture.planes();
        let [wide, half, other] = picture.strides();
        let size = (picture.width(), picture.height());
        let source = YUVSlices::new((y, u, v), size, (wide, half, other));
        let millis = u64::try_from(media_time.as_millis()).unwrap_or(u64::MAX >> 1);
        let stream = self
            .encoder
            .encode_at(&source, Timestamp::from_millis(millis.min(u64::MAX >> 1)))
            .map_err(failed)?;
        let bytes = Bytes::from(stream.to_vec());
        if bytes.is_empty() {
            return Ok(None);
        }
        let is_key = Codec::H264.is_key_frame(&bytes);
        if is_key {
            self.owes_key = false;
            self.since_key = 0;
        }
        self.since_key = self.since_key.saturating_add(1);
        Ok(Some(Encoded {
            bytes,
            media_time,
            is_key,
        }))
    }

    /// Sets the bit rate in bits a second, from the next picture on.
    ///
    /// # Errors
    ///
    /// Fails if it is out of range.
    pub(crate) fn set_bit_rate(&mut self, bit_rate: u32) -> Result<(), MediaError> {
        let settings = VideoSettings {
            bit_rate,
            ..self.settings
        };
        settings.check(Codec::H264, None)?;
        if self.since_key == 0 {
            // openh264 is set up by its first picture.
            *self = Self::new(settings)?;
            return Ok(());
        }
        self.settings = settings;
        let mut info = SBitrateInfo {
            iLayer: SPATIAL_LAYER_ALL,
            // Checked to be 50 Mbit/s at most.
            iBitrate: bit_rate as i32,
        };
        // SAFETY: the encoder is initialised, since it has given a frame; the option takes a
        // pointer to this struct, which is read during the call alone.
        let code = unsafe {
            self.encoder
                .raw_api()
                .set_option(ENCODER_OPTION_BITRATE, ptr::from_mut(&mut info).cast())
        };
        if code == 0 {
            Ok(())
        } else {
            Err(refused(format!(
                "openh264 refuses {bit_rate} bits a second: {code}"
            )))
        }
    }
}

/// Decodes access units in Annex B form into pictures.
pub(crate) struct H264Decoder {
    decoder: Decoder,
}

impl fmt::Debug for H264Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("H264Decoder")
    }
}

impl H264Decoder {
    /// Makes a decoder. `reorders` is for streams with B-frames: pictures then come in the order in
    /// which they are shown, and some frames later.
    ///
    /// # Errors
    ///
    /// Fails if openh264 cannot start one.
    pub(crate) fn new(reorders: bool) -> Result<Self, MediaError> {
        let flush = if reorders {
            Flush::NoFlush
        } else {
            Flush::Flush
        };
        let config = DecoderConfig::new().flush_after_decode(flush);
        let decoder =
            Decoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        Ok(Self { decoder })
    }

    /// Decodes one access unit.
    ///
    /// # Errors
    ///
    /// Fails on a malformed one, or one that needs another which was not decoded.
    pub(crate) fn decode(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        let decoded = self.decoder.decode(encoded).map_err(failed)?;
        Ok(decoded.as_ref().and_then(copy))
    }

    /// Returns the pictures that are still inside.
    ///
    /// # Errors
    ///
    /// Fails if openh264 does.
    pub(crate) fn finish(&mut self) -> Result<Vec<Picture>, MediaError> {
        let rest = self.decoder.flush_remaining().map_err(failed)?;
        Ok(rest.iter().filter_map(copy).collect())
    }
}

fn copy(decoded: &DecodedYUV<'_>) -> Option<Picture> {
    let (width, height) = decoded.dimensions();
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let strides = decoded.strides();
    let plane = |bytes: &[u8], stride: usize, width: usize, height: usize| {
        let mut plane = Vec::with_capacity(width * height);
        for row in bytes.chunks(stride.max(1)).take(height) {
            plane.extend_from_slice(row.get(..width)?);
        }
        Some(plane)
    };
    Picture::from_planes(
        width,
        height,
        [
            plane(decoded.y(), strides.0, width, height)?,
            plane(decoded.u(), strides.1, half_width, half_height)?,
            plane(decoded.v(), strides.2, half_width, half_height)?,
        ],
    )
}

fn failed(error: openh264::Error) -> MediaError {
    refused(error.to_string())
}

fn refused(reason: String) -> MediaError {
    MediaError::Coder {
        codec: Codec::H264,
        reason,
    }
}
