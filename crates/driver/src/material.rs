//! What is sent, opened once for any number of callers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media::{
    Absence, Acceptance, Clip, Codec, Feed, Kind, MediaError, OpusParameters, OpusSettings,
    OpusWishes, Reel, Repeat, Source, SourceSpec, Track,
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
    /// Whether the picture is a file's.
    is_file: bool,
}

/// A source of sound, in each of the encodings that answers have asked for.
#[derive(Debug)]
struct Sound {
    spec: SourceSpec,
    /// Where it is a live input.
    feed: Option<Arc<Feed>>,
    wishes: OpusWishes,
    opened: Mutex<Vec<(OpusSettings, Source)>>,
}

/// A source of pictures.
#[derive(Debug)]
enum Shown {
    Reel(Box<Reel>),
    /// A live input, for each of the far ends that take different things.
    Feed(Arc<Feed>, Mutex<Vec<(Acceptance, Source)>>),
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
        Self::open_with(audio, video, OpusWishes::default(), Absence::Refused)
    }

    /// Opens the sources, with what is allowed of what answers may ask for in Opus, and what is done
    /// about live inputs that are not there.
    ///
    /// # Errors
    /// When a source is missing, truncated or of the wrong kind.
    pub fn open_with(
        audio: Option<&SourceSpec>,
        video: Option<&SourceSpec>,
        wishes: OpusWishes,
        absence: Absence,
    ) -> Result<Self, MediaError> {
        let feed = |spec: Option<&SourceSpec>, kind| match spec {
            Some(spec) if spec.is_feed() && !spec.may_be(kind) => Err(MediaError::Input {
                name: spec.label(),
                reason: format!("has no {kind}"),
            }),
            Some(spec) => Feed::open(spec, absence),
            None => Ok(None),
        };
        let sounding = feed(audio, Kind::Audio)?;
        // Sound and picture of one live input come from one.
        let showing = match &sounding {
            Some(feed) if audio == video => Some(Arc::clone(feed)),
            _ => feed(video, Kind::Video)?,
        };
        let sound = audio.map(|spec| Sound {
            spec: spec.clone(),
            feed: sounding,
            wishes,
            opened: Mutex::default(),
        });
        let picture = video.map(|spec| Shown::open(spec, showing)).transpose()?;
        // What cannot be opened at all is told now; a live picture is not drawn before it is wanted.
        let heard = sound.as_ref().map(Sound::clip).transpose()?.flatten();
        let seen = picture.as_ref().map(Shown::clip).transpose()?.flatten();
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
    /// A file's or a live input's own comes first, where it can be sent as it is; the node may still
    /// prefer another one, so the rest follows.
    pub fn video_codecs(&self) -> Vec<Codec> {
        let mut codecs = Codec::VIDEO.to_vec();
        let own = match (&self.clip.video, &self.picture) {
            (Some(track), _) => Some(track.codec),
            (None, Some(Shown::Feed(feed, _))) => feed.video_codec(),
            (None, _) => None,
        };
        if let Some(own) = own {
            codecs.sort_by_key(|codec| *codec != own);
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
        let part = self.video_unprepared(accepted)?;
        if let Some(Part::Clip(track)) = &part {
            track.prepare(PREPARED, PATIENCE);
        }
        Ok(part)
    }

    /// Returns the same, of which nothing is made yet.
    ///
    /// # Errors
    /// When it can be neither sent as it is nor encoded.
    pub(crate) fn video_unprepared(&self, accepted: &Acceptance) -> Result<Option<Part>, String> {
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
    fn open(&self, settings: OpusSettings) -> Result<Source, MediaError> {
        once(&self.opened, settings, || match &self.feed {
            Some(feed) => feed.sound(settings).map(Source::Live),
            None => media::open_audio_as(&self.spec, settings),
        })
    }

    fn clip(&self) -> Result<Option<Arc<Track>>, MediaError> {
        match &self.feed {
            Some(feed) => feed.check(Kind::Audio).map(|()| None),
            None => self.open(self.wishes.expected()).map(ending),
        }
    }
}

impl Shown {
    fn open(spec: &SourceSpec, feed: Option<Arc<Feed>>) -> Result<Self, MediaError> {
        Ok(match feed {
            Some(feed) => Self::Feed(feed, Mutex::default()),
            None => Self::Reel(Box::new(Reel::open(spec)?)),
        })
    }

    fn towards(&self, accepted: &Acceptance) -> Result<Source, MediaError> {
        match self {
            Self::Reel(reel) => reel.towards(accepted),
            Self::Feed(feed, opened) => {
                once(opened, *accepted, || feed.video(accepted).map(Source::Live))
            }
        }
    }

    fn clip(&self) -> Result<Option<Arc<Track>>, MediaError> {
        match self {
            Self::Reel(reel) => reel.best().map(ending),
            Self::Feed(feed, _) => feed.check(Kind::Video).map(|()| None),
        }
    }
}

/// Returns what was opened with the same `key` before, or opens it.
fn once<K: PartialEq>(
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

/// Returns what of a source begins and ends.
fn ending(source: Source) -> Option<Arc<Track>> {
    match source {
        Source::Track(track) => Some(track),
        Source::Endless(_) | Source::Live(_) => None,
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
        None => spec.label(),
    }
}
