//! How a source is written: `NAME`, `NAME:VALUE` or a path, then `#` and options.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::options::{SourceOptions, size};
use super::text::{escape, unescape};
use super::{Origin, SourceSpec};
use crate::codec::Kind;
use crate::error::MediaError;
use crate::feed::{FeedOrigin, split_command};

const DEFAULT_TONE: u32 = 440;
const DEFAULT_BARS: (usize, usize) = (640, 360);

/// Everything that is no path, for whoever wrote something else.
const NAMES: &str = "tone, silence, babble, say:TEXT, bars, card:TEXT, slides:LIST, playlist:FILE, mic, camera, \
                     exec:COMMAND, -, unix:PATH, tcp:HOST:PORT, rtp://ADDRESS:PORT";
/// The longest text that is said or shown, in bytes: half an hour of speech.
const LONGEST_TEXT: usize = 32_000;

impl FromStr for SourceSpec {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, MediaError> {
        let (head, fragment) = match split_command(text) {
            Some(parts) => parts,
            None => match text.split_once('#') {
                Some((head, fragment)) => (head, Some(fragment)),
                None => (text, None),
            },
        };
        let wrong = |text: String| move |reason| MediaError::UnknownSource { text, reason };
        let mut spec = Self::from(origin(head).map_err(wrong(text.into()))?);
        let read = fragment.map_or(Ok(()), |fragment| spec.read_options(fragment));
        // What a command holds is not shown.
        let shown = match &spec.origin {
            Origin::Feed(feed @ FeedOrigin::Command(_)) => feed.label(),
            _ => text.into(),
        };
        read.and_then(|()| spec.check()).map_err(wrong(shown))?;
        Ok(spec)
    }
}

/// Reads what stands before the `#`.
fn origin(head: &str) -> Result<Origin, String> {
    let (name, value) = match head.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (head, None),
    };
    let words = |value: Option<&str>, example: &str| {
        let text = value.map(unescape).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(format!("there is no text: write `{example}`"));
        }
        if text.len() > LONGEST_TEXT {
            return Err(format!("the text is longer than {LONGEST_TEXT} bytes"));
        }
        Ok(text)
    };
    let path = |value: Option<&str>, example: &str| match value {
        None | Some("") => Err(format!("there is no path: write `{example}`")),
        Some(value) => Ok(PathBuf::from(unescape(value))),
    };
    if let Some(feed) = FeedOrigin::read(name, value) {
        return feed.map(Origin::Feed);
    }
    match (name, value) {
        ("", _) => Err(format!("name a file, or one of {NAMES}")),
        ("silence", None) => Ok(Origin::Silence),
        ("babble", None) => Ok(Origin::Babble),
        ("silence" | "babble", Some(_)) => Err(format!("{name} takes no value")),
        ("tone", None) => Ok(Origin::Tone {
            hertz: DEFAULT_TONE,
        }),
        ("tone", Some(value)) => match value.parse() {
            Ok(hertz @ 20..=20_000) => Ok(Origin::Tone { hertz }),
            _ => Err("a tone has 20 to 20000 Hz, as in `tone:440`".into()),
        },
        ("bars", None) => Ok(bars(DEFAULT_BARS)),
        ("bars", Some(value)) => size(value)
            .map(bars)
            .ok_or("bars have an even size from 32x32 to 1920x1080, as in `bars:640x360`".into()),
        ("say", value) => words(value, "say:TEXT").map(Origin::Say),
        ("card", value) => words(value, "card:TEXT").map(Origin::Card),
        ("slides", value) => path(value, "slides:DIRECTORY").map(Origin::Slides),
        ("playlist", value) => path(value, "playlist:FILE").map(Origin::Playlist),
        ("file", Some(_)) => path(value, "file:PATH").map(Origin::File),
        (_, None) => Ok(Origin::File(PathBuf::from(head))),
        // A slash before the colon: it is a path that has one.
        (directory, Some(_)) if directory.contains('/') => Ok(Origin::File(PathBuf::from(head))),
        (name, Some(_)) => Err(format!(
            "no source is called `{name}`: there are {NAMES}; a file with a colon in its name is \
             written `./{head}` or `file:{}`",
            escape(head)
        )),
    }
}

fn bars((width, height): (usize, usize)) -> Origin {
    Origin::Bars { width, height }
}

