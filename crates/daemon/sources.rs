//! What is to be played: from the words of a person to opened media.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::Material;
use media::{Absence, Codec, Kind, MediaError, OpusWishes, SourceSpec, VideoListError};

/// Reads the name of a source; the path of a file goes through `resolve`.
pub(crate) fn parse(
    text: &str,
    resolve: impl Fn(&Path) -> PathBuf,
) -> Result<SourceSpec, MediaError> {
    Ok(text.parse::<SourceSpec>()?.resolved(resolve))
}

/// Opens what is to be heard and seen, and reads files to their end, so that a bad one is found
/// before anyone joins; `None` if nothing is to be played. A file or playlist that is named for its
/// picture alone is heard as well, if it has sound.
pub(crate) fn open(
    audio: Option<&SourceSpec>,
    video: Option<&SourceSpec>,
) -> Result<Option<Arc<Material>>, MediaError> {
    open_with(audio, video, OpusWishes::default(), Absence::Refused)
}

/// Opens what is to be heard and seen, as [`open`] does, with what is allowed in Opus, and what is done
/// about live inputs that are not there.
pub(crate) fn open_with(
    audio: Option<&SourceSpec>,
    video: Option<&SourceSpec>,
    wishes: OpusWishes,
    absence: Absence,
) -> Result<Option<Arc<Material>>, MediaError> {
    if audio.is_none() && video.is_none() {
        return Ok(None);
    }
    let audio = match (audio, video) {
        // What a live input holds is not known before it is opened.
        (None, Some(both)) if both.is_feed() => None,
        (None, Some(both)) if media::missing(both, Kind::Audio)?.is_none() => Some(both),
        (audio, _) => audio,
    };
    Ok(Some(Arc::new(Material::open_with(
        audio, video, wishes, absence,
    )?)))
}

/// Reads a list of video codecs to offer, best first; `None` if none is named.
pub(crate) fn codecs(names: &[String]) -> Result<Option<Vec<Codec>>, VideoListError> {
    if names.is_empty() {
        return Ok(None);
    }
    Codec::video_list(names.iter().map(String::as_str)).map(Some)
}

/// Why sources do not make one announcement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SortError {
    /// A source cannot be played.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A source has no end that could be waited for.
    #[error("{0} is a live input, which has no end to be heard to: `standin join` plays it")]
    Feed(String),
    /// Two sources have sound, or two have a picture.
    #[error(
        "{first} and {second} both have {kind}: an announcement plays one of each; one after another they \
         are played by `playlist:FILE`"
    )]
    Twice {
        kind: Kind,
        first: Box<SourceSpec>,
        second: Box<SourceSpec>,
    },
}

/// Finds out which of the sources has the sound and which the picture; one may have both.
pub(crate) fn sort(
    sources: &[SourceSpec],
) -> Result<(Option<&SourceSpec>, Option<&SourceSpec>), SortError> {
    let (mut audio, mut video) = (None, None);
    for source in sources {
        if source.is_feed() {
            return Err(SortError::Feed(source.label()));
        }
        let (no_sound, no_picture) = (
            media::missing(source, Kind::Audio)?,
            media::missing(source, Kind::Video)?,
        );
        let (sound, picture) = (no_sound.is_none(), no_picture.is_none());
        if let (Some(_), Some(error)) = (no_sound, no_picture) {
            return Err(error.into());
        }
        for (has, slot, kind) in [
            (sound, &mut audio, Kind::Audio),
            (picture, &mut video, Kind::Video),
        ] {
            if !has {
                continue;
            }
            if let Some(first) = slot.replace(source) {
                return Err(SortError::Twice {
                    kind,
                    first: Box::new(first.clone()),
                    second: Box::new(source.clone()),
                });
            }
        }
    }
    Ok((audio, video))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> SourceSpec {
        SourceSpec::file(Path::new("tests/data").join(name))
    }

    #[test]
    fn files_are_told_apart_by_what_is_in_them() {
        let (speech, picture) = (data("speech.opus"), data("bunny.ivf"));

        let files = [picture.clone(), speech.clone()];
        let sorted = sort(&files).expect("one of each");

        assert_eq!(sorted, (Some(&speech), Some(&picture)));
    }

    #[test]
    fn generators_are_told_apart_by_what_they_are() {
        let sources = ["card:Fire drill", "say:Fire drill"].map(|text| text.parse().expect("good"));
        let sorted = sort(&sources).expect("one of each");

        assert_eq!(sorted, (Some(&sources[1]), Some(&sources[0])));
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let error = sort(&["exec:cam --key hunter2".parse().expect("good")]).expect_err("live");

        let text = error.to_string();
        assert!(text.starts_with("exec:cam is a live input"), "{text}");
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
