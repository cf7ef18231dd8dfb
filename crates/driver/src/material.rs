//! What is sent, opened once for any number of callers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media::{
    Acceptance, Clip, Codec, Kind, MediaError, OpusParameters, OpusSettings, OpusWishes, Reel,
    Repeat, Source, SourceSpec, Track,
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
    picture: Option<Reel>,
    /// Whether the picture is a file's.
    is_file: bool,
}

/// A source of sound, in each of the encodings that answers have asked for.
#[derive(Debug)]
struct Sound {
    spec: SourceSpec,
    wishes: OpusWishes,
    opened: Mutex<Vec<(OpusSettings, Source)>>,
}

/// How many frames are made before one is played, where they are encoded meanwhile, and how long that may
/// keep the call waiting.
const PREPARED: usize = 30;
const PATIENCE: Duration = Duration::from_secs(3);

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
        let picture = video.map(Reel::open).transpose()?;
        // What cannot be opened at all is told now; a live picture is not drawn before it is wanted.
        let heard = sound.as_ref().map(|sound| sound.open(wishes.expected()));
        let seen = picture.as_ref().map(Reel::best);
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
            is_file: video.is_some_and(|spec| spec.path().is_some()),
        })
    }

    /// Returns the material that plays `clip`.
    pub fn from_clip(clip: Clip) -> Self {
        Self {
            clip,
            rounds: None,
            sound: None,
            picture: None,
            is_file: true,
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
    /// A file's own comes first, where it can be sent as it is; the node may still prefer another one,
    /// so the rest follows.
    pub fn video_codecs(&self) -> Vec<Codec> {
        let mut codecs = Codec::VIDEO.to_vec();
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
        self.clip.video.as_deref().filter(|_| self.is_file)
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

    /// Returns the picture for a far end that takes `accepted`; `None` without one. Blocks, where it is
    /// encoded while it is played, until its first frames are there.
    ///
    /// # Errors
    /// When it can be neither sent as it is nor encoded.
    pub(crate) fn video(&self, accepted: &Acceptance) -> Result<Option<Part>, String> {
        let wanted = accepted.codec;
        let Some(picture) = &self.picture else {
            return match &self.clip.video {
                Some(track) if track.codec == wanted => Ok(Some(Part::Clip(Arc::clone(track)))),
                Some(track) => Err(format!(
                    "our picture is {0} and the node takes {wanted} alone; set the node to {0}",
                    track.codec
                )),
                None => Ok(None),
            };
        };
        let source = picture
            .towards(accepted)
            .map_err(|error| error.to_string())?;
        if let Source::Track(track) = &source {
            track.prepare(PREPARED, PATIENCE);
        }
        Ok(Some(self.part(source)))
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

impl Sound {
    /// Returns it as it was opened for the same settings before, or opens it.
    fn open(&self, settings: OpusSettings) -> Result<Source, MediaError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, source)) = opened.iter().find(|(known, _)| *known == settings) {
            return Ok(source.clone());
        }
        let source = media::open_audio_as(&self.spec, settings)?;
        opened.push((settings, source.clone()));
        Ok(source)
    }
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
