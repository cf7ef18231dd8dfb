//! Which kind of file holds what.

use std::fmt;
use std::path::Path;

use crate::codec::{Codec, Kind};

/// A kind of file that can be recorded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// Opus in Ogg (RFC 7845): sound alone.
    Ogg,
    /// WebM: Opus with VP8, VP9 or AV1.
    WebM,
    /// Matroska (RFC 9559): Opus with any picture.
    Matroska,
    /// Fragmented MP4 (ISO/IEC 14496-12): Opus with H.264, VP9 or AV1.
    Mp4,
    /// IVF: pictures alone.
    Ivf,
    /// WAV: sound alone, decoded.
    Wav,
}

impl Container {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ogg,
        Self::WebM,
        Self::Matroska,
        Self::Mp4,
        Self::Ivf,
        Self::Wav,
    ];

    /// Returns the container that a file's name asks for; WebM for a name without an ending.
    ///
    /// # Errors
    ///
    /// Fails with words for a person if files of this ending are not written here.
    pub fn of(path: &Path) -> Result<Self, String> {
        let Some(ending) = path.extension() else {
            return Ok(Self::WebM);
        };
        let ending = ending.to_string_lossy();
        Self::named(&ending).ok_or_else(|| {
            format!(
                "no such kind of recording as .{ending}: choose .webm or .mkv for sound and picture, .mp4 \
                 for H.264, VP9 or AV1, .ogg or .wav for sound alone, .ivf for the picture alone"
            )
        })
    }

    /// Returns the container with this ending, in any case.
    pub fn named(ending: &str) -> Option<Self> {
        Some(match ending.to_ascii_lowercase().as_str() {
            "ogg" | "oga" | "opus" => Self::Ogg,
            "webm" => Self::WebM,
            "mkv" | "mka" => Self::Matroska,
            "mp4" | "m4a" | "m4v" => Self::Mp4,
            "ivf" => Self::Ivf,
            "wav" => Self::Wav,
            _ => return None,
        })
    }

    /// Returns the usual ending of such files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Ogg => "ogg",
            Self::WebM => "webm",
            Self::Matroska => "mkv",
            Self::Mp4 => "mp4",
            Self::Ivf => "ivf",
            Self::Wav => "wav",
        }
    }

    /// Returns what people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ogg => "Ogg",
            Self::WebM => "WebM",
            Self::Matroska => "Matroska",
            Self::Mp4 => "MP4",
            Self::Ivf => "IVF",
            Self::Wav => "WAV",
        }
    }

    /// Tells whether it is for sound, or for pictures.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::WebM | Self::Matroska | Self::Mp4 => true,
            Self::Ogg | Self::Wav => kind == Kind::Audio,
            Self::Ivf => kind == Kind::Video,
        }
    }

    /// Tells whether it holds frames of this codec.
    pub fn holds(self, codec: Codec) -> bool {
        match codec {
            Codec::Opus => self.takes(Kind::Audio),
            Codec::Vp8 => matches!(self, Self::WebM | Self::Matroska | Self::Ivf),
            Codec::Vp9 | Codec::Av1 => self.takes(Kind::Video),
            Codec::H264 => matches!(self, Self::Matroska | Self::Mp4),
        }
    }

    /// Returns what to say about a codec it does not hold: the reason, and what to choose instead.
    pub fn refusal(self, codec: Codec) -> String {
        let instead = match codec {
            Codec::Opus => ".webm, .mkv, .mp4, .ogg or .wav",
            Codec::Vp8 => ".webm, .mkv or .ivf",
            Codec::Vp9 | Codec::Av1 => ".webm, .mkv, .mp4 or .ivf",
            Codec::H264 => ".mkv or .mp4",
        };
        format!("{self} files hold no {codec}: record to {instead}")
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_which() {
        let of = |name: &str| Container::of(Path::new(name));
        assert_eq!(of("room.webm"), Ok(Container::WebM));
        assert_eq!(of("a.b/room.MKV"), Ok(Container::Matroska));
        assert_eq!(of("/dev/full"), Ok(Container::WebM));
        let error = of("room.avi").unwrap_err();
        assert!(error.contains(".avi") && error.contains(".mkv"), "{error}");
    }

    #[test]
    fn each_refusal_names_endings_that_hold_the_codec() {
        for codec in [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
            for container in Container::ALL {
                let said = container.refusal(codec);
                let instead = said.split_once("record to ").map_or("", |(_, names)| names);
                let named = instead
                    .split(|c: char| !c.is_alphanumeric())
                    .filter_map(Container::named)
                    .collect::<Vec<_>>();
                let holding = Container::ALL.iter().filter(|c| c.holds(codec)).count();
                assert_eq!(named.len(), holding, "{said}");
                assert!(
                    named.iter().all(|container| container.holds(codec)),
                    "{said}"
                );
            }
        }
    }
}
