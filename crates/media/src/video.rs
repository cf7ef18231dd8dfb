//! What the video encoders have in common.

use std::time::Duration;

use bytes::Bytes;

use crate::av1::Av1Encoder;
use crate::codec::Codec;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::h264::H264Encoder;
use crate::picture::Picture;
use crate::vpx::VpxEncoder;

/// How pictures are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoSettings {
    /// Pixels in a row; even.
    pub width: usize,
    /// Rows; even.
    pub height: usize,
    /// Pictures a second.
    pub frame_rate: u32,
    /// Bits a second.
    pub bit_rate: u32,
    /// The most frames from one key frame to the next.
    pub key_interval: u32,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self {
            width: 640,
            height: 360,
            frame_rate: 25,
            bit_rate: 600_000,
            key_interval: 250,
        }
    }
}

impl VideoSettings {
    /// Checks what all encoders ask for.
    pub(crate) fn check(&self, codec: Codec, picture: Option<&Picture>) -> Result<(), MediaError> {
        let refuse = |reason: String| Err(MediaError::Coder { codec, reason });
        let (width, height) = (self.width, self.height);
        if width == 0
            || height == 0
            || width % 2 != 0
            || height % 2 != 0
            || width.max(height) > 4096
        {
            return refuse(format!("{width}x{height} is not an even size up to 4096"));
        }
        if !(1..=120).contains(&self.frame_rate) || !(10_000..=50_000_000).contains(&self.bit_rate)
        {
            return refuse(format!(
                "{} frames and {} bits a second are out of range",
                self.frame_rate, self.bit_rate
            ));
        }
        if let Some(picture) = picture
            && (picture.width(), picture.height()) != (width, height)
        {
            return refuse(format!("a {picture:?} for an encoder of {width}x{height}"));
        }
        Ok(())
    }

    /// Returns how long one picture shows.
    pub fn frame_duration(&self) -> Duration {
        Duration::from_secs(1) / self.frame_rate.max(1)
    }
}

/// One encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The encoded frame.
    pub bytes: Bytes,
    /// The time that was given with its picture.
    pub media_time: Duration,
    /// Whether a decoder can start here.
    pub is_key: bool,
}

/// An encoder in one of the video codecs; its first frame is a key frame.
#[derive(Debug)]
pub struct VideoEncoder {
    codec: Codec,
    settings: VideoSettings,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Vpx(Box<VpxEncoder>),
    H264(Box<H264Encoder>),
    Av1(Box<Av1Encoder>),
}

impl Inner {
    fn new(codec: Codec, settings: VideoSettings) -> Result<Self, MediaError> {
        Ok(match codec {
            Codec::Vp8 | Codec::Vp9 => Self::Vpx(Box::new(VpxEncoder::new(codec, settings)?)),
            Codec::H264 => Self::H264(Box::new(H264Encoder::new(settings)?)),
            Codec::Av1 => Self::Av1(Box::new(Av1Encoder::new(settings)?)),
            Codec::Opus => {
                return Err(MediaError::Coder {
                    codec,
                    reason: "is no codec for pictures".into(),
                });
            }
        })
    }
}

impl VideoEncoder {
    /// Makes a real-time encoder.
    ///
    /// # Errors
    ///
    /// Fails for a codec of sound, if a setting is out of range, and for AV1 above 640 × 360.
    pub fn new(codec: Codec, settings: VideoSettings) -> Result<Self, MediaError> {
        Ok(Self {
            codec,
            settings,
            inner: Inner::new(codec, settings)?,
        })
    }

    /// Returns the codec of its frames.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns how it encodes.
    pub fn settings(&self) -> VideoSettings {
        self.settings
    }

    /// Returns how many pictures later a frame comes out.
    pub fn held(&self) -> u64 {
        match &self.inner {
            Inner::Vpx(_) | Inner::H264(_) => 0,
            Inner::Av1(_) => Av1Encoder::HELD as u64,
        }
    }

