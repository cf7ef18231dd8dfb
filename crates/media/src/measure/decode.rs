//! Tracks decoded into what a person would hear and see, each part at its time.

use std::time::Duration;

use crate::{Codec, Kind, MediaError, OpusDecoder, Picture, SAMPLE_RATE, Track, VideoDecoder};

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
        return Err(not_measured(track.codec, Kind::Audio));
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

/// Returns what `track` looks like: pictures of `size`, or of the size of its first one. Others are scaled to it, as on
/// a display.
///
/// # Errors
/// When the track is none of pictures. A frame that cannot be decoded shows nothing.
pub fn pictures(track: &Track, size: Option<(usize, usize)>) -> Result<Pictures, MediaError> {
    let mut pictures = size.map(|(width, height)| Pictures::new(width, height));
    each_picture(track, |time, picture| {
        let own = (picture.width(), picture.height());
        let pictures = pictures.get_or_insert_with(|| Pictures::new(own.0, own.1));
        let (width, height) = pictures.size();
        let scaled = (own != (width, height)).then(|| picture.scaled(width, height));
        let shown = scaled.as_ref().unwrap_or(picture);
        if let Some(luma) = Luma::new(shown.luma(), width, height) {
            pictures.push(time.as_secs_f64(), luma);
        }
    })?;
    Ok(pictures.unwrap_or_default())
}

/// Decodes `track` and hands over picture after picture, each with its media time.
///
/// # Errors
/// When the track is none of pictures. A frame that cannot be decoded shows nothing.
pub(crate) fn each_picture(
    track: &Track,
    mut take: impl FnMut(Duration, &Picture),
) -> Result<(), MediaError> {
    if track.codec.kind() != Kind::Video {
        return Err(not_measured(track.codec, Kind::Video));
    }
    let mut decoder = VideoDecoder::new(track.codec)?;
    for frame in &track.frames {
        let decoded = frame
            .encoded()
            .ok()
            .and_then(|encoded| decoder.decode(&encoded).ok().flatten());
        if let Some(picture) = decoded {
            take(frame.media_time, &picture);
        }
    }
    Ok(())
}

fn samples(time: Duration) -> usize {
    (time.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize
}

fn not_measured(codec: Codec, wanted: Kind) -> MediaError {
    MediaError::Coder {
        codec,
        reason: format!("is no {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;
    use crate::measure::picture;
    use crate::measure::sound as likeness;
    use crate::{read_audio, read_video};

    fn data(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/data")
            .join(name)
    }

    #[test]
    fn a_film_is_like_itself_and_not_like_another_or_a_still_from_it() {
        let film = read_video(&data("bunny.ivf")).unwrap();
        let clip = pictures(&film, None).unwrap();
        assert_eq!((clip.len(), clip.size()), (132, (640, 360)));
        assert!(picture::compare(&clip, &clip).is_seen());

        let other = read_video(&data("other-picture.ivf")).unwrap();
        let found = picture::compare(&clip, &pictures(&other, None).unwrap());
        assert!(found.median < 0.6 && !found.is_seen(), "{found:?}");

        // The same key frame again and again: what a viewer sees when the stream froze.
        let mut frozen = film;
        let still = Arc::clone(&frozen.frames[64]);
        for frame in &mut frozen.frames {
            let mut again = still.as_ref().clone();
            again.media_time = frame.media_time;
            *frame = Arc::new(again);
        }
        let found = picture::compare(&clip, &pictures(&frozen, None).unwrap());
        assert!(found.covered < 0.2 && !found.is_seen(), "{found:?}");
    }

    #[test]
    fn a_gap_is_heard_as_silence_and_what_follows_keeps_its_place() {
        let mut track = read_audio(&data("speech.opus")).unwrap();
        let whole = sound(&track).unwrap();
        track.frames.drain(100..150);
        let heard = sound(&track).unwrap();
        assert!(heard.len().abs_diff(whole.len()) < 960, "{}", heard.len());

        let found = likeness::compare(&whole, &heard, SAMPLE_RATE);
        assert!(found.last_word > likeness::PRESENT, "{found:?}");
        let lost = Duration::from_millis(8_250).saturating_sub(found.heard);
        assert!(
            lost > Duration::from_millis(600) && lost < Duration::from_secs(2),
            "{found:?}"
        );
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let (speech, film) = (
            read_audio(&data("speech.opus")).unwrap(),
            read_video(&data("bunny.ivf")).unwrap(),
        );
        assert!(pictures(&speech, None).is_err());
        assert!(sound(&film).is_err());
    }
}
