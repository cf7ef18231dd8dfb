//! Marks in sound and picture, by which a listener knows what it hears and sees, and when that was sent.
//!
//! Whoever speaks is a *voice*, a number below [`VOICES`]. Its sound carries a mark every second:
//! two equal bursts of sixteen short tones, whose order is the voice's own and whose distance is the
//! mark's count. A burst is found by correlation, so that level, a second coding and other voices in
//! the same mix do not hide it. Its picture carries a strip of black and white cells with the voice,
//! the frame's number and a checksum, so large that a scaled and poorly encoded picture still has it.
//!
//! A marked track is encoded once and loops, so a mark alone does not say when it was sent: whoever
//! sends takes note of the moments ([`Marked::mark_of`]), and counts go around slowly enough that no
//! delay is taken for another.

mod burst;
mod cells;
mod find;
mod make;

use std::sync::Arc;
use std::time::Duration;

pub use cells::{PictureMark, read_mark};
pub use find::{FINDER_RATE, SoundMark, SoundMarks};
pub use make::{Base, marked_picture, marked_sound};

use crate::frame::Frame;
use crate::track::Track;

/// How many voices can be told apart.
pub const VOICES: usize = 8;

/// How many marks of sound there are before the count begins again.
pub const COUNTS: u32 = 8;

/// From one mark of sound to the next.
pub const PERIOD: Duration = Duration::from_secs(1);

/// Frames of a marked picture each second.
pub const FRAME_RATE: u32 = 30;

/// A track with marks, to be looped.
#[derive(Debug, Clone)]
pub struct Marked {
    /// The track; how long it plays is a multiple of the marks' round.
    pub track: Arc<Track>,
    /// The mark that begins in each frame, if any, by the frame's place in the track.
    marks: Vec<Option<Begun>>,
}

/// A mark that begins in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Its count.
    pub count: u32,
    /// How much of the frame is played before it.
    pub after: Duration,
}

impl Marked {
    /// Returns the mark that begins in `frame`, which must be of this track, else there is none.
    pub fn mark_of(&self, frame: &Arc<Frame>) -> Option<Begun> {
        let frames = &self.track.frames;
        let at = frames.partition_point(|other| other.media_time < frame.media_time);
        // What flows between clips has media times too.
        frames.get(at).filter(|other| Arc::ptr_eq(other, frame))?;
        *self.marks.get(at)?
    }
}