    /// Takes in a picture; returns the frames that are ready, the first a key frame if `key`.
    /// Media times rise.
    ///
    /// There may be none: AV1 holds pictures back, and H.264 may leave one out to keep its bit rate;
    /// the key frame is then owed.
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
        match &mut self.inner {
            Inner::Vpx(encoder) => encoder.encode(picture, media_time, key).map(|e| vec![e]),
            Inner::H264(encoder) => {
                let encoded = encoder.encode(picture, media_time, key)?;
                Ok(encoded.into_iter().collect())
            }
            Inner::Av1(encoder) => encoder.encode(picture, media_time, key),
        }
    }

    /// Sets the bit rate in bits a second, from the next picture on. AV1 begins anew for it, with a
    /// key frame.
    ///
    /// # Errors
    ///
    /// Fails if it is out of range; the encoder goes on as before.
    pub fn set_bit_rate(&mut self, bit_rate: u32) -> Result<(), MediaError> {
        match &mut self.inner {
            Inner::Vpx(encoder) => encoder.set_bit_rate(bit_rate)?,
            Inner::H264(encoder) => encoder.set_bit_rate(bit_rate)?,
            Inner::Av1(encoder) => encoder.set_bit_rate(bit_rate)?,
        }
        self.settings.bit_rate = bit_rate;
        Ok(())
    }

    /// Takes other settings from the next picture on. With another size, frame rate or distance of
    /// key frames it begins anew, with a key frame; pictures inside are forgotten.
    ///
    /// # Errors
    ///
    /// Fails if a setting is out of range; the encoder goes on as before.
    pub fn reconfigure(&mut self, settings: VideoSettings) -> Result<(), MediaError> {
        let same_but_rate = VideoSettings {
            bit_rate: self.settings.bit_rate,
            ..settings
        } == self.settings;
        if settings == self.settings {
            return Ok(());
        }
        if same_but_rate {
            return self.set_bit_rate(settings.bit_rate);
        }
        self.inner = Inner::new(self.codec, settings)?;
        self.settings = settings;
        Ok(())
    }

    /// Forgets the pictures inside, if any.
    ///
    /// # Errors
    ///
    /// Fails if the encoder's library does.
    pub fn clear(&mut self) -> Result<(), MediaError> {
        match &mut self.inner {
            Inner::Vpx(_) | Inner::H264(_) => Ok(()),
            Inner::Av1(encoder) => encoder.clear(),
        }
    }

    /// Returns what is still inside.
    ///
    /// # Errors
    ///
    /// Fails if the encoder's library does.
    pub fn finish(self) -> Result<Vec<Encoded>, MediaError> {
        match self.inner {
            Inner::Vpx(_) | Inner::H264(_) => Ok(Vec::new()),
            Inner::Av1(encoder) => encoder.finish(),
        }
    }
}

impl Encoded {
    /// Cuts it into payloads; it plays for `duration`.
    ///
    /// # Errors
    ///
    /// Fails if it is no frame of this codec.
    pub fn packetize(self, codec: Codec, duration: Duration) -> Result<Frame, MediaError> {
        Ok(Frame::packetize(
            codec,
            self.bytes,
            self.media_time,
            duration,
            self.is_key,
        )?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A picture with a pattern and a bright square that moves with `n`.
    pub(crate) fn moving(width: usize, height: usize, n: u32) -> Picture {
        let mut picture = Picture::filled(width, height, [60, 128, 128]);
        for column in 0..8 {
            let luma = 40 + 20 * column as u8;
            picture.fill(
                column * width / 8,
                0,
                width / 8,
                height / 2,
                [luma, 110, 150],
            );
        }
        let at = n as usize * 4 % (width / 2);
        picture.fill(at, height / 4, width / 3, height / 2, [220, 90, 140]);
        picture
    }

    /// Peak signal-to-noise ratio of luma, in dB.
    pub(crate) fn psnr(a: &Picture, b: &Picture) -> f64 {
        let squares = a
            .luma()
            .iter()
            .zip(b.luma())
            .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        let mean = squares.sum::<f64>() / a.luma().len() as f64;
        10.0 * (255.0f64.powi(2) / mean.max(1e-9)).log10()
    }

    /// Takes 100 steps of an encoder that gives a frame a step, with a key frame asked for before
    /// each of `requests`, and checks that the frames of the steps `keys` alone are key frames.
    pub(crate) fn check_key_frames(
        requests: &[u64],
        keys: &[u64],
        mut step: impl FnMut(u64, bool) -> Vec<bool>,
    ) -> Result<(), String> {
        for n in 0..100 {
            let given = step(n, requests.contains(&n));
            if given != [keys.contains(&n)] {
                return Err(format!(
                    "step {n}: frames {given:?}, keys expected {keys:?}"
                ));
            }
        }
        Ok(())
    }
}
