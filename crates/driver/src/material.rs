//! What is sent, opened once for any number of callers.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media::{Clip, Codec, MediaError, Source, SourceSpec};

use crate::sources::Part;

/// A clip or live generators, opened once and shared by everyone who sends them.
///
/// Files are read when the material is opened, so that a bad one is told before anyone joins.
/// A generated picture is encoded in the codec of the answer, once for all who have the same.
#[derive(Debug)]
pub struct Material {
    clip: Clip,
    /// A sound without beginning or end.
    audio: Option<Part>,
    video: Option<Generator>,
}

/// A picture made by a generator, in any codec there is an encoder for.
#[derive(Debug)]
struct Generator {
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
        let mut material = Self {
            clip: Clip::new("", None, None),
            audio: None,
            video: None,
        };
        let (mut sound, mut picture) = (None, None);
        match (audio, audio.map(media::open_audio).transpose()?) {
            (Some(SourceSpec::File(_)), Some(Source::Track(track))) => sound = Some(track),
            (_, Some(Source::Track(track))) => material.audio = Some(Part::Endless(track)),
            (_, Some(Source::Live(live))) => material.audio = Some(Part::Live(live)),
            (_, None) => {}
        }
        match video {
            Some(SourceSpec::File(_)) => picture = video.map(file).transpose()?,
            Some(spec) => {
                let generator = Generator {
                    spec: spec.clone(),
                    opened: Mutex::default(),
                };
                // What cannot be opened at all is told now; nothing is drawn until it is wanted.
                generator.open(FILE_CODECS[0])?;
                material.video = Some(generator);
            }
            None => {}
        }
        let name = audio.or(video).map(name).unwrap_or_default();
        material.clip = Clip::new(name, sound, picture);
        Ok(material)
    }

    /// Returns the material that plays `clip`.
    pub fn from_clip(clip: Clip) -> Self {
        Self {
            clip,
            audio: None,
            video: None,
        }
    }

    /// Returns what is played from its beginning: all that is no generator.
    pub fn clip(&self) -> &Clip {
        &self.clip
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

    /// Returns the longest time between two key frames of the picture, where it is a file's.
    pub(crate) fn longest_key_interval(&self) -> Option<Duration> {
        self.clip
            .video
            .as_ref()
            .map(|track| track.longest_key_interval)
    }

    /// Returns the sound.
    pub(crate) fn audio(&self) -> Option<Part> {
        self.audio
            .clone()
            .or_else(|| self.clip.audio.clone().map(Part::Clip))
    }

    /// Returns the picture in `codec`; `None` without one.
    ///
    /// # Errors
    /// When there is no encoder for the codec, or the file is in another one.
    pub(crate) fn video(&self, codec: Codec) -> Result<Option<Part>, String> {
        if let Some(generator) = &self.video {
            return match generator.open(codec) {
                Ok(Source::Track(track)) => Ok(Some(Part::Endless(track))),
                Ok(Source::Live(live)) => Ok(Some(Part::Live(live))),
                Err(error) => Err(error.to_string()),
            };
        }
        match &self.clip.video {
            Some(track) if track.codec == codec => Ok(Some(Part::Clip(Arc::clone(track)))),
            Some(track) => Err(format!(
                "our picture is {0} and the node takes {codec} alone; convert it, or set the node \
                 to {0}",
                track.codec
            )),
            None => Ok(None),
        }
    }
}

impl Generator {
    fn open(&self, codec: Codec) -> Result<Source, MediaError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, source)) = opened.iter().find(|(known, _)| *known == codec) {
            return Ok(source.clone());
        }
        let source = media::open_video(&self.spec, codec)?;
        opened.push((codec, source.clone()));
        Ok(source)
    }
}

/// Returns what people call a source: a file by its name alone.
fn name(spec: &SourceSpec) -> String {
    match spec {
        SourceSpec::File(path) => path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned(),
        other => other.to_string(),
    }
}

/// Opens a video file in whichever codec it is.
fn file(spec: &SourceSpec) -> Result<Arc<media::Track>, MediaError> {
    let opened = match media::open_video(spec, FILE_CODECS[0]) {
        Err(MediaError::WrongCodec { found, .. }) => media::open_video(spec, found),
        other => other,
    };
    match opened? {
        Source::Track(track) => Ok(track),
        // A file is a track; were it not, there would be no clip of it.
        Source::Live(_) => Err(MediaError::NoFrames),
    }
}
