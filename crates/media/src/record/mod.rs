//! Recordings of what comes in, as it came: in order, in one file or several, whole after every
//! half second.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;

mod avc;
mod boxes;
mod configuration;
mod container;
mod ebml;
mod ivf;
mod matroska;
mod moov;
mod mp4;
mod mux;
mod ogg;
mod output;
mod part;
mod parts;
mod wav;

use mux::{Track, Tracks};
use output::Output;
use part::Part;

pub use container::Container;
pub use parts::{Parts, RecordSettings};

/// Frames are kept back this long, so that sound and pictures that come out of order are written in order.
const REORDER: Duration = Duration::from_millis(500);

/// What goes into a pipe is kept back this long for the first picture, which its head describes.
const PATIENCE: Duration = Duration::from_secs(2);

/// When no picture came for so long, a file may begin with sound.
const NO_PICTURES: Duration = Duration::from_secs(3);

/// How long a full disk is left alone before the next try: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Writes what is received to files, or to a pipe.
///
/// A file appears with the first frame, and never before. It can be played up to the last second
/// whenever the process or the machine ends. A disk that is full ends a file and not the
/// recording: another one is begun when there is room again. Writing blocks for as long as the
/// disk does.
pub struct Recorder {
    to: To,
    container: Container,
    tracks: Tracks,
    /// Frames not yet written, by time and order of arrival.
    held: BTreeMap<(Duration, u64), Held>,
    arrivals: u64,
    newest: Duration,
    /// When the last picture was to play.
    last_picture: Option<Duration>,
    part: Option<Part>,
    trouble: Option<Trouble>,
    /// A new file would be begun if a key frame came.
    wants_key: bool,
    /// A codec that the container does not hold has been told of.
    refused: Option<Codec>,
    /// Why the recording is not all that it should be, the first time.
    incomplete: Option<String>,
    recorded: Recorded,
    news: Vec<RecordNews>,
}

/// Where a recording goes.
enum To {
    Files(Parts, RecordSettings),
    /// Gone once it is in use.
    Stream(Option<Box<dyn Write + Send>>),
}

/// The disk does not take what is to be written.
struct Trouble {
    until: Duration,
    pause: Duration,
}

/// What a recording holds, all files together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Packets of sound.
    pub audio_frames: u64,
    /// Pictures.
    pub video_frames: u64,
    /// Frames that were left out: pictures before the first key frame, what came too late to be put
    /// in place, and what came while the disk was full.
    pub left_out: u64,
    /// The time of the last frame.
    pub duration: Duration,
    /// Files begun.
    pub parts: u32,
}

/// What happened to a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordNews {
    /// A file was begun.
    Began(PathBuf),
    /// A file is complete.
    Completed(PathBuf),
    /// A file could not be written to its end; in words for a person.
    Failed(String),
    /// After that, there is room again, and this file was begun.
    Resumed(PathBuf),
    /// Frames come that such a file does not hold; in words for a person.
    Refused(String),
}

struct Held {
    kind: Kind,
    codec: Codec,
    encoded: Bytes,
    duration: Duration,
    is_key: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({}, {:?})", self.container, self.recorded)
    }
}

impl Recorder {
    /// Prepares a recording of sound, pictures or both to the one file `path`; checks that it can
    /// be written.
    ///
    /// # Errors
    ///
    /// Fails as [`Parts::new`] and [`Recorder::to_files`] do.
    pub fn create(
        path: &Path,
        audio: Option<Codec>,
        video: Option<Codec>,
    ) -> Result<Self, MediaError> {
        Self::to_files(Parts::new(RecordSettings::new(path))?, audio, video)
    }

    /// Prepares a recording of sound, pictures or both to files. A file for one of them alone
    /// leaves the other out.
    ///
    /// # Errors
    ///
    /// Fails if the codecs are not one of sound and one of pictures, if such files do not hold
    /// them, or if nothing would be recorded.
    pub fn to_files(
        parts: Parts,
        audio: Option<Codec>,
        video: Option<Codec>,
    ) -> Result<Self, MediaError> {
        let settings = parts.settings();
        let container = settings.container()?;
        Self::new(To::Files(parts, settings.clone()), container, audio, video)
            .map_err(|reason| settings.unwritable(reason))
    }

    /// Prepares a recording to a pipe, in which nothing can be changed afterwards.
    ///
    /// # Errors
    ///
    /// Fails as [`Recorder::to_files`] does, with words for a person.
    pub fn to_stream(
        stream: Box<dyn Write + Send>,
        container: Container,
        audio: Option<Codec>,
        video: Option<Codec>,
    ) -> Result<Self, String> {
        Self::new(To::Stream(Some(stream)), container, audio, video)
    }

