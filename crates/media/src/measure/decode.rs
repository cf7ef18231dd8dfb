//! Tracks decoded into what a person would hear and see, each part at its time.

use std::time::Duration;

use crate::{Codec, Kind, MediaError, OpusDecoder, SAMPLE_RATE, Track, Vp8Decoder};

use super::picture::Pictures;
use super::ssim::Luma;

/// A gap shorter than this is a clock rounded by a file format, not something missing.
const LEAST_GAP: Duration = Duration::from_millis(15);

/// Returns what `track` sounds like: mono, 48 kHz, silent where nothing came.
///
/// # Errors
/// When the track is none of Opus. A packet that makes no sense is a gap.
pub fn sound(track: &Track) -> Result<Vec<f32>, MediaError> {
    if track.codec.kind() != Kind::Audio {
        return Err(not_measured(track.codec));
    }
    let mut decoder = OpusDecoder::new(1)?;
    let mut pcm = Vec::new();
    for frame in &track.frames {
        let at = samples(frame.media_time);
        if at > pcm.len() + samples(LEAST_GAP) {
            pcm.resize(at, 0.0);
        }
        if let Some(samples) = frame
            .encoded()
            .ok()
            .as_deref()
            .and_then(|packet| decoder.decode(packet).ok())
        {
            pcm.extend_from_slice(samples);
        }
    }
    Ok(pcm)
}

/// Returns what `track` looks like: pictures of `size`, or of the size of its first one.
///
/// # Errors
/// When the track is none of VP8. A frame that cannot be decoded shows nothing.
pub fn pictures(track: &Track, size: Option<(usize, usize)>) -> Result<Pictures, MediaError> {
    if track.codec != Codec::Vp8 {
        return Err(not_measured(track.codec));
    }
    let mut decoder = Vp8Decoder::new()?;
    let mut pictures = size.map(|(width, height)| Pictures::new(width, height));
    for frame in &track.frames {
        let Some(picture) = frame
            .encoded()
            .ok()
            .and_then(|encoded| decoder.decode(&encoded).ok().flatten())
        else {
            continue;
        };
        let (width, height) = (picture.width(), picture.height());
        if let Some(luma) = Luma::new(picture.luma(), width, height) {
            pictures
                .get_or_insert_with(|| Pictures::new(width, height))
                .push(frame.media_time.as_secs_f64(), luma);
        }
    }
    Ok(pictures.unwrap_or_default())
}

fn samples(time: Duration) -> usize {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize
}

fn not_measured(codec: Codec) -> MediaError {
    MediaError::Coder {
        codec,
        reason: "only Opus and VP8 are decoded to be measured".to_owned(),
    }
}
