//! One file of a recording.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::container::Container;
use super::mux::{self, Mux, Sample, Tracks};
use super::output::Output;
use super::{Held, REORDER};
use crate::codec::{Codec, Kind};

/// WebM counts in milliseconds, and two frames of a track must not share one.
const TICK: Duration = Duration::from_millis(1);

/// One file, as it is being written.
pub(super) struct Part {
    pub(super) path: PathBuf,
    /// Where its time begins in the recording's.
    pub(super) base: Duration,
    mux: Box<dyn Mux>,
    output: Output,
    tracks: Tracks,
    /// How long its head is.
    head: u64,
    last: Duration,
    /// Time of the last frame of each kind, which the next one of that kind must pass.
    last_audio: Option<Duration>,
    last_video: Option<Duration>,
}

impl Part {
    /// Begins a file with its head.
    pub(super) fn begin(
        container: Container,
        path: PathBuf,
        mut output: Output,
        tracks: Tracks,
        base: Duration,
    ) -> io::Result<Self> {
        let mux = mux::begin(container, &tracks, &mut output)?;
        Ok(Self {
            path,
            base,
            mux,
            head: output.length(),
            output,
            tracks,
            last: Duration::ZERO,
            last_audio: None,
            last_video: None,
        })
    }

    /// Takes a frame; says whether it was put in.
    pub(super) fn put(&mut self, at: Duration, held: &Held) -> io::Result<bool> {
        let Some(track) = self.tracks.of_mut(held.kind) else {
            return Ok(false);
        };
        let last = match held.kind {
            Kind::Audio => &mut self.last_audio,
            Kind::Video => &mut self.last_video,
        };
        // No decoder could begin with it.
        if last.is_none() && !held.is_key || track.codec != held.codec {
            return Ok(false);
        }
        // Late ones go to the end of what is written, if that moves them little.
        let at = at.saturating_sub(self.base);
        let earliest = last.map_or(self.last, |last| self.last.max(last + TICK));
        if earliest.saturating_sub(at) > REORDER {
            return Ok(false);
        }
        let at = at.max(earliest);
        *last = Some(at);
        self.last = at;
        if track.first.is_none() {
            track.first = Some(held.encoded.clone());
            self.mux.describe(&mut self.output, &self.tracks)?;
        }
        let sample = Sample {
            kind: held.kind,
            at,
            duration: held.duration,
            encoded: held.encoded.clone(),
            is_key: held.is_key,
        };
        self.mux.put(&mut self.output, sample)?;
        Ok(true)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> io::Result<()> {
        // What never came is not announced.
        self.tracks.audio.take_if(|_| self.last_audio.is_none());
        self.tracks.video.take_if(|_| self.last_video.is_none());
        self.mux.describe(&mut self.output, &self.tracks)?;
        self.mux.finish(&mut self.output)?;
        self.output.close()
    }

    /// Tells whether the disk took more of it than its head.
    pub(super) fn is_proven(&self) -> bool {
        self.output.length() > self.head
    }

    /// Returns how many bytes are written.
    pub(super) fn length(&self) -> u64 {
        self.output.length()
    }

    /// Tells whether such a file cannot become larger.
    pub(super) fn is_full(&self) -> bool {
        self.output.length() >= self.mux.capacity()
    }

    /// Tells whether its track of this kind was begun in another codec.
    pub(super) fn is_of_another_codec(&self, kind: Kind, codec: Codec) -> bool {
        self.tracks
            .of(kind)
            .is_none_or(|track| track.codec != codec)
    }
}
