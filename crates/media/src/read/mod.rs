//! Files: what they are is told by their first bytes, not by their names.

mod annex_b;
mod decoded;
mod ivf;
mod mp4;
mod ogg_opus;
mod opus_packets;
mod preparing;
mod stated;
mod wav;
mod webm;
pub(crate) mod y4m;

pub(crate) use stated::Stated;

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Codec, Kind};
use crate::error::{MediaError, ffmpeg_options};
use crate::film::Film;
use crate::frame::{Frame, FrameError};
use crate::opus::OpusSettings;
use crate::sound::{CHANNELS, Encode, Flow, Sink, pour_silence, samples};
use crate::track::{Clip, Track};

/// The largest file that is read, in bytes: files are played from memory.
const LARGEST: u64 = 2 << 30;

/// The longest track that is believed: sound is filled up with silence to the end of its picture, so
/// that one wild time stamp would cost memory without end.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A file in memory, with what its errors have in common.
pub(crate) struct File<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: Bytes,
}

/// What a file is.
pub(crate) enum Container {
    Ogg,
    Ivf,
    Wav,
    Webm,
    /// MP4 and its like (ISO/IEC 14496-12).
    Mp4,
    /// A file of sound alone in a codec that must be decoded.
    Sound,
    /// H.264 as a byte stream.
    AnnexB,
    Y4m,
}

impl Container {
    /// Returns what people call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ogg => "Ogg",
            Self::Ivf => "IVF",
            Self::Wav => "WAV",
            Self::Webm => "Matroska",
            Self::Mp4 => "MP4",
            Self::Sound => "sound file",
            Self::AnnexB => "H.264 byte stream",
            Self::Y4m => "Y4M",
        }
    }
}

