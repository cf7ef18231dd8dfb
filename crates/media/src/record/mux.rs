//! What all muxers have in common.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use super::Held;
use super::container::Container;
use super::output::Output;
use super::{ivf::Ivf, matroska::Matroska, mp4::Mp4, ogg::Ogg, wav::Wav};
use crate::codec::{Codec, Kind};

/// The longest stretch of media that is kept back before it is written: with what is kept back to
/// bring frames in order, no more than a second is lost with the process.
pub(super) const FRAGMENT: Duration = Duration::from_millis(500);

/// What a part of a recording holds.
#[derive(Debug, Clone)]
pub(super) struct Tracks {
    pub(super) audio: Option<Track>,
    pub(super) video: Option<Track>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) codec: Codec,
    /// The first frame, which says more about the track, once it has come.
    pub(super) first: Option<Bytes>,
}

impl Track {
    pub(super) fn new(codec: Codec) -> Self {
        Self { codec, first: None }
    }

    /// Returns how many channels of sound there are, as far as is known.
    pub(super) fn channels(&self) -> u8 {
        // RFC 6716 §3.1: the bit of the first byte that stands for two channels.
        let is_mono = self
            .first
            .as_deref()
            .and_then(<[u8]>::first)
            .is_some_and(|toc| toc & 4 == 0);
        if is_mono { 1 } else { 2 }
    }

    /// Returns width and height of the pictures, as far as is known.
    pub(super) fn size(&self) -> (u32, u32) {
        let known = self
            .first
            .as_deref()
            .and_then(|first| self.codec.dimensions(first));
        known.unwrap_or((640, 360))
    }
}

impl Tracks {
    pub(super) fn of(&self, kind: Kind) -> Option<&Track> {
        match kind {
            Kind::Audio => self.audio.as_ref(),
            Kind::Video => self.video.as_ref(),
        }
    }

    pub(super) fn of_mut(&mut self, kind: Kind) -> Option<&mut Track> {
        match kind {
            Kind::Audio => self.audio.as_mut(),
            Kind::Video => self.video.as_mut(),
        }
    }

    /// Takes over what is known from the frames that wait.
    pub(super) fn learn<'a>(&mut self, held: impl Iterator<Item = &'a Held>) {
        for held in held {
            if let Some(track) = self.of_mut(held.kind)
                && track.codec == held.codec
                && held.is_key
            {
                track.first.get_or_insert_with(|| held.encoded.clone());
            }
        }
    }

    /// Leaves out the tracks of which nothing has come.
    pub(super) fn drop_empty(&mut self) {
        self.audio.take_if(|track| track.first.is_none());
        self.video.take_if(|track| track.first.is_none());
    }
}

/// One frame to write.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) kind: Kind,
    /// When it plays, since the part's beginning; never before the one before it.
    pub(super) at: Duration,
    /// How long it plays; zero where that is not known.
    pub(super) duration: Duration,
    pub(super) encoded: Bytes,
    pub(super) is_key: bool,
}

/// Makes the bytes of one file.
pub(super) trait Mux: Send {
    /// More is known about the tracks than when the file was begun: has its head say so.
    fn describe(&mut self, out: &mut Output, tracks: &Tracks) -> io::Result<()>;

    /// Takes a frame, and writes what is complete.
    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()>;

    /// Writes what is left, and what makes it easier to find one's way in it.
    fn finish(&mut self, out: &mut Output) -> io::Result<()>;

    /// Returns how many bytes such a file can have.
    fn capacity(&self) -> u64 {
        u64::MAX
    }
}

/// Begins a file: writes its head, and returns what writes the rest.
pub(super) fn begin(
    container: Container,
    tracks: &Tracks,
    out: &mut Output,
) -> io::Result<Box<dyn Mux>> {
    Ok(match container {
        Container::WebM => Box::new(Matroska::begin("webm", tracks, out)?),
        Container::Matroska => Box::new(Matroska::begin("matroska", tracks, out)?),
        Container::Mp4 => Box::new(Mp4::begin(tracks, out)?),
        Container::Ogg => Box::new(Ogg::begin(tracks, out)?),
        Container::Ivf => Box::new(Ivf::begin(tracks, out)?),
        Container::Wav => Box::new(Wav::begin(tracks, out)?),
    })
}
