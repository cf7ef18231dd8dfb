//! Recordings: WebM with Opus, and VP8, VP9 or AV1, as it came.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use webm::mux::{
    AudioCodecId, AudioTrack, Error, Segment, SegmentBuilder, VideoCodecId, VideoTrack, Writer,
};

use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::SAMPLE_RATE;
use crate::payload;

/// Frames are kept back this long, so that sound and pictures that come out of order are written in order.
const REORDER: Duration = Duration::from_millis(500);

/// Sound is kept back this long for the first picture, whose size the file's head states.
const PATIENCE: Duration = Duration::from_secs(60);

/// WebM counts in milliseconds.
const TICK: Duration = Duration::from_millis(1);

/// Identification header of Opus (RFC 7845 §5.1): version 1, two channels at most, no pre-skip, 48 kHz.
const OPUS_HEAD: [u8; 19] = *b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";

/// Writes what is received to a WebM file.
///
/// The file appears with the first frame, and never before. Dropped without [`Recorder::finish`],
/// it is finished as well as can be; after a crash it can still be played up to some seconds
/// before. Writing blocks for as long as the disk does.
pub struct Recorder {
    path: PathBuf,
    audio: bool,
    video: Option<Codec>,
    /// Frames not yet written, by time and order of arrival.
    held: BTreeMap<(Duration, u64), Held>,
    arrivals: u64,
    newest: Duration,
    seen_key: bool,
    file: Option<OpenFile>,
    recorded: Recorded,
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Packets of sound.
    pub audio_frames: u64,
    /// Pictures.
    pub video_frames: u64,
    /// Frames that were left out: pictures before the first key frame, or that came too late to be put in place.
    pub left_out: u64,
    /// The time of the last frame.
    pub duration: Duration,
}

struct Held {
    kind: Kind,
    encoded: Bytes,
    is_key: bool,
}

struct OpenFile {
    segment: Segment<BufWriter<File>>,
    audio: Option<AudioTrack>,
    video: Option<VideoTrack>,
    last: Duration,
    /// Time of the last frame of each kind, which the next one of that kind must pass.
    last_audio: Option<Duration>,
    last_video: Option<Duration>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({}, {:?})", self.path.display(), self.recorded)
    }
}

impl Recorder {
    /// Tells whether a recording can hold frames of this codec.
    pub fn holds(codec: Codec) -> bool {
        match codec {
            Codec::Opus | Codec::Vp8 | Codec::Vp9 | Codec::Av1 => true,
            Codec::H264 => false,
        }
    }

    /// Prepares a recording of sound, pictures or both to `path`; checks that it can be written.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written, or the codecs are not one of sound and one of pictures
    /// that WebM holds.
    pub fn create(
        path: &Path,
        audio: Option<Codec>,
        video: Option<Codec>,
    ) -> Result<Self, MediaError> {
        let unwritable = |reason: String| MediaError::Unwritable {
            path: path.into(),
            reason,
        };
        let fits = |codec: Option<Codec>, kind| codec.is_none_or(|codec| codec.kind() == kind);
        if !fits(audio, Kind::Audio) || !fits(video, Kind::Video) || (audio, video) == (None, None)
        {
            return Err(unwritable(
                "a recording is of sound, pictures or both".into(),
            ));
        }
        if video.is_some_and(|codec| !Self::holds(codec)) {
            return Err(unwritable(
                "WebM holds no H.264, but VP8, VP9 and AV1".into(),
            ));
        }
        probe(path).map_err(|error| unwritable(error.to_string()))?;
        Ok(Self {
            path: path.into(),
            audio: audio.is_some(),
            video,
            held: BTreeMap::new(),
            arrivals: 0,
            newest: Duration::ZERO,
            seen_key: false,
            file: None,
            recorded: Recorded::default(),
        })
    }

    /// Takes in a frame that is to play at `at`, since the recording's start. Gaps stay gaps.
    ///
    /// # Errors
    ///
    /// Fails if the frame is of a codec that was not announced, or the file cannot be written.
    pub fn write(&mut self, kind: Kind, at: Duration, frame: &Frame) -> Result<(), MediaError> {
        let expected = match kind {
            Kind::Audio => self.audio.then_some(Codec::Opus),
            Kind::Video => self.video,
        };
        if expected != Some(frame.codec) {
            return Err(self.failed(format!("{} {kind} was not announced", frame.codec)));
        }
        if kind == Kind::Video && !self.seen_key {
            if !frame.is_key {
                self.recorded.left_out += 1;
                return Ok(());
            }
            self.seen_key = true;
        }
        let held = Held {
            kind,
            encoded: frame.encoded()?,
            is_key: frame.is_key,
        };
        self.arrivals += 1;
        self.newest = self.newest.max(at);
        self.held.insert((at, self.arrivals), held);
        self.write_until(self.newest.saturating_sub(REORDER), PATIENCE)
    }

