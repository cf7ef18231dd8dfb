//! The pictures of a file as it holds them, before anything is decided about how they are sent.

mod character;
mod suitability;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Codec, Kind};
use crate::error::{MediaError, ffmpeg_options};
use crate::frame::{Frame, FrameError};
use crate::read::{File, LONGEST};
use crate::track::Track;

pub(crate) use character::h264_rate;
pub use character::{Character, H264Profile};
pub use suitability::{Acceptance, Unsuitable};

/// What is sent within so long is what a way must carry; a queue on it takes what is more for a moment.
const PEAK: Duration = Duration::from_secs(2);

/// How long the last picture of a file shows, where nothing else is known.
const LAST: Duration = Duration::from_millis(40);

/// The pictures of a file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Film {
    /// Where they are from.
    pub path: PathBuf,
    /// What holds them, such as `MP4`.
    pub container: &'static str,
    /// How they are kept.
    pub coding: Coding,
    /// Pixels in a row of the first picture.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// What the stream says about itself.
    pub character: Character,
    /// How long they play, since the start of the file.
    pub duration: Duration,
    /// The longest time between two key frames, the way around a loop included.
    pub longest_key_interval: Duration,
    /// Bits a second where there are most of them, over two seconds: RFC 3890 §6.2 asks for no average.
    pub peak_bit_rate: u64,
    frames: Vec<FilmFrame>,
}

/// How pictures are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Encoded.
    Coded(Codec),
    /// As they are.
    Raw(Sampling),
}

/// How the planes of a raw picture are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Columns that share a sample of chroma: 1 or 2; none for pictures in grey.
    pub across: usize,
    /// Rows that do.
    pub down: usize,
    /// Bits of a sample: over eight, it has two bytes, the lower one first.
    pub depth: u32,
    /// Whether there is no chroma at all.
    pub is_grey: bool,
}

impl Sampling {
    /// Eight bits of 4:2:0.
    pub const PLAIN: Self = Self {
        across: 2,
        down: 2,
        depth: 8,
        is_grey: false,
    };

    /// Returns the size of a plane of chroma, in samples.
    pub(crate) fn chroma(&self, width: usize, height: usize) -> (usize, usize) {
        if self.is_grey {
            (0, 0)
        } else {
            (width.div_ceil(self.across), height.div_ceil(self.down))
        }
    }

    /// Returns the size of a picture, in bytes.
    pub(crate) fn size(&self, width: usize, height: usize) -> usize {
        let (across, down) = self.chroma(width, height);
        (width * height + 2 * across * down) * if self.depth > 8 { 2 } else { 1 }
    }
}

/// One frame of a film.
#[derive(Debug, Clone)]
pub struct FilmFrame {
    /// Its bytes; H.264 in Annex B form.
    pub bytes: Bytes,
    /// When its picture is shown, since the start of the file.
    pub shown: Duration,
    /// Whether a decoder can start here.
    pub is_key: bool,
    /// Where it is in its file, in bytes; 0 where the container's reader does not say.
    pub position: u64,
}

impl Film {
    /// Makes a film of frames in the order a decoder takes them.
    pub(crate) fn new(
        file: &File<'_>,
        container: &'static str,
        coding: Coding,
        size: Option<(u32, u32)>,
        mut frames: Vec<FilmFrame>,
    ) -> Result<Self, MediaError> {
        let Some(first) = frames.first() else {
            return Err(file.no_track(Kind::Video, "its track is empty"));
        };
        let mut character = Character::default();
        let mut stated = None;
        if let Coding::Coded(codec) = coding {
            if !first.is_key {
                let problem = format!("the first frame is no {codec} key frame");
                return Err(file.broken(first.position, problem));
            }
            character = Character::of(codec, &frames);
            stated = codec.dimensions(&first.bytes);
            if codec != Codec::H264 {
                // Only H.264 shows frames in another order than it sends them.
                let mut earliest = Duration::ZERO;
                for frame in &mut frames {
                    frame.shown = frame.shown.max(earliest);
                    earliest = frame.shown;
                }
            }
        }
        let Some((width, height)) = stated.or(size).filter(|(w, h)| *w > 0 && *h > 0) else {
            return Err(file.broken(0, "it does not say how large its pictures are"));
        };
        let mut times: Vec<Duration> = frames.iter().map(|frame| frame.shown).collect();
        times.sort_unstable();
        let last = times.last().copied().unwrap_or_default();
        let step = times
            .len()
            .checked_sub(2)
            .map_or(LAST, |at| last - times[at]);
        let duration = last + if step.is_zero() { LAST } else { step };
        if duration > LONGEST {
            let hours = duration.as_secs() / 3600;
            let problem = format!("its time stamps span {hours} hours; a day at most is believed");
            return Err(file.broken(file.bytes.len() as u64, problem));
        }
        Ok(Self {
            path: file.path.into(),
            container,
            coding,
            width,
            height,
            character,
            duration,
            longest_key_interval: longest_key_interval(&frames, duration),
            peak_bit_rate: peak_bit_rate(&frames, duration),
            frames,
        })
    }

