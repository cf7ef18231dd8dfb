//! What can be wrong with media.

use std::io;
use std::path::PathBuf;

use crate::codec::{Codec, Kind};
use crate::frame::FrameError;

/// Why media could not be read, made or written; says what to do about it where that is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The file could not be opened or read.
    #[error(
        "cannot read {}: {source}; name a media file, a generator such as `tone` or `bars`, or a live \
         input such as `mic` or `camera`",
        path.display()
    )]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of no kind that is read here.
    #[error("{}: {found}; {remedy}", path.display())]
    Unsupported {
        /// Which file.
        path: PathBuf,
        /// What it is, as far as can be told.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// The file is of a known kind and broken.
    #[error("{}: at byte {position}: {problem}; {remedy}", path.display())]
    Broken {
        /// Which file.
        path: PathBuf,
        /// Where it stops making sense, in bytes from its start.
        position: u64,
        /// What is wrong there.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The file has no track of the kind that is wanted.
    #[error("{} has no {kind} that can be played here: {remedy}", path.display())]
    NoTrack {
        /// Which file.
        path: PathBuf,
        /// What was looked for.
        kind: Kind,
        /// What to do.
        remedy: String,
    },
    /// What the operator wrote names no source.
    #[error("`{text}` is no media source: {reason}")]
    UnknownSource {
        /// As it was written.
        text: String,
        /// What is wrong with it and what may stand there.
        reason: String,
    },
    /// A line of a list of sources names none that can be played.
    #[error("{}:{line}: {error}", path.display())]
    Line {
        /// Which list.
        path: PathBuf,
        /// Which of its lines, from 1.
        line: usize,
        /// What is wrong there.
        error: Box<Self>,
    },
    /// A live input is not there, or gives nothing that can be played.
    #[error("`{name}` {reason}")]
    Input {
        /// What it is called.
        name: String,
        /// What is in the way.
        reason: String,
    },
    /// Text cannot be said.
    #[error("cannot say the text: {0}")]
    Speech(String),
    /// Sound cannot be worked on.
    #[error("cannot play the sound: {0}")]
    Sound(String),
    /// A frame could not be cut into packets.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A track needs at least one frame, all of one codec.
    #[error("a track needs at least one frame, and all of one codec")]
    NoFrames,
    /// An encoder or decoder refused.
    #[error("{codec}: {reason}")]
    Coder {
        /// Which codec.
        codec: Codec,
        /// What its library said.
        reason: String,
    },
    /// A picture could not be written as a JPEG file.
    #[error("cannot write the picture as JPEG: {0}")]
    Jpeg(String),
    /// A file of the recording could not be written to its end.
    #[error("{0}")]
    Incomplete(String),
    /// The recording could not be written.
    #[error("cannot write {}: {reason}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
}

/// Returns what to tell ffmpeg to make a track in `codec` that plays well.
pub(crate) fn ffmpeg_options(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "-vn -c:a libopus -b:a 48k",
        Codec::Vp8 => "-an -c:v libvpx -b:v 800k -g 30 -auto-alt-ref 0",
        Codec::Vp9 => "-an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 800k -g 30",
        Codec::H264 => "-an -c:v libx264 -profile:v baseline -pix_fmt yuv420p -b:v 800k -g 30",
        Codec::Av1 => "-an -c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 500k -g 30",
    }
}
