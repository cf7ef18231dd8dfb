//! What an operator names as a source, and what comes of it.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::codec::{Codec, Kind};
use crate::draw::Bars;
use crate::error::MediaError;
use crate::generate;
use crate::live::Live;
use crate::read;
use crate::track::Track;
use crate::video::VideoSettings;

const DEFAULT_TONE: u32 = 440;
const DEFAULT_BARS: (usize, usize) = (640, 360);

/// A source as it is written on a command line or in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceSpec {
    /// A file.
    File(PathBuf),
    /// A steady tone: `tone`, or `tone:` and a frequency.
    Tone {
        /// Its frequency.
        hertz: u32,
    },
    /// Digital silence: `silence`.
    Silence,
    /// A moving test picture with a clock: `bars`, or `bars:` and a size.
    Bars {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
}

impl FromStr for SourceSpec {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, MediaError> {
        let unknown = |reason: &str| {
            Err(MediaError::UnknownSource {
                text: text.into(),
                reason: reason.into(),
            })
        };
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        match (name, value) {
            ("", None) => unknown("name a file, or `tone`, `silence` or `bars`"),
            ("silence", None) => Ok(Self::Silence),
            ("tone", None) => Ok(Self::Tone {
                hertz: DEFAULT_TONE,
            }),
            ("tone", Some(value)) => match value.parse() {
                Ok(hertz @ 20..=20_000) => Ok(Self::Tone { hertz }),
                _ => unknown("a tone has 20 to 20000 Hz, as in `tone:440`"),
            },
            ("bars", None) => Ok(Self::Bars {
                width: DEFAULT_BARS.0,
                height: DEFAULT_BARS.1,
            }),
            ("bars", Some(value)) => {
                let size = value
                    .split_once('x')
                    .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
                match size {
                    Some((width @ 32..=1920, height @ 32..=1080))
                        if width % 2 == 0 && height % 2 == 0 =>
                    {
                        Ok(Self::Bars { width, height })
                    }
                    _ => unknown("bars have an even size up to 1920x1080, as in `bars:640x360`"),
                }
            }
            ("silence", Some(_)) => unknown("silence takes no value"),
            _ => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl std::fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Tone { hertz } => write!(f, "tone:{hertz}"),
            Self::Silence => f.write_str("silence"),
            Self::Bars { width, height } => write!(f, "bars:{width}x{height}"),
        }
    }
}

/// A source that is ready to be played.
#[derive(Debug, Clone)]
pub enum Source {
    /// A whole track in memory; generated ones are meant to be looped.
    Track(Arc<Track>),
    /// A picture encoded as time goes by.
    Live(Arc<Live>),
}

impl Source {
    /// Returns the codec of its frames.
    pub fn codec(&self) -> Codec {
        match self {
            Self::Track(track) => track.codec,
            Self::Live(live) => live.codec(),
        }
    }
}

/// Opens a source of sound.
///
/// # Errors
///
/// Fails if the file cannot be read or the source is a picture.
pub fn open_audio(spec: &SourceSpec) -> Result<Source, MediaError> {
    let track = match spec {
        SourceSpec::File(path) => Arc::new(read::read_audio(path)?),
        SourceSpec::Tone { hertz } => Arc::new(generate::tone(*hertz)?),
        SourceSpec::Silence => generate::silence(),
        SourceSpec::Bars { .. } => {
            return Err(MediaError::UnknownSource {
                text: spec.to_string(),
                reason: "it is a picture; sound comes from a file, `tone` or `silence`".into(),
            });
        }
    };
    Ok(Source::Track(track))
}

/// Opens a source of pictures, in the codec that was agreed on with the node.
///
/// # Errors
///
/// Fails if the file cannot be read, is in another codec, or the source is sound.
pub fn open_video(spec: &SourceSpec, codec: Codec) -> Result<Source, MediaError> {
    match spec {
        SourceSpec::File(path) => {
            let track = read::read_video(path)?;
            if track.codec != codec {
                return Err(MediaError::WrongCodec {
                    path: path.clone(),
                    found: track.codec,
                    wanted: codec,
                });
            }
            Ok(Source::Track(Arc::new(track)))
        }
        SourceSpec::Bars { width, height } => bars(codec, *width, *height).map(Source::Live),
        SourceSpec::Tone { .. } | SourceSpec::Silence => Err(MediaError::UnknownSource {
            text: spec.to_string(),
            reason: "it is sound; pictures come from a file or `bars`".into(),
        }),
    }
}

fn bars(codec: Codec, width: usize, height: usize) -> Result<Arc<Live>, MediaError> {
    // 0.1 bit for each pixel reads well: this picture has large even areas.
    let per_second = width * height * 25;
    let settings = VideoSettings {
        width,
        height,
        bit_rate: u32::try_from(per_second / 10)
            .unwrap_or(u32::MAX)
            .max(100_000),
        ..VideoSettings::default()
    };
    let bars = Bars::new(width, height);
    Live::start(codec, settings, move |count, time, clock| {
        bars.draw(count, time, clock)
    })
}

impl SourceSpec {
    /// Tells whether this can be a source of `kind`, as far as its name says; files may hold either.
    pub fn may_be(&self, kind: Kind) -> bool {
        match self {
            Self::File(_) => true,
            Self::Tone { .. } | Self::Silence => kind == Kind::Audio,
            Self::Bars { .. } => kind == Kind::Video,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_written() {
        let read = |text: &str| text.parse::<SourceSpec>().unwrap();
        assert_eq!(read("tone"), SourceSpec::Tone { hertz: 440 });
        assert_eq!(read("tone:1000"), SourceSpec::Tone { hertz: 1000 });
        assert_eq!(read("silence"), SourceSpec::Silence);
        let (width, height) = (320, 180);
        assert_eq!(read("bars:320x180"), SourceSpec::Bars { width, height });
        assert_eq!(read("a/tone.ogg"), SourceSpec::File("a/tone.ogg".into()));
        assert_eq!(read("./bars"), SourceSpec::File("./bars".into()));
        assert_eq!(read("C:tone"), SourceSpec::File("C:tone".into()));
        for text in ["tone:440", "silence", "bars:64x64", "x.ivf"] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "",
            "tone:",
            "tone:5",
            "tone:x",
            "bars:1x1",
            "bars:33x32",
            "silence:1",
        ] {
            let error = text.parse::<SourceSpec>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn sound_is_no_picture() {
        assert!(open_audio(&"bars".parse().unwrap()).is_err());
        assert!(open_video(&SourceSpec::Silence, Codec::Vp8).is_err());
        assert_eq!(
            open_audio(&SourceSpec::Silence).unwrap().codec(),
            Codec::Opus
        );
        let missing = SourceSpec::File("/nowhere/x.ivf".into());
        let error = open_video(&missing, Codec::Vp8).unwrap_err().to_string();
        assert!(error.contains("/nowhere/x.ivf"), "{error}");
    }

    #[test]
    fn bars_come_in_either_codec() {
        let spec = SourceSpec::Bars {
            width: 64,
            height: 64,
        };
        for codec in [Codec::Vp8, Codec::Av1] {
            let Source::Live(live) = open_video(&spec, codec).unwrap() else {
                panic!("bars are live");
            };
            let mut frames = live.subscribe();
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
            loop {
                if let Ok(frame) = frames.try_recv() {
                    assert!(frame.is_key && frame.codec == codec);
                    assert_eq!(codec.dimensions(&frame.encoded().unwrap()), Some((64, 64)));
                    break;
                }
                assert!(std::time::Instant::now() < deadline);
            }
        }
    }
}