impl<'a> File<'a> {
    pub(crate) fn read(path: &'a Path) -> Result<Self, MediaError> {
        let unreadable = |source| MediaError::Unreadable {
            path: path.into(),
            source,
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            // Reading a pipe or a terminal might never end.
            return Err(unreadable(io::Error::other("it is not a regular file")));
        }
        let too_large = || {
            let gigabytes = LARGEST >> 30;
            unreadable(io::Error::other(format!(
                "it has more than {gigabytes} GB, and files are played from memory"
            )))
        };
        if metadata.len() > LARGEST {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(path).map_err(unreadable)?;
        // It may grow meanwhile.
        let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
        if read.map_err(unreadable)? as u64 > LARGEST {
            return Err(too_large());
        }
        let bytes = Bytes::from(bytes);
        Ok(Self { path, bytes })
    }

    /// Makes a track of what was read.
    fn track(&self, frames: Vec<Frame>) -> Result<Track, MediaError> {
        let track = Track::new(frames)?;
        if track.duration > LONGEST {
            let hours = track.duration.as_secs() / 3600;
            let problem = format!("its time stamps span {hours} hours; a day at most is believed");
            return Err(self.broken(self.bytes.len() as u64, problem));
        }
        Ok(track)
    }

    pub(crate) fn container(&self) -> Result<Container, MediaError> {
        match self.bytes.get(..4) {
            Some(b"OggS") => Ok(Container::Ogg),
            Some(b"DKIF") => Ok(Container::Ivf),
            Some(b"RIFF") => Ok(Container::Wav),
            Some([0x1a, 0x45, 0xdf, 0xa3]) => Ok(Container::Webm),
            _ if self.bytes.get(4..8) == Some(b"ftyp") => Ok(Container::Mp4),
            Some(b"fLaC" | b"FORM" | b"caff" | [b'I', b'D', b'3', _]) => Ok(Container::Sound),
            // What MPEG audio begins with (ISO/IEC 11172-3, 13818-7): twelve bits that are set.
            Some([0xff, second, _, _]) if second & 0xe0 == 0xe0 => Ok(Container::Sound),
            _ if annex_b::is_annex_b(&self.bytes) => Ok(Container::AnnexB),
            _ if self.bytes.starts_with(y4m::MAGIC) => Ok(Container::Y4m),
            _ if self.bytes.is_empty() => Err(self.unsupported("is empty", None)),
            _ => Err(self.unsupported("is no media file that is known here", None)),
        }
    }

    /// An error for a file that is whole, but not of a kind that can be played.
    pub(crate) fn unsupported(&self, found: &str, kind: Option<Kind>) -> MediaError {
        let audio = format!("`ffmpeg -i FILE {} OUT.ogg`", ffmpeg_options(Codec::Opus));
        let video = format!("`ffmpeg -i FILE {} OUT.ivf`", ffmpeg_options(Codec::Vp8));
        MediaError::Unsupported {
            path: self.path.into(),
            found: found.into(),
            remedy: match kind {
                Some(Kind::Audio) => format!("convert it, for example with {audio}"),
                Some(Kind::Video) => format!("convert it, for example with {video}"),
                None => format!(
                    "sound is played from Ogg, WAV, MP3, AAC, FLAC, MP4 and WebM, pictures from WebM, Matroska, MP4, IVF, \
                     H.264 byte streams and Y4M; convert it, for example with {audio} or {video}"
                ),
            },
        }
    }

    /// An error for a file that does not hold what it promises.
    pub(crate) fn broken(&self, position: u64, problem: impl Into<String>) -> MediaError {
        MediaError::Broken {
            path: self.path.into(),
            position,
            problem: problem.into(),
            remedy: "the file is damaged or was cut off: copy or convert it again".into(),
        }
    }

    /// An error for encoded bytes that cannot be sent as a frame.
    fn no_frame(&self, position: u64, number: usize, error: &FrameError) -> MediaError {
        match error {
            FrameError::TooLarge { .. } => {
                self.unsupported(&format!("holds {error}"), Some(Kind::Audio))
            }
            _ => self.broken(position, format!("frame {number}: {error}")),
        }
    }

    pub(crate) fn no_track(&self, kind: Kind, remedy: &str) -> MediaError {
        MediaError::NoTrack {
            path: self.path.into(),
            kind,
            remedy: remedy.into(),
        }
    }
}

/// Reads the sound of a file: Opus as it is, anything else encoded as Opus.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or holds no such sound.
pub fn read_audio(path: &Path) -> Result<Track, MediaError> {
    let file = File::read(path)?;
    match file.container()? {
        Container::Ogg => match ogg_opus::read(&file)? {
            Some(track) => Ok(track),
            None => decoded::read(&file),
        },
        Container::Mp4 | Container::Sound => decoded::read(&file),
        Container::Wav => encoded(&file, OpusSettings::default()),
        Container::Webm => webm::sound(&file),
        Container::Ivf | Container::AnnexB | Container::Y4m => Err(no_sound(&file)),
    }
}

/// Reads the sound of a file as `settings` say: Opus as it is unless it has more bits a second than the
/// receiver takes, anything else encoded.
pub(crate) fn read_audio_as(path: &Path, settings: OpusSettings) -> Result<Track, MediaError> {
    if settings == OpusSettings::default() {
        return read_audio(path);
    }
    let file = File::read(path)?;
    if is_opus(&file)? {
        let track = read_audio(path)?;
        let bytes: usize = track
            .frames
            .iter()
            .flat_map(|frame| &frame.payloads)
            .map(Bytes::len)
            .sum();
        let bit_rate = bytes as f64 * 8.0 / track.duration.as_secs_f64();
        match settings.limit {
            Some(limit) if bit_rate > f64::from(limit) * TOLERANCE => tracing::info!(
                path = %path.display(),
                "encoded anew: it has {bit_rate:.0} bit/s, and the far end takes {limit}"
            ),
            _ => return Ok(track),
        }
    }
    encoded(&file, settings)
}

/// Finds out whether a file has sound, reading no more of it than that takes.
pub(crate) fn find_sound(path: &Path) -> Result<(), MediaError> {
    begins(&File::read(path)?).map(drop)
}

/// Pours the sound of a file into `to`, from where its pictures begin, were there any.
pub(crate) fn pour(path: &Path, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    let file = File::read(path)?;
    let mut bounded = Bounded::new(&file, LONGEST, to);
    if pour_silence(begins(&file)?, &mut bounded)?.is_break() {
        return Ok(Flow::Break(()));
    }
    pour_file(&file, &mut bounded)
}

/// A little more than the far end's limit is not worth a second encoding.
const TOLERANCE: f64 = 1.05;

fn no_sound(file: &File<'_>) -> MediaError {
    file.no_track(
        Kind::Audio,
        "files of this kind hold pictures alone; name a sound file as well",
    )
}

fn is_opus(file: &File<'_>) -> Result<bool, MediaError> {
    match file.container()? {
        Container::Ogg if ogg_opus::is_there(file)? => Ok(true),
        Container::Wav => Ok(false),
        Container::Ivf | Container::AnnexB | Container::Y4m => Err(no_sound(file)),
        Container::Ogg | Container::Mp4 | Container::Sound | Container::Webm => {
            decoded::is_opus(file)
        }
    }
}

/// Returns when the sound begins, compared with the pictures: within a day.
fn begins(file: &File<'_>) -> Result<Duration, MediaError> {
    let begins = match file.container()? {
        Container::Ogg if ogg_opus::is_there(file)? => Ok(Duration::ZERO),
        Container::Wav if wav::holds_samples(&file.bytes) => Ok(Duration::ZERO),
        Container::Ivf | Container::AnnexB | Container::Y4m => Err(no_sound(file)),
        Container::Ogg | Container::Wav | Container::Mp4 | Container::Sound | Container::Webm => {
            decoded::begins(file)
        }
    }?;
    if begins > LONGEST {
        let hours = begins.as_secs() / 3600;
        let problem = format!("its sound begins after {hours} hours; a day at most is believed");
        return Err(file.broken(0, problem));
    }
    Ok(begins)
}

fn pour_file(file: &File<'_>, to: &mut dyn Sink) -> Result<Flow, MediaError> {
    match file.container()? {
        Container::Ogg => match ogg_opus::pour(file, to)? {
            Some(flow) => Ok(flow),
            None => decoded::pour(file, to),
        },
        Container::Wav if wav::holds_samples(&file.bytes) => wav::pour(file, to),
        Container::Ivf | Container::AnnexB | Container::Y4m => Err(no_sound(file)),
        Container::Wav | Container::Mp4 | Container::Sound | Container::Webm => {
            decoded::pour(file, to)
        }
    }
}

/// Encodes the sound of a file.
fn encoded(file: &File<'_>, settings: OpusSettings) -> Result<Track, MediaError> {
    let begins = begins(file)?;
    let mut encode = Encode::new(settings, begins)?;
    let _ = pour_file(file, &mut Bounded::new(file, LONGEST - begins, &mut encode))?;
    match encode.finish()? {
        Some(track) => Ok(track),
        None => Err(file.broken(file.bytes.len() as u64, "there is no sound in it")),
    }
}

/// Refuses to go on for longer than is believed: time stamps and few bytes can promise centuries.
struct Bounded<'a> {
    file: &'a File<'a>,
    /// How many samples on one channel may still come.
    left: u64,
    to: &'a mut dyn Sink,
}