impl SourceSpec {
    fn read_options(&mut self, fragment: &str) -> Result<(), String> {
        let allowed = self.origin.options();
        let mut seen = Vec::new();
        for option in fragment.split('&') {
            let (key, value) = match option.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (option, None),
            };
            if !allowed.contains(&key) {
                let mut reason = match allowed {
                    [] => format!("`{key}` is no option here: there are none"),
                    some => format!("`{key}` is no option here: there are {}", some.join(", ")),
                };
                match self.origin {
                    Origin::File(_) => {
                        reason +=
                            "; a file with # in its name is written `file:PATH`, with %23 for it";
                    }
                    Origin::Say(_) | Origin::Card(_) => reason += "; # in the text is written %23",
                    _ => {}
                }
                return Err(reason);
            }
            if seen.contains(&key) {
                return Err(format!("`{key}` stands there twice"));
            }
            seen.push(key);
            self.options.set(key, value)?;
        }
        Ok(())
    }

    /// Checks what depends on more than one option.
    fn check(&self) -> Result<(), String> {
        let options = &self.options;
        if let Origin::Feed(feed) = &self.origin {
            return feed.check(options);
        }
        let fades = !options.fade_in.is_zero() || !options.fade_out.is_zero();
        if self.never_ends() && (options.rounds.is_some() || !options.gap.is_zero() || fades) {
            return Err(format!(
                "it never ends, so there is nothing to repeat or to fade: give it an end, as in \
                 `{}#t=0,10`",
                self.origin
            ));
        }
        if self.never_ends() && !options.start.is_zero() {
            return Err("it never ends: `t` needs an end too, as in `t=0,10`".into());
        }
        Ok(())
    }

    /// Tells whether it goes on for ever, as far as its name says: a file may be a still picture.
    pub fn never_ends(&self) -> bool {
        self.options.end.is_none()
            && match self.origin {
                Origin::Tone { .. }
                | Origin::Silence
                | Origin::Babble
                | Origin::Bars { .. }
                | Origin::Card(_)
                | Origin::Feed(_) => true,
                Origin::File(_) | Origin::Say(_) | Origin::Slides(_) | Origin::Playlist(_) => false,
            }
    }

    /// Tells whether this can be a source of `kind`, as far as its name says; files may hold either.
    pub fn may_be(&self, kind: Kind) -> bool {
        match &self.origin {
            Origin::File(_) | Origin::Playlist(_) => true,
            Origin::Tone { .. } | Origin::Silence | Origin::Babble | Origin::Say(_) => {
                kind == Kind::Audio
            }
            Origin::Bars { .. } | Origin::Card(_) | Origin::Slides(_) => kind == Kind::Video,
            Origin::Feed(feed) => feed.may_be(kind, &self.options),
        }
    }

    /// Returns the same source with its path, where it has one, put through `resolve`.
    pub fn resolved(mut self, resolve: impl FnOnce(&Path) -> PathBuf) -> Self {
        let path = match &mut self.origin {
            Origin::File(path) | Origin::Slides(path) | Origin::Playlist(path) => Some(path),
            Origin::Feed(feed) => feed.path_mut(),
            _ => None,
        };
        if let Some(path) = path {
            *path = resolve(path);
        }
        self
    }
}

impl Origin {
    /// The options that mean something with it.
    fn options(&self) -> &'static [&'static str] {
        match self {
            Self::File(_) => &["t", "loop", "gap", "gain", "fade", "loudness", "size"],
            Self::Playlist(_) => &["t", "loop", "gap", "gain", "fade", "loudness", "size"],
            Self::Tone { .. } => &["t", "loop", "gap", "gain", "fade"],
            Self::Silence => &["t", "loop"],
            Self::Babble => &["t", "loop", "gap", "gain", "fade", "loudness", "seed"],
            Self::Say(_) => &[
                "t", "loop", "gap", "gain", "fade", "loudness", "voice", "speed",
            ],
            Self::Bars { .. } => &["t", "loop", "gap"],
            Self::Card(_) => &["t", "loop", "gap", "size"],
            Self::Slides(_) => &["t", "loop", "gap", "size", "each", "crossfade"],
            Self::Feed(feed) => feed.options(),
        }
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin.fmt(f)?;
        if self.options == SourceOptions::default() {
            return Ok(());
        }
        write!(f, "#{}", self.options)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => {
                let path = path.to_string_lossy();
                // As it is where that means the same file.
                match origin(&path) {
                    Ok(Self::File(same))
                        if *same.to_string_lossy() == *path && !path.contains('#') =>
                    {
                        f.write_str(&path)
                    }
                    _ => write!(f, "file:{}", escape(&path)),
                }
            }
            Self::Tone { hertz } => write!(f, "tone:{hertz}"),
            Self::Silence => f.write_str("silence"),
            Self::Babble => f.write_str("babble"),
            Self::Say(text) => write!(f, "say:{}", escape(text)),
            Self::Bars { width, height } => write!(f, "bars:{width}x{height}"),
            Self::Card(text) => write!(f, "card:{}", escape(text)),
            Self::Slides(path) => write!(f, "slides:{}", escape(&path.to_string_lossy())),
            Self::Playlist(path) => write!(f, "playlist:{}", escape(&path.to_string_lossy())),
            Self::Feed(feed) => feed.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
