//! What is to be played: from the words of a person to opened media.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::Material;
use media::{Codec, MediaError, SourceSpec, Track, VideoListError};

/// Reads the name of a source; the path of a file goes through `resolve`.
pub(crate) fn parse(
    text: &str,
    resolve: impl Fn(&Path) -> PathBuf,
) -> Result<SourceSpec, MediaError> {
    Ok(match text.parse()? {
        SourceSpec::File(path) => SourceSpec::File(resolve(&path)),
        generated => generated,
    })
}

/// Opens what is to be heard and seen, and reads files to their end, so that a bad one is found
/// before anyone joins; `None` if nothing is to be played.
pub(crate) fn open(
    audio: Option<&SourceSpec>,
    video: Option<&SourceSpec>,
) -> Result<Option<Arc<Material>>, MediaError> {
    if audio.is_none() && video.is_none() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Material::open(audio, video)?)))
}

/// Reads a list of video codecs to offer, best first; `None` if none is named.
pub(crate) fn codecs(names: &[String]) -> Result<Option<Vec<Codec>>, VideoListError> {
    if names.is_empty() {
        return Ok(None);
    }
    Codec::video_list(names.iter().map(String::as_str)).map(Some)
}

/// Why files do not make one announcement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SortError {
    /// A file cannot be played.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Two files have sound, or two have a picture.
    #[error("{} and {} both have {kind}: an announcement plays one of each; join them first, for example with ffmpeg", first.display(), second.display())]
    Twice {
        kind: media::Kind,
        first: PathBuf,
        second: PathBuf,
    },
}

/// Finds out which of the files has the sound and which the picture; one may have both.
pub(crate) fn sort(files: &[PathBuf]) -> Result<(Option<PathBuf>, Option<PathBuf>), SortError> {
    let (mut audio, mut video) = (None, None);
    for file in files {
        let (no_sound, no_picture) = (
            missing(media::read_audio(file))?,
            missing(media::read_video(file))?,
        );
        let (sound, picture) = (no_sound.is_none(), no_picture.is_none());
        if let (Some(_), Some(error)) = (no_sound, no_picture) {
            return Err(error.into());
        }
        for (has, slot, kind) in [
            (sound, &mut audio, media::Kind::Audio),
            (picture, &mut video, media::Kind::Video),
        ] {
            if !has {
                continue;
            }
            if let Some(first) = slot.replace(file.clone()) {
                return Err(SortError::Twice {
                    kind,
                    first,
                    second: file.clone(),
                });
            }
        }
    }
    Ok((audio, video))
}

/// Returns the reason why a file has no such track, if it has none; any other trouble is one.
fn missing(track: Result<Track, MediaError>) -> Result<Option<MediaError>, MediaError> {
    match track {
        Ok(_) => Ok(None),
        Err(error @ MediaError::NoTrack { .. }) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> PathBuf {
        Path::new("tests/data").join(name)
    }

    #[test]
    fn files_are_told_apart_by_what_is_in_them() {
        let (speech, picture) = (data("speech.opus"), data("bunny.ivf"));

        let sorted = sort(&[picture.clone(), speech.clone()]).expect("one of each");

        assert_eq!(sorted, (Some(speech), Some(picture)));
    }

    #[test]
    fn two_of_a_kind_are_refused_by_name() {
        let error = sort(&[data("speech.opus"), data("other-speech.opus")]).expect_err("two");

        let text = error.to_string();
        assert!(
            text.contains("speech.opus and tests/data/other-speech.opus both have audio"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        for file in ["README.md", "missing.opus"] {
            let error = sort(&[data(file)]).expect_err("no media").to_string();
            assert!(error.contains(file), "{error}");
        }
    }
}
