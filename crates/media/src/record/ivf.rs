//! IVF: a head of 32 bytes, then frames with their sizes and times.

use std::io;
use std::time::Duration;

use super::mux::{Mux, Sample, Track, Tracks};
use super::output::Output;
use crate::codec::Codec;

/// Where the size of the pictures stands.
const SIZE: u64 = 12;

/// Where the duration stands: in units of the file's clock, as ffmpeg reads and writes it.
const DURATION: u64 = 24;

/// After so many frames the duration is written again.
const COUNTED: u32 = 16;

/// Where an AV1 temporal unit begins, which RTP leaves out (AV1 specification §5.6).
const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];

/// Writes one file.
pub(super) struct Ivf {
    codec: Codec,
    frames: u32,
    /// When the last frame plays.
    last: u64,
    /// When the first frame plays: the file begins with it.
    start: Option<Duration>,
}

impl Ivf {
    pub(super) fn begin(tracks: &Tracks, out: &mut Output) -> io::Result<Self> {
        let codec = tracks
            .video
            .as_ref()
            .map_or(Codec::Vp8, |track| track.codec);
        let mut head = b"DKIF\0\0\x20\0".to_vec();
        head.extend_from_slice(match codec {
            Codec::Vp9 => b"VP90",
            Codec::Av1 => b"AV01",
            Codec::H264 => b"H264",
            Codec::Vp8 | Codec::Opus => b"VP80",
        });
        head.extend_from_slice(&size(tracks));
        // Times are those of RTP: 90000 a second.
        head.extend_from_slice(&codec.clock_rate().to_le_bytes());
        head.extend_from_slice(&1u32.to_le_bytes());
        head.extend_from_slice(&[0; 8]);
        out.append(&head)?;
        Ok(Self {
            codec,
            frames: 0,
            last: 0,
            start: None,
        })
    }
}

impl Ivf {
    /// Returns how long all of it is, if the last frame is as long as the others.
    fn duration(&self) -> [u8; 4] {
        let last = self.last / u64::from(self.frames.saturating_sub(1).max(1));
        u32::try_from(self.last + last)
            .unwrap_or(u32::MAX)
            .to_le_bytes()
    }
}

/// Returns width and height, as the head states them.
fn size(tracks: &Tracks) -> [u8; 4] {
    let (width, height) = tracks.video.as_ref().map(Track::size).unwrap_or_default();
    let (width, height) = ((width as u16).to_le_bytes(), (height as u16).to_le_bytes());
    [width[0], width[1], height[0], height[1]]
}

impl Mux for Ivf {
    fn describe(&mut self, out: &mut Output, tracks: &Tracks) -> io::Result<()> {
        out.patch(SIZE, &size(tracks))
    }

    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()> {
        let start = *self.start.get_or_insert(sample.at);
        let at = sample.at.saturating_sub(start);
        let time = (at.as_nanos() * u128::from(self.codec.clock_rate()) / 1_000_000_000) as u64;
        let delimiter: &[u8] = match self.codec {
            Codec::Av1 => &TEMPORAL_DELIMITER,
            Codec::Opus | Codec::Vp8 | Codec::Vp9 | Codec::H264 => &[],
        };
        let size = delimiter.len() + sample.encoded.len();
        let mut frame = Vec::with_capacity(12 + size);
        frame.extend_from_slice(&(size as u32).to_le_bytes());
        frame.extend_from_slice(&time.to_le_bytes());
        frame.extend_from_slice(delimiter);
        frame.extend_from_slice(&sample.encoded);
        out.append(&frame)?;
        self.frames += 1;
        self.last = time;
        if self.frames.is_multiple_of(COUNTED) {
            out.patch(DURATION, &self.duration())?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> io::Result<()> {
        out.patch(DURATION, &self.duration())
    }
}
