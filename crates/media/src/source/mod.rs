//! What an operator names as a source, and what comes of it.

mod notation;
mod options;
mod reel;
mod text;

use std::path::PathBuf;
use std::sync::Arc;

pub use options::SourceOptions;
pub use reel::Reel;
pub(crate) use text::{escape, unescape};

use crate::codec::{Codec, Kind};
use crate::edit;
use crate::error::MediaError;
use crate::feed::FeedOrigin;
use crate::film::Acceptance;
use crate::generate;
use crate::live::Live;
use crate::opus::OpusSettings;
use crate::playlist;
use crate::read;
use crate::sound::{self, Encode};
use crate::stills;
use crate::track::Track;

/// A source as it is written on a command line or in a configuration: `NAME`, `NAME:VALUE` or a path,
/// then, after `#`, options.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceSpec {
    /// Where it comes from.
    pub origin: Origin,
    /// What of it is played, and how.
    pub options: SourceOptions,
}

/// Where a source comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file: its path, or `file:` and its path with `%23` for `#`.
    File(PathBuf),
    /// A steady tone: `tone`, or `tone:` and a frequency.
    Tone {
        /// Its frequency.
        hertz: u32,
    },
    /// Digital silence: `silence`.
    Silence,
    /// Sound that resembles speech: `babble`.
    Babble,
    /// Text that is spoken: `say:TEXT`.
    Say(String),
    /// A moving test picture with a clock: `bars`, or `bars:` and a size.
    Bars {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// Text that is shown: `card:TEXT`.
    Card(String),
    /// Still pictures one after another: `slides:` and a directory, or a list of sources.
    Slides(PathBuf),
    /// Sources one after another: `playlist:` and a list of them, such as an M3U file.
    Playlist(PathBuf),
    /// A device, another program, or the network; opened as a [`Feed`](crate::Feed).
    Feed(FeedOrigin),
}

impl SourceSpec {
    /// Returns the source that is this file, as it is.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Origin::File(path.into()).into()
    }

    /// Returns the path, where it is a file.
    pub fn path(&self) -> Option<&std::path::Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            _ => None,
        }
    }

    /// Tells whether it is a live input.
    pub fn is_feed(&self) -> bool {
        matches!(self.origin, Origin::Feed(_))
    }

    /// Returns what it is called in logs and before others: as it is written, but of a command its name
    /// alone.
    pub fn label(&self) -> String {
        match &self.origin {
            Origin::Feed(feed) => feed.label(),
            _ => self.to_string(),
        }
    }
}

impl From<Origin> for SourceSpec {
    fn from(origin: Origin) -> Self {
        Self {
            origin,
            options: SourceOptions::default(),
        }
    }
}

/// A source that is ready to be played.
#[derive(Debug, Clone)]
pub enum Source {
    /// A whole track in memory, which begins and ends.
    Track(Arc<Track>),
    /// A track without beginning or end, to be looped.
    Endless(Arc<Track>),
    /// Frames that are encoded as time goes by.
    Live(Arc<Live>),
}

impl Source {
    /// Returns the codec of its frames.
    pub fn codec(&self) -> Codec {
        match self {
            Self::Track(track) | Self::Endless(track) => track.codec,
            Self::Live(live) => live.codec(),
        }
    }

    /// Returns its track, if all of it is in memory.
    pub fn track(&self) -> Option<&Arc<Track>> {
        match self {
            Self::Track(track) | Self::Endless(track) => Some(track),
            Self::Live(_) => None,
        }
    }
}

/// Opens a source of sound, for a far end that asks for nothing in particular.
///
/// # Errors
///
/// Fails if the file cannot be read or the source is a picture.
pub fn open_audio(spec: &SourceSpec) -> Result<Source, MediaError> {
    open_audio_as(spec, OpusSettings::default())
}

/// Opens a source of sound, encoded as `settings` say wherever it is encoded here: Opus that is only cut
/// or repeated is sent as it is, unless it has more bits a second than the far end takes.
///
/// # Errors
///
/// Fails if the file cannot be read or the source is a picture.
pub fn open_audio_as(spec: &SourceSpec, settings: OpusSettings) -> Result<Source, MediaError> {
    if !spec.may_be(Kind::Audio) {
        return Err(not_heard(spec));
    }
    not_a_feed(spec)?;
    if spec.never_ends() {
        if spec.options.loudness.is_some() {
            return Err(no(
                spec,
                "the loudness of what never ends cannot be measured",
            ));
        }
        return generate::endless(spec, settings).map(Source::Endless);
    }
    if let Origin::File(path) = &spec.origin
        && !spec.options.shapes_sound()
    {
        let track = Arc::new(read::read_audio_as(path, settings)?);
        return match edit::cut(track, &spec.options)? {
            Some(track) => Ok(Source::Track(track)),
            None => Err(no(spec, "it ends before `t` begins")),
        };
    }
    if matches!(spec.origin, Origin::File(_)) {
        tracing::info!(source = %spec, "decoded and encoded anew, since its sound is changed");
    }
    let mut encode = Encode::new(settings, std::time::Duration::ZERO)?;
    sound::pour(spec, settings.channels, &mut encode)?;
    match encode.finish()? {
        Some(track) => Ok(Source::Track(Arc::new(track))),
        None => Err(no(spec, "there is no sound in it")),
    }
}

/// Opens a source of pictures in a codec, for a far end that sets no limits of its own.
///
/// # Errors
///
/// Fails if a file cannot be read, or not be decoded where it must be, or the source is sound.
pub fn open_video(spec: &SourceSpec, codec: Codec) -> Result<Source, MediaError> {
    Reel::open(spec)?.towards(&Acceptance::of(codec))
}

/// Returns the reason why a source has no sound, or no picture, if it has none; any other trouble with it
/// is an error.
///
/// # Errors
///
/// Fails if it cannot be read.
pub fn missing(spec: &SourceSpec, kind: Kind) -> Result<Option<MediaError>, MediaError> {
    let of_the_other_kind = || MediaError::NoTrack {
        path: spec.label().into(),
        kind,
        remedy: "name another source".into(),
    };
    if !spec.may_be(kind) {
        return Ok(Some(of_the_other_kind()));
    }
    let track = match (&spec.origin, kind) {
        (Origin::File(path), _) if stills::is_still(path) => {
            return Ok((kind == Kind::Audio).then(of_the_other_kind));
        }
        (Origin::File(path), Kind::Audio) => read::find_sound(path),
        (Origin::File(path), Kind::Video) => read::read_film(path).map(drop),
        (Origin::Playlist(path), _) => {
            let has = playlist::has(path, &spec.options, kind)?;
            return Ok((!has).then(of_the_other_kind));
        }
        _ => Ok(()),
    };
    match track {
        Ok(()) => Ok(None),
        Err(error @ MediaError::NoTrack { .. }) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Refuses live inputs where a source is read to its end, or played over and over.
pub(crate) fn not_a_feed(spec: &SourceSpec) -> Result<(), MediaError> {
    if spec.is_feed() {
        return Err(played_elsewhere(spec));
    }
    Ok(())
}

fn played_elsewhere(spec: &SourceSpec) -> MediaError {
    no(
        spec,
        "it is a live input, which is played by `join` and `run` alone, and in no list",
    )
}

pub(crate) fn not_heard(spec: &SourceSpec) -> MediaError {
    no(
        spec,
        "it is a picture; sound comes from a file, `tone`, `babble`, `say:TEXT`, `silence` or `mic`",
    )
}

fn no(spec: &SourceSpec, reason: &str) -> MediaError {
    MediaError::UnknownSource {
        text: spec.label(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