impl<'a> Bounded<'a> {
    fn new(file: &'a File<'_>, longest: Duration, to: &'a mut dyn Sink) -> Self {
        Self {
            file,
            left: samples(longest),
            to,
        }
    }
}

impl Sink for Bounded<'_> {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        let Some(left) = self.left.checked_sub((samples.len() / CHANNELS) as u64) else {
            let end = self.file.bytes.len() as u64;
            return Err(self.file.broken(end, "it plays for longer than a day"));
        };
        self.left = left;
        self.to.take(samples)
    }
}

/// Reads the pictures of a file as they are, to be sent so: VP8, VP9, AV1, or H.264 without B-frames.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or holds no such pictures.
pub fn read_video(path: &Path) -> Result<Track, MediaError> {
    read_film(path)?.track()
}

/// Reads the pictures of a file, whatever is to become of them.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or holds no pictures in a codec that is known here.
pub fn read_film(path: &Path) -> Result<Film, MediaError> {
    let file = File::read(path)?;
    match file.container()? {
        Container::Ivf => ivf::read(&file),
        Container::Webm => webm::pictures(&file),
        Container::Mp4 => mp4::pictures(&file),
        Container::AnnexB => annex_b::read(&file),
        Container::Y4m => y4m::read(&file),
        Container::Ogg | Container::Sound | Container::Wav => {
            Err(file.no_track(Kind::Video, "it is a sound file; name one with pictures"))
        }
    }
}

/// Reads a clip of sound, pictures or both; both may come from one WebM file.
///
/// # Errors
///
/// Fails as [`read_audio`] and [`read_video`] do, or if neither is named.
pub fn load_clip(audio: Option<&Path>, video: Option<&Path>) -> Result<Clip, MediaError> {
    let name = audio
        .or(video)
        .and_then(Path::file_stem)
        .ok_or(MediaError::NoFrames)?
        .to_string_lossy()
        .into_owned();
    let audio = audio.map(read_audio).transpose()?.map(Arc::new);
    let video = video.map(read_video).transpose()?.map(Arc::new);
    if let Some(warning) = video.as_ref().and_then(|track| track.key_frame_warning()) {
        tracing::warn!(clip = name, "{warning}");
    }
    Ok(Clip::new(name, audio, video))
}
