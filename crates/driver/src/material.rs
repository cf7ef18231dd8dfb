//! What is sent, opened once for any number of callers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media::{
    Clip, Codec, Kind, MediaError, OpusParameters, OpusSettings, OpusWishes, Origin, Repeat,
    Source, SourceSpec, Track,
};

use crate::sources::Part;

/// A clip or live generators, opened once and shared by everyone who sends them.
///
/// Files are read when the material is opened, so that a bad one is told before anyone joins. What is
/// encoded here is encoded as the answer asks for, once for all whose answers ask for the same.
#[derive(Debug)]
pub struct Material {
    clip: Clip,
    /// How often the clip is played, where its sources say so.
    rounds: Option<u32>,
    sound: Option<Sound>,
    picture: Option<Shown>,
}

/// A source of sound, in each of the encodings that answers have asked for.
#[derive(Debug)]
struct Sound {
    spec: SourceSpec,
    wishes: OpusWishes,
    opened: Mutex<Vec<(OpusSettings, Source)>>,
}

/// A source of pictures, in each of the codecs that answers have asked for.
#[derive(Debug)]
struct Shown {
    spec: SourceSpec,
    opened: Mutex<Vec<(Codec, Source)>>,
}

/// The codecs a video file may be in, and a picture be made in, the likeliest first.
const FILE_CODECS: [Codec; 4] = Codec::VIDEO;

impl Material {
    /// Opens the sources; reads files to their end, so not for a shard's thread.
    ///
    /// # Errors
    /// When a source is missing, truncated or of the wrong kind.
    pub fn open(
        audio: Option<&SourceSpec>,
        video: Option<&SourceSpec>,
    ) -> Result<Self, MediaError> {
        Self::open_with(audio, video, OpusWishes::default())
    }

    /// Opens the sources, with what is allowed of what answers may ask for in Opus.
    ///
    /// # Errors
    /// When a source is missing, truncated or of the wrong kind.
    pub fn open_with(
        audio: Option<&SourceSpec>,
        video: Option<&SourceSpec>,
        wishes: OpusWishes,
    ) -> Result<Self, MediaError> {
        let sound = audio.map(|spec| Sound {
            spec: spec.clone(),
            wishes,
            opened: Mutex::default(),
        });
        let picture = video.map(|spec| Shown {
            spec: spec.clone(),
            opened: Mutex::default(),
        });
        // What cannot be opened at all is told now; a live picture is not drawn before it is wanted.
        let heard = sound.as_ref().map(|sound| sound.open(wishes.expected()));
        let seen = picture.as_ref().map(Shown::open_in_any);
        let clip_of = |source: Option<Source>| match source {
            Some(Source::Track(track)) => Some(track),
            Some(Source::Endless(_) | Source::Live(_)) | None => None,
        };
        let (heard, seen) = (clip_of(heard.transpose()?), clip_of(seen.transpose()?));
        let name = audio.or(video).map(name).unwrap_or_default();
        let specs = || audio.into_iter().chain(video);
        let gaps = specs().map(|spec| spec.options.gap);
        let gap = gaps.max().unwrap_or_default();
        Ok(Self {
            clip: Clip::new(name, heard, seen).pausing(gap),
            rounds: specs().find_map(|spec| spec.options.rounds),
            sound,
            picture,
        })
    }

    /// Returns the material that plays `clip`.
    pub fn from_clip(clip: Clip) -> Self {
        Self {
            clip,
            rounds: None,
            sound: None,
            picture: None,
        }
    }

    /// Returns what is played from its beginning: all that begins and ends.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Returns how often the clip is played, where its sources say so.
    pub fn rounds(&self) -> Option<u32> {
        self.rounds
    }

    /// Returns how long all of it takes that begins and ends, if it is played `repeat` times unless its
    /// sources say how often; nothing if it never ends.
    pub fn length(&self, repeat: Repeat) -> Option<Duration> {
        self.clip.length(self.repeat(repeat))
    }

    pub(crate) fn repeat(&self, otherwise: Repeat) -> Repeat {
        self.rounds.map_or(otherwise, Repeat::Times)
    }

    /// Returns the video codecs to offer for this material, best first.
    ///
    /// A file has one codec and the node may still prefer another one of those offered, so the
    /// rest follows.
    pub fn video_codecs(&self) -> Vec<Codec> {
        let mut codecs = FILE_CODECS.to_vec();
        if let Some(track) = &self.clip.video {
            codecs.sort_by_key(|codec| *codec != track.codec);
        }
        codecs
    }

