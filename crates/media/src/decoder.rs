//! From encoded frames to pictures, in any of the video codecs.

use crate::av1::Av1Decoder;
use crate::codec::Codec;
use crate::error::MediaError;
use crate::h264::H264Decoder;
use crate::payload;
use crate::picture::Picture;
use crate::vpx::VpxDecoder;

/// The most pixels of a picture that is decoded: twice those of 4K. What a stranger's header says
/// must not decide how much memory we take.
pub(crate) const MAX_PIXELS: u32 = 4096 * 4096;

/// A decoder of one of the video codecs.
#[derive(Debug)]
pub struct VideoDecoder {
    codec: Codec,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Vpx(VpxDecoder),
    H264(H264Decoder),
    Av1(Av1Decoder),
}

impl VideoDecoder {
    /// Makes a decoder that gives each frame's picture at once, as WebRTC's streams have it.
    ///
    /// # Errors
    ///
    /// Fails for a codec of sound, or if the codec's library does.
    pub fn new(codec: Codec) -> Result<Self, MediaError> {
        Self::with_order(codec, false)
    }

    /// Makes a decoder for streams with B-frames, as files may have them: pictures come in the order
    /// in which they are shown, which is that of their times, and some frames late. At the end
    /// [`finish`](Self::finish) gives the last ones.
    ///
    /// # Errors
    ///
    /// Fails as [`new`](Self::new) does.
    pub fn reordering(codec: Codec) -> Result<Self, MediaError> {
        Self::with_order(codec, true)
    }

    fn with_order(codec: Codec, reorders: bool) -> Result<Self, MediaError> {
        let inner = match codec {
            Codec::Vp8 | Codec::Vp9 => Inner::Vpx(VpxDecoder::new(codec)?),
            Codec::H264 => Inner::H264(H264Decoder::new(reorders)?),
            Codec::Av1 => Inner::Av1(Av1Decoder::new()?),
            Codec::Opus => {
                return Err(MediaError::Coder {
                    codec,
                    reason: "is no codec for pictures".into(),
                });
            }
        };
        Ok(Self { codec, inner })
    }

    /// Returns the codec of what it decodes.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Decodes one frame; one that is not to be shown, or not yet, gives no picture.
    ///
    /// # Errors
    ///
    /// Fails on a malformed frame, one that needs another which was not decoded, a picture that is
    /// not 8-bit 4:2:0, and one of more than 4096 × 4096 pixels. The next key frame starts anew.
    pub fn decode(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        if encoded.is_empty() {
            return Err(MediaError::Coder {
                codec: self.codec,
                reason: "an empty frame".into(),
            });
        }
        if let Some((width, height)) = largest(self.codec, encoded)
            && u64::from(width) * u64::from(height) > u64::from(MAX_PIXELS)
        {
            return Err(MediaError::Coder {
                codec: self.codec,
                reason: format!("a picture of {width}x{height} is not decoded: it is too large"),
            });
        }
        match &mut self.inner {
            Inner::Vpx(decoder) => decoder.decode(encoded),
            Inner::H264(decoder) => decoder.decode(encoded),
            Inner::Av1(decoder) => decoder.decode(encoded),
        }
    }

    /// Returns the pictures that are still inside.
    ///
    /// # Errors
    ///
    /// Fails if the codec's library does.
    pub fn finish(mut self) -> Result<Vec<Picture>, MediaError> {
        match &mut self.inner {
            Inner::H264(decoder) => decoder.finish(),
            Inner::Vpx(_) | Inner::Av1(_) => Ok(Vec::new()),
        }
    }
}

/// Returns the largest size that is stated anywhere in an encoded frame.
fn largest(codec: Codec, encoded: &[u8]) -> Option<(u32, u32)> {
    match codec {
        Codec::Opus => None,
        Codec::Vp8 => payload::vp8::dimensions(encoded),
        Codec::Vp9 => payload::vp9::largest(encoded),
        Codec::H264 => payload::h264::largest(encoded),
        // dav1d is told the limit.
        Codec::Av1 => None,
    }
}

#[cfg(test)]
mod tests;