    fn new(
        to: To,
        container: Container,
        audio: Option<Codec>,
        video: Option<Codec>,
    ) -> Result<Self, String> {
        let fits = |codec: Option<Codec>, kind| codec.is_none_or(|codec| codec.kind() == kind);
        if !fits(audio, Kind::Audio) || !fits(video, Kind::Video) {
            return Err("a recording is of sound, pictures or both".into());
        }
        let taken = |codec: &Codec| container.takes(codec.kind());
        let (audio, video) = (audio.filter(taken), video.filter(taken));
        if let Some(codec) = [audio, video]
            .into_iter()
            .flatten()
            .find(|codec| !container.holds(*codec))
        {
            return Err(container.refusal(codec));
        }
        if (audio, video) == (None, None) {
            return Err("nothing comes that could be recorded to it".into());
        }
        Ok(Self {
            to,
            container,
            tracks: Tracks {
                audio: audio.map(Track::new),
                video: video.map(Track::new),
            },
            held: BTreeMap::new(),
            arrivals: 0,
            newest: Duration::ZERO,
            last_picture: None,
            part: None,
            trouble: None,
            wants_key: false,
            refused: None,
            incomplete: None,
            recorded: Recorded::default(),
            news: Vec::new(),
        })
    }

    /// Takes in a frame that is to play at `at`, since the recording's start. Gaps stay gaps.
    ///
    /// # Errors
    ///
    /// Fails if the frame is of a kind that was not announced. What the disk has to say is told by
    /// [`Recorder::news`].
    pub fn write(&mut self, kind: Kind, at: Duration, frame: &Frame) -> Result<(), MediaError> {
        if !self.container.takes(kind) {
            return Ok(());
        }
        if self.tracks.of(kind).is_none() || frame.codec.kind() != kind {
            let reason = format!("{} {kind} was not announced", frame.codec);
            return Err(MediaError::Unwritable {
                path: self.path(),
                reason,
            });
        }
        let held = Held {
            kind,
            codec: frame.codec,
            encoded: frame.encoded()?,
            duration: frame.duration,
            is_key: frame.is_key,
        };
        self.arrivals += 1;
        self.newest = self.newest.max(at);
        self.held.insert((at, self.arrivals), held);
        self.write_until(self.newest.saturating_sub(REORDER), PATIENCE);
        Ok(())
    }

    /// Returns what has happened since it was asked last.
    pub fn news(&mut self) -> Vec<RecordNews> {
        std::mem::take(&mut self.news)
    }

    /// Returns what is recorded so far.
    pub fn recorded(&self) -> Recorded {
        self.recorded
    }

    /// Tells whether a key frame is waited for, and none has come yet.
    pub fn wants_key_frame(&self) -> bool {
        let opens = |held: &Held| held.kind == Kind::Video && held.is_key;
        self.wants_key && !self.held.values().any(opens)
    }

    /// Tells whether nothing can be written any more: the pipe is broken.
    pub fn is_over(&self) -> bool {
        matches!(self.to, To::Stream(None)) && self.part.is_none()
    }

    /// Writes what is left, completes the file, and sums up.
    ///
    /// # Errors
    ///
    /// Fails if any of it could not be written, now or before.
    pub fn finish(mut self) -> Result<Recorded, MediaError> {
        self.close();
        match self.incomplete.take() {
            None => Ok(self.recorded),
            Some(why) => Err(MediaError::Incomplete(why)),
        }
    }

    fn path(&self) -> PathBuf {
        match &self.to {
            To::Files(_, settings) => settings.path.clone(),
            To::Stream(_) => PathBuf::from("the pipe"),
        }
    }

    /// Writes what is left and completes the file; what comes of it is among the news.
    pub fn close(&mut self) {
        self.write_until(Duration::MAX, Duration::ZERO);
        self.complete_part();
    }

    /// Writes the frames up to `time`; into a pipe not before there is one of each kind, or
    /// `patience` is over.
    fn write_until(&mut self, time: Duration, patience: Duration) {
        while let Some((&(at, _), _)) = self.held.first_key_value() {
            if at > time {
                return;
            }
            let begins = self.part.is_none() && matches!(self.to, To::Stream(_));
            if begins && self.newest.saturating_sub(at) < patience && !self.has_all_kinds() {
                return;
            }
            if let Some(((at, _), held)) = self.held.pop_first() {
                self.put(at, &held);
            }
        }
    }

    fn has_all_kinds(&self) -> bool {
        [Kind::Audio, Kind::Video].into_iter().all(|kind| {
            self.tracks.of(kind).is_none() || self.held.values().any(|held| held.kind == kind)
        })
    }