    /// Returns its frames in the order a decoder takes them.
    pub fn frames(&self) -> &[FilmFrame] {
        &self.frames
    }

    /// Returns its codec; none where pictures are kept as they are.
    pub fn codec(&self) -> Option<Codec> {
        match self.coding {
            Coding::Coded(codec) => Some(codec),
            Coding::Raw(_) => None,
        }
    }

    /// Returns pictures a second, on average.
    pub fn frame_rate(&self) -> f64 {
        let start = self.frames.iter().map(|frame| frame.shown).min();
        let span = self.duration.saturating_sub(start.unwrap_or_default());
        self.frames.len() as f64 / span.as_secs_f64().max(1e-3)
    }

    /// Returns bits a second, on average.
    pub fn bit_rate(&self) -> u64 {
        let bytes: u64 = self
            .frames
            .iter()
            .map(|frame| frame.bytes.len() as u64)
            .sum();
        (bytes as f64 * 8.0 / self.duration.as_secs_f64().max(1e-3)) as u64
    }

    /// Makes a track of its frames as they are.
    ///
    /// # Errors
    ///
    /// Fails if they are not encoded, are shown in another order than they come, or are no frames
    /// of their codec.
    pub fn track(&self) -> Result<Track, MediaError> {
        let unsupported = |found: &str| MediaError::Unsupported {
            path: self.path.clone(),
            found: found.into(),
            remedy: format!(
                "convert it, for example with `ffmpeg -i FILE {} OUT.ivf`",
                ffmpeg_options(Codec::Vp8)
            ),
        };
        let codec = match self.coding {
            Coding::Coded(codec) if !self.character.is_reordered => codec,
            Coding::Coded(_) => return Err(unsupported("has B-frames, which calls cannot have")),
            Coding::Raw(_) => return Err(unsupported("holds pictures without compression")),
        };
        let mut frames = Vec::with_capacity(self.frames.len());
        for (number, frame) in self.frames.iter().enumerate() {
            let next = self.frames.get(number + 1).map(|frame| frame.shown);
            let duration = next.unwrap_or(self.duration).saturating_sub(frame.shown);
            let bytes = frame.bytes.clone();
            let made = Frame::packetize(codec, bytes, frame.shown, duration, frame.is_key);
            frames.push(made.map_err(|error| broken(&self.path, frame.position, number, &error))?);
        }
        Track::new(frames)
    }
}

/// An error for a frame that is none.
fn broken(path: &Path, position: u64, number: usize, error: &FrameError) -> MediaError {
    MediaError::Broken {
        path: path.into(),
        position,
        problem: format!("frame {number}: {error}"),
        remedy: "the file is damaged or was cut off: copy or convert it again".into(),
    }
}

fn longest_key_interval(frames: &[FilmFrame], duration: Duration) -> Duration {
    let mut keys: Vec<Duration> = frames
        .iter()
        .filter(|frame| frame.is_key)
        .map(|frame| frame.shown)
        .collect();
    keys.sort_unstable();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return duration;
    };
    let around = (duration + *first).saturating_sub(*last);
    let between = keys.windows(2).map(|pair| pair[1] - pair[0]).max();
    between.unwrap_or_default().max(around)
}

fn peak_bit_rate(frames: &[FilmFrame], duration: Duration) -> u64 {
    let mut frames: Vec<_> = frames
        .iter()
        .map(|frame| (frame.shown, frame.bytes.len() as u64))
        .collect();
    frames.sort_unstable();
    let (mut first, mut bytes, mut most) = (0, 0, 0);
    for (shown, length) in &frames {
        bytes += length;
        while frames[first].0 + PEAK <= *shown {
            bytes -= frames[first].1;
            first += 1;
        }
        most = most.max(bytes);
    }
    (most as f64 * 8.0 / PEAK.min(duration).as_secs_f64().max(1e-3)) as u64
}