    /// Writes what is left and closes the file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be written.
    pub fn finish(mut self) -> Result<Recorded, MediaError> {
        self.close()?;
        Ok(self.recorded)
    }

    fn close(&mut self) -> Result<(), MediaError> {
        let written = self.write_until(Duration::MAX, Duration::ZERO);
        let Some(file) = self.file.take() else {
            return written;
        };
        let (writer, finalized) = match file.segment.finalize(None) {
            Ok(writer) => (writer, true),
            Err(writer) => (writer, false),
        };
        let flushed = writer.into_inner().flush();
        written?;
        flushed.map_err(|error| self.failed(error.to_string()))?;
        if finalized {
            Ok(())
        } else {
            Err(self.failed("its index could not be written".into()))
        }
    }

    /// Writes the frames up to `time`; waits for a picture to open the file with, for `patience`.
    fn write_until(&mut self, time: Duration, patience: Duration) -> Result<(), MediaError> {
        while let Some((&(at, _), _)) = self.held.first_key_value() {
            if at > time {
                return Ok(());
            }
            if self.file.is_none() {
                let waits = self.video.is_some() && !self.seen_key;
                if waits && self.newest.saturating_sub(at) < patience {
                    return Ok(());
                }
                self.file = Some(self.open()?);
            }
            if let Some(((at, _), held)) = self.held.pop_first() {
                self.put(at, &held)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, at: Duration, held: &Held) -> Result<(), MediaError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let last = match held.kind {
            Kind::Audio => &mut file.last_audio,
            Kind::Video => &mut file.last_video,
        };
        // Late ones go to the end of what is written, if that moves them little.
        let earliest = last.map_or(file.last, |last| file.last.max(last + TICK));
        if earliest.saturating_sub(at) > REORDER {
            self.recorded.left_out += 1;
            return Ok(());
        }
        let at = at.max(earliest);
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let added = match (held.kind, file.audio, file.video) {
            (Kind::Audio, Some(track), _) => {
                file.segment.add_frame(track, &held.encoded, nanos, true)
            }
            (Kind::Video, _, Some(track)) => {
                file.segment
                    .add_frame(track, &held.encoded, nanos, held.is_key)
            }
            _ => {
                self.recorded.left_out += 1;
                return Ok(());
            }
        };
        *last = Some(at);
        file.last = at;
        self.recorded.duration = at;
        match held.kind {
            Kind::Audio => self.recorded.audio_frames += 1,
            Kind::Video => self.recorded.video_frames += 1,
        }
        added.map_err(|_| self.failed("a frame was refused; the disk may be full".into()))
    }

    fn open(&mut self) -> Result<OpenFile, MediaError> {
        let file = File::create(&self.path).map_err(|error| self.failed(error.to_string()))?;
        let first = self.held.values().find(|held| held.kind == Kind::Video);
        if self.video.is_some() && first.is_none() {
            tracing::warn!(path = %self.path.display(), "no picture has come: recording sound alone");
        }
        let picture = self.video.zip(first.map(|held| held.encoded.clone()));
        lay_out(file, self.audio, picture).map_err(|error| self.failed(error.to_string()))
    }

    fn failed(&self, reason: String) -> MediaError {
        MediaError::Unwritable {
            path: self.path.clone(),
            reason,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the recording may be cut short");
        }
    }
}

/// Writes the head of a file with these tracks; the size of pictures is that of the first one.
fn lay_out(file: File, audio: bool, picture: Option<(Codec, Bytes)>) -> Result<OpenFile, Error> {
    let writer = Writer::new(BufWriter::new(file));
    let mut builder = SegmentBuilder::new(writer)?.set_writing_app("standin")?;
    let mut video = None;
    if let Some((codec, encoded)) = picture {
        let id = match codec {
            Codec::Av1 => VideoCodecId::AV1,
            Codec::Vp9 => VideoCodecId::VP9,
            // The other two are refused before a file is opened.
            Codec::Vp8 | Codec::H264 | Codec::Opus => VideoCodecId::VP8,
        };
        let (width, height) = codec.dimensions(&encoded).unwrap_or((640, 360));
        let track;
        (builder, track) = builder.add_video_track(width, height, id, None)?;
        if codec == Codec::Av1
            && let Some(record) = payload::av1::configuration_record(&encoded)
        {
            builder = builder.set_codec_private(track, &record)?;
        }
        video = Some(track);
    }
    let mut sound = None;
    if audio {
        let track;
        (builder, track) = builder.add_audio_track(SAMPLE_RATE, 2, AudioCodecId::Opus, None)?;
        builder = builder.set_codec_private(track, &OPUS_HEAD)?;
        sound = Some(track);
    }
    Ok(OpenFile {
        segment: builder.build(),
        audio: sound,
        video,
        last: Duration::ZERO,
        last_audio: None,
        last_video: None,
    })
}

/// Finds out whether a file can be written, and leaves everything as it was.
fn probe(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(path).map(drop)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
