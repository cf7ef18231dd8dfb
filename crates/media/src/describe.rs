//! What a file holds, for a person who wants to know before it is played.

use std::time::Duration;

use crate::error::MediaError;
use crate::film::Film;
use crate::read::{self, File, Stated};
use crate::sound;
use crate::source::{Origin, SourceSpec, open_audio};
use crate::stills;

/// What a file holds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Description {
    /// What holds it, such as `MP4`.
    pub container: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Its sound, if there is any.
    pub sound: Option<Sound>,
    /// Its pictures, if there are any.
    pub picture: Option<Film>,
}

/// The sound of a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sound {
    /// Its codec's name.
    pub codec: String,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<usize>,
    /// How long it plays, since the start of the file.
    pub duration: Duration,
    /// Bits a second as it is sent, on average.
    pub sent_bit_rate: u64,
    /// Why it is not sent as it is; nothing if it is.
    pub why_transcoded: Option<String>,
    /// Integrated loudness in LUFS (EBU R 128); none for what is silent, or too short.
    pub loudness: Option<f64>,
    /// True peak in dBTP.
    pub true_peak: f64,
}

/// Finds out what a file holds, reading all of it and decoding its sound; nothing of a source that is made
/// here. What is said of sound is that of the part its options name; its loudness is that before they change it.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or holds nothing that can be played.
pub fn describe(spec: &SourceSpec) -> Result<Option<Description>, MediaError> {
    let Origin::File(path) = &spec.origin else {
        return Ok(None);
    };
    if stills::is_still(path) {
        return Ok(None);
    }
    let picture = match read::read_film(path) {
        Ok(film) => Some(film),
        Err(MediaError::NoTrack { .. }) => None,
        Err(error) => return Err(error),
    };
    let sound = match Sound::of(spec) {
        Ok(sound) => Some(sound),
        Err(MediaError::NoTrack { .. }) if picture.is_some() => None,
        Err(error) => return Err(error),
    };
    let file = File::read(path)?;
    Ok(Some(Description {
        container: match &picture {
            Some(film) => film.container,
            None => file.container()?.name(),
        },
        bytes: file.bytes.len() as u64,
        sound,
        picture,
    }))
}

impl Description {
    /// Returns how long it plays: the longer of sound and picture.
    pub fn duration(&self) -> Duration {
        let sound = self.sound.as_ref().map(|sound| sound.duration);
        let picture = self.picture.as_ref().map(|film| film.duration);
        sound.max(picture).unwrap_or_default()
    }
}

impl Sound {
    fn of(spec: &SourceSpec) -> Result<Self, MediaError> {
        let Origin::File(path) = &spec.origin else {
            return Err(MediaError::NoFrames);
        };
        let Stated {
            codec,
            sample_rate,
            channels,
        } = Stated::read(&File::read(path)?)?;
        let source = open_audio(spec)?;
        let track = source.track().ok_or(MediaError::NoFrames)?;
        let loudness = sound::measure(spec, if channels == Some(1) { 1 } else { 2 })?;
        let bytes: usize = track.frames.iter().map(|frame| frame.payload_bytes()).sum();
        let seconds = track.duration.as_secs_f64().max(1e-3);
        Ok(Self {
            why_transcoded: if codec != "Opus" {
                Some(format!("it is {codec}"))
            } else if spec.options.shapes_sound() {
                Some("its sound is changed".into())
            } else {
                None
            },
            codec,
            sample_rate,
            channels,
            duration: track.duration,
            sent_bit_rate: (bytes as f64 * 8.0 / seconds) as u64,
            loudness: loudness.loudness,
            true_peak: loudness.peak,
        })
    }
}