    fn put(&mut self, at: Duration, held: &Held) {
        if !self.container.holds(held.codec) {
            if self.refused.replace(held.codec) != Some(held.codec) {
                let why = self.container.refusal(held.codec);
                self.news.push(RecordNews::Refused(why));
            }
            self.recorded.left_out += 1;
            return;
        }
        let no_pictures = self
            .last_picture
            .is_none_or(|last| at.saturating_sub(last) > NO_PICTURES);
        if held.kind == Kind::Video {
            self.last_picture = Some(at);
        }
        let opens = held.kind == Kind::Video && held.is_key;
        let may_begin = opens || no_pictures && held.kind == Kind::Audio;
        let is_due = match &self.part {
            Some(part) => self.is_due(part, at, held),
            None => true,
        };
        self.wants_key = is_due && !may_begin;
        if is_due && may_begin && !self.is_paused(at) {
            self.complete_part();
            self.begin_part(at, held);
        }
        let Some(part) = &mut self.part else {
            self.recorded.left_out += 1;
            return;
        };
        match part.put(at, held) {
            Ok(true) => {
                self.recorded.duration = at;
                match held.kind {
                    Kind::Audio => self.recorded.audio_frames += 1,
                    Kind::Video => self.recorded.video_frames += 1,
                }
                if part.is_proven() && self.trouble.take().is_some() {
                    self.news.push(RecordNews::Resumed(part.path.clone()));
                }
            }
            Ok(false) => self.recorded.left_out += 1,
            Err(error) => self.fail(at, &error),
        }
    }

    /// Tells whether the frame belongs into another file.
    fn is_due(&self, part: &Part, at: Duration, held: &Held) -> bool {
        let To::Files(_, settings) = &self.to else {
            return false;
        };
        part.is_full()
            || part.is_of_another_codec(held.kind, held.codec)
            || settings
                .rotate_after
                .is_some_and(|limit| at.saturating_sub(part.base) >= limit)
            || settings
                .rotate_at
                .is_some_and(|limit| part.length() >= limit)
    }

    fn is_paused(&self, at: Duration) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|trouble| at < trouble.until)
    }

    fn begin_part(&mut self, at: Duration, held: &Held) {
        let opened = match &mut self.to {
            To::Files(parts, _) => parts.open(),
            To::Stream(stream) => match stream.take() {
                Some(stream) => Ok((PathBuf::from("the pipe"), Output::stream(stream))),
                None => return,
            },
        };
        // The first file begins with the recording, others with what they begin with.
        let base = if self.recorded.parts == 0 {
            Duration::ZERO
        } else {
            at
        };
        if let Some(track) = self.tracks.of_mut(held.kind) {
            track.codec = held.codec;
        }
        let mut tracks = self.tracks.clone();
        let opened = opened.and_then(|(path, output)| {
            tracks.learn(self.held.values().chain([held]));
            if !output.can_patch() {
                tracks.drop_empty();
            }
            Part::begin(self.container, path, output, tracks, base)
        });
        match opened {
            Ok(part) => {
                self.recorded.parts += 1;
                if self.trouble.is_none() {
                    self.news.push(RecordNews::Began(part.path.clone()));
                }
                self.part = Some(part);
            }
            Err(error) => self.fail(at, &error),
        }
    }

    fn complete_part(&mut self) {
        let Some(part) = self.part.take() else { return };
        let path = part.path.clone();
        match part.finish() {
            Ok(()) => {
                if let To::Files(parts, _) = &self.to {
                    parts.completed(&path);
                }
                self.news.push(RecordNews::Completed(path));
            }
            Err(error) => self.tell_failure(&path, &error),
        }
    }

    /// What is written so far stays, and the next try is made after a pause.
    fn fail(&mut self, at: Duration, error: &io::Error) {
        let part = self.part.take();
        let again = self.trouble.take();
        let pause = again
            .as_ref()
            .map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        self.trouble = Some(Trouble {
            until: at + pause,
            pause,
        });
        match (part, &self.to) {
            // There is still no room: it would be a file without content.
            (Some(part), To::Files(parts, _)) if again.is_some() && !part.is_proven() => {
                let path = part.path.clone();
                drop(part);
                parts.remove(&path);
            }
            (None, _) if again.is_some() => {}
            (Some(part), _) => {
                let path = part.path.clone();
                drop(part);
                self.tell_failure(&path, error);
            }
            // It could not even be opened, and the error says which.
            (None, _) => self.tell(error.to_string()),
        }
    }

    fn tell_failure(&mut self, path: &Path, error: &io::Error) {
        let aside = parts::set_aside(path);
        self.tell(format!("{}: {error}{aside}", path.display()));
    }

    fn tell(&mut self, why: String) {
        self.incomplete.get_or_insert_with(|| why.clone());
        self.news.push(RecordNews::Failed(why));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
