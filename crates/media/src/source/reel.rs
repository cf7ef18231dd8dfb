//! A source of pictures, opened once for far ends that take different things.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Origin, Source, SourceSpec, no, played_elsewhere};
use crate::codec::Codec;
use crate::edit;
use crate::error::MediaError;
use crate::film::{Acceptance, Film};
use crate::playlist::{self, Item};
use crate::read;
use crate::show::Show;
use crate::stills;
use crate::track::Track;
use crate::video::VideoSettings;

/// A source of pictures.
///
/// What is made of it for a far end is kept, and shared by all that take the same.
#[derive(Debug)]
pub struct Reel {
    spec: SourceSpec,
    held: Held,
    opened: Mutex<Vec<Opened>>,
}

/// What was made for those who take the same.
#[derive(Debug)]
struct Opened {
    accepted: Acceptance,
    /// How it is encoded, where that is all that far ends differ in.
    settings: Option<VideoSettings>,
    source: Source,
}

/// Where the pictures come from.
#[derive(Debug)]
enum Held {
    /// Drawn here, in any codec.
    Drawn,
    /// A file's.
    Film(Arc<Film>),
    /// Those of several sources.
    Playlist(Vec<Item>),
}

impl Reel {
    /// Opens a source of pictures; reads files to their end.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read, or the source is sound.
    pub fn open(spec: &SourceSpec) -> Result<Self, MediaError> {
        let held = match &spec.origin {
            Origin::File(path) if !stills::is_still(path) => {
                if spec.options.size.is_some() {
                    return Err(no(spec, "`size` is for still pictures alone"));
                }
                Held::Film(Arc::new(read::read_film(path)?))
            }
            Origin::Playlist(path) => Held::Playlist(playlist::open(path, &spec.options)?),
            Origin::File(_) | Origin::Bars { .. } | Origin::Card(_) | Origin::Slides(_) => {
                Held::Drawn
            }
            Origin::Tone { .. } | Origin::Silence | Origin::Babble | Origin::Say(_) => {
                return Err(no(
                    spec,
                    "it is sound; pictures come from a file, `bars`, `card:TEXT`, `slides:LIST` or `camera`",
                ));
            }
            Origin::Feed(_) => return Err(played_elsewhere(spec)),
        };
        Ok(Self {
            spec: spec.clone(),
            held,
            opened: Mutex::default(),
        })
    }

    /// Returns the pictures in the codec in which they are best sent: that of their file, if they can be
    /// sent as they are.
    ///
    /// # Errors
    ///
    /// Fails as [`towards`](Self::towards) does.
    pub fn best(&self) -> Result<Source, MediaError> {
        self.towards(&Acceptance::of(
            self.best_codec().unwrap_or(Codec::VIDEO[0]),
        ))
    }

    /// Returns how long they are shown; nothing if they never end.
    ///
    /// # Errors
    ///
    /// Fails as [`towards`](Self::towards) does.
    pub(crate) fn length(&self) -> Result<Option<Duration>, MediaError> {
        match self.held {
            Held::Drawn => Show::open(&self.spec, Codec::VIDEO[0])?.length(&self.spec.options),
            Held::Film(_) | Held::Playlist(_) => {
                Ok(self.best()?.track().map(|track| track.duration))
            }
        }
    }

    /// Returns the codec of what can be sent as it is; of a playlist, of the first such item.
    fn best_codec(&self) -> Option<Codec> {
        match &self.held {
            Held::Drawn => None,
            Held::Film(film) => film.codec().filter(|codec| {
                let accepted = Acceptance::of(*codec);
                film.unsuitable(&accepted).is_empty()
            }),
            Held::Playlist(items) => items.iter().find_map(|item| item.reel()?.best_codec()),
        }
    }

    /// Returns the pictures for a far end that takes `accepted`: a file's as they are where they suit it,
    /// else decoded and encoded while they are played.
    ///
    /// # Errors
    ///
    /// Fails if pictures cannot be decoded where they must be, or not be drawn.
    pub fn towards(&self, accepted: &Acceptance) -> Result<Source, MediaError> {
        let accepted = match &self.held {
            // Whoever takes them as they are takes the same.
            Held::Film(film) if film.unsuitable(accepted).is_empty() => {
                Acceptance::of(accepted.codec)
            }
            Held::Drawn | Held::Film(_) | Held::Playlist(_) => *accepted,
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened.iter().find(|known| known.accepted == accepted) {
            return Ok(known.source.clone());
        }
        let (source, settings) = match &self.held {
            Held::Drawn => {
                let show = Show::open(&self.spec, accepted.codec)?;
                let settings = show.settings_for(&accepted);
                let is_same = |known: &&Opened| {
                    known.accepted.codec == accepted.codec && known.settings == Some(settings)
                };
                let source = match opened.iter().find(is_same) {
                    Some(known) => known.source.clone(),
                    None => self.drawn(show, accepted.codec, settings)?,
                };
                (source, Some(settings))
            }
            Held::Film(film) => (self.film(film, &accepted)?, None),
            Held::Playlist(items) => {
                let track = playlist::pictures(items, &self.spec.options, &accepted)?;
                (cut(&self.spec, track)?, None)
            }
        };
        opened.push(Opened {
            accepted,
            settings,
            source: source.clone(),
        });
        Ok(source)
    }

    fn drawn(
        &self,
        show: Show,
        codec: Codec,
        settings: VideoSettings,
    ) -> Result<Source, MediaError> {
        let options = &self.spec.options;
        match show.length(options)? {
            Some(_) => {
                let track = show.track(options, codec, settings)?;
                Ok(Source::Track(Arc::new(track)))
            }
            None => show.live(codec, settings).map(Source::Live),
        }
    }

    fn film(&self, film: &Arc<Film>, accepted: &Acceptance) -> Result<Source, MediaError> {
        let spec = &self.spec;
        let why = film.unsuitable(accepted);
        if why.is_empty() {
            return cut(spec, film.track()?);
        }
        let why: Vec<String> = why.iter().map(ToString::to_string).collect();
        tracing::info!(source = %spec, "transcoded to {}: {}", accepted.codec, why.join("; "));
        film.decode_first()?;
        let end = spec.options.end.unwrap_or(film.duration);
        let part = spec.options.start..end.min(film.duration);
        if part.is_empty() {
            return Err(ends_before(spec));
        }
        let track = film.transcoded(accepted, part)?;
        Ok(Source::Track(Arc::new(track)))
    }
}

fn cut(spec: &SourceSpec, track: Track) -> Result<Source, MediaError> {
    let track = edit::cut(Arc::new(track), &spec.options)?;
    track.map(Source::Track).ok_or_else(|| ends_before(spec))
}

fn ends_before(spec: &SourceSpec) -> MediaError {
    no(spec, "it ends before `t` begins")
}