    /// Returns the codec of the picture, where it is a file's, which is sent as it is.
    pub fn film_codec(&self) -> Option<Codec> {
        self.film().map(|track| track.codec)
    }

    /// Returns the longest time between two key frames of the picture, where it is a file's.
    pub(crate) fn longest_key_interval(&self) -> Option<Duration> {
        self.film().map(|track| track.longest_key_interval)
    }

    fn film(&self) -> Option<&Track> {
        let is_file = |picture: &Shown| matches!(picture.spec.origin, Origin::File(_));
        let picture = self.clip.video.as_deref();
        picture.filter(|_| self.picture.as_ref().is_none_or(is_file))
    }

    /// Returns the sound for a far end with these parameters; `None` without one.
    ///
    /// # Errors
    /// When it cannot be encoded that way.
    pub(crate) fn audio(&self, parameters: &OpusParameters) -> Result<Option<Part>, String> {
        let Some(sound) = &self.sound else {
            return Ok(self.clip.audio.clone().map(Part::Clip));
        };
        let source = sound.open(sound.wishes.towards(parameters));
        Ok(Some(self.part(source.map_err(|error| error.to_string())?)))
    }

    /// Returns the picture in `codec`; `None` without one.
    ///
    /// # Errors
    /// When there is no encoder for the codec, or the file is in another one.
    pub(crate) fn video(&self, codec: Codec) -> Result<Option<Part>, String> {
        let Some(picture) = &self.picture else {
            return match &self.clip.video {
                Some(track) if track.codec == codec => Ok(Some(Part::Clip(Arc::clone(track)))),
                Some(track) => Err(other_codec(track.codec, codec)),
                None => Ok(None),
            };
        };
        match picture.open(codec) {
            Ok(source) => Ok(Some(self.part(source))),
            Err(MediaError::WrongCodec { found, .. }) => Err(other_codec(found, codec)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns what is played of a source: with the period of the clip, where it begins and ends.
    fn part(&self, source: Source) -> Part {
        match source {
            Source::Track(track) => {
                let ours = match track.codec.kind() {
                    Kind::Audio => &self.clip.audio,
                    Kind::Video => &self.clip.video,
                };
                // Most often it is the encoding that the clip was made of.
                let is_ours = |ours: &&Arc<Track>| {
                    ours.codec == track.codec && Arc::ptr_eq(&ours.frames[0], &track.frames[0])
                };
                match ours.as_ref().filter(is_ours) {
                    Some(ours) => Part::Clip(Arc::clone(ours)),
                    None => Part::Clip(self.clip.fitted(track)),
                }
            }
            Source::Endless(track) => Part::Endless(track),
            Source::Live(live) => Part::Live(live),
        }
    }
}

fn other_codec(found: Codec, wanted: Codec) -> String {
    format!(
        "our picture is {found} and the node takes {wanted} alone; convert it, or set the node to \
         {found}"
    )
}

impl Sound {
    fn open(&self, settings: OpusSettings) -> Result<Source, MediaError> {
        once(&self.opened, settings, || {
            media::open_audio_as(&self.spec, settings)
        })
    }
}

impl Shown {
    fn open(&self, codec: Codec) -> Result<Source, MediaError> {
        once(&self.opened, codec, || media::open_video(&self.spec, codec))
    }

    /// Opens it in the likeliest codec, or in the one it has.
    fn open_in_any(&self) -> Result<Source, MediaError> {
        match self.open(FILE_CODECS[0]) {
            Err(MediaError::WrongCodec { found, .. }) => self.open(found),
            other => other,
        }
    }
}

/// Returns what was opened for `key` before, or opens it.
fn once<K: Copy + PartialEq>(
    opened: &Mutex<Vec<(K, Source)>>,
    key: K,
    open: impl FnOnce() -> Result<Source, MediaError>,
) -> Result<Source, MediaError> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, source)) = opened.iter().find(|(known, _)| *known == key) {
        return Ok(source.clone());
    }
    let source = open()?;
    opened.push((key, source.clone()));
    Ok(source)
}

/// Returns what people call a source: a file by its name alone.
fn name(spec: &SourceSpec) -> String {
    match spec.path() {
        Some(path) => path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
        None => spec.to_string(),
    }
}
