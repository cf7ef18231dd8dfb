//! AV1 by dav1d.

use std::fmt;

use dav1d::{Decoder, Error, PixelLayout, PlanarImageComponent, Settings};

use super::refused;
use crate::decoder::MAX_PIXELS;
use crate::error::MediaError;
use crate::picture::Picture;

/// Decodes temporal units into pictures.
pub(crate) struct Av1Decoder {
    decoder: Decoder,
}

impl fmt::Debug for Av1Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Av1Decoder")
    }
}

impl Av1Decoder {
    /// Makes a decoder that works in the thread of its caller.
    ///
    /// # Errors
    ///
    /// Fails if dav1d cannot start one.
    pub(crate) fn new() -> Result<Self, MediaError> {
        let mut settings = Settings::new();
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_all_layers(false);
        settings.set_frame_size_limit(MAX_PIXELS);
        let decoder = Decoder::with_settings(&settings).map_err(failed)?;
        Ok(Self { decoder })
    }

    /// Decodes one temporal unit, which is not empty; one that is not to be shown gives no picture.
    ///
    /// # Errors
    ///
    /// Fails on a malformed unit, or one that needs another which was not decoded.
    pub(crate) fn decode(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        let decoded = self.picture(encoded);
        if decoded.is_err() {
            // With whatever was left of the unit, which must not stand before the next one.
            self.decoder.flush();
        }
        decoded
    }

    fn picture(&mut self, encoded: &[u8]) -> Result<Option<Picture>, MediaError> {
        let mut sent = self.decoder.send_data(encoded.to_vec(), None, None, None);
        let mut picture = None;
        loop {
            let taken = match self.decoder.get_picture() {
                Ok(decoded) => Some(copy(&decoded).ok_or_else(not_ours)?),
                Err(Error::Again) => None,
                Err(error) => return Err(failed(error)),
            };
            let is_empty = taken.is_none();
            picture = taken.or(picture);
            match sent {
                Ok(()) if is_empty => return Ok(picture),
                Ok(()) => {}
                Err(Error::Again) if is_empty => {
                    return Err(refused("not a frame that can be decoded".into()));
                }
                Err(Error::Again) => sent = self.decoder.send_pending_data(),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Copies a decoded picture, if it is 8-bit 4:2:0.
fn copy(decoded: &dav1d::Picture) -> Option<Picture> {
    if decoded.bit_depth() != 8 || decoded.pixel_layout() != PixelLayout::I420 {
        return None;
    }
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let plane = |component, width: usize, height: usize| {
        let stride = decoded.stride(component) as usize;
        let plane = decoded.plane(component);
        let mut bytes = Vec::with_capacity(width * height);
        for row in plane.chunks(stride.max(1)).take(height) {
            bytes.extend_from_slice(row.get(..width)?);
        }
        Some(bytes)
    };
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    Picture::from_planes(
        width,
        height,
        [
            plane(PlanarImageComponent::Y, width, height)?,
            plane(PlanarImageComponent::U, half_width, half_height)?,
            plane(PlanarImageComponent::V, half_width, half_height)?,
        ],
    )
}

fn not_ours() -> MediaError {
    refused("pictures that are not 8-bit 4:2:0".into())
}

fn failed(error: Error) -> MediaError {
    refused(format!("not a frame that can be decoded ({error})"))
}
