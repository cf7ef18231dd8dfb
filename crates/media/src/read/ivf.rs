//! IVF: frames of VP8 or AV1, one after another.

use std::time::Duration;

use bytes::Bytes;

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::track::Track;

/// A frame's header: its size in four bytes, its time in eight.
const FRAME_HEADER: usize = 12;

pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    let bytes = &file.bytes;
    let header = Header::read(file, bytes)?;
    let mut encoded = Vec::new();
    let mut at = header.length;
    while at < bytes.len() {
        let number = encoded.len();
        let Some(head) = bytes.get(at..at + FRAME_HEADER) else {
            return Err(file.broken(
                at as u64,
                format!("the header of frame {number} is cut off"),
            ));
        };
        let size = le(&head[..4]) as usize;
        let time = le(&head[4..]);
        let start = at + FRAME_HEADER;
        let left = bytes.len() - start;
        if size > left {
            let problem = format!("frame {number} has {size} bytes and only {left} are left");
            return Err(file.broken(at as u64, problem));
        }
        if size > 0 {
            encoded.push((at as u64, time, bytes.slice(start..start + size)));
        }
        at = start + size;
    }
    header.track(file, &encoded)
}

struct Header {
    codec: Codec,
    length: usize,
    /// Ticks a second, as a fraction.
    rate: u64,
    scale: u64,
}

impl Header {
    fn read(file: &File<'_>, bytes: &[u8]) -> Result<Self, MediaError> {
        let Some(head) = bytes.get(..32) else {
            return Err(file.broken(bytes.len() as u64, "the file header is cut off"));
        };
        let codec = match &head[8..12] {
            b"VP80" => Codec::Vp8,
            b"AV01" => Codec::Av1,
            other => {
                let name = other.escape_ascii().to_string();
                let found = format!("holds pictures in `{name}`; VP8 and AV1 are played");
                return Err(file.unsupported(&found, Some(Kind::Video)));
            }
        };
        let length = le(&head[6..8]) as usize;
        let (rate, scale) = (le(&head[16..20]), le(&head[20..24]));
        if length < 32 || rate == 0 || scale == 0 {
            return Err(file.broken(6, "the file header makes no sense"));
        }
        Ok(Self {
            codec,
            length,
            rate,
            scale,
        })
    }

    fn duration(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * u128::from(self.scale) * 1_000_000_000;
        let nanos = nanos / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn track(&self, file: &File<'_>, encoded: &[(u64, u64, Bytes)]) -> Result<Track, MediaError> {
        let Some((position, first, start)) = encoded.first() else {
            return Err(file.broken(self.length as u64, "there are no frames"));
        };
        if !self.codec.is_key_frame(start) {
            let problem = format!("the first frame is no {} key frame", self.codec);
            return Err(file.broken(*position, problem));
        }
        let time = |at: usize| {
            encoded
                .get(at)
                .map(|(_, time, _)| time.saturating_sub(*first))
        };
        let mut frames = Vec::with_capacity(encoded.len());
        // The last frame is taken to show as long as the one before; one alone, a twenty-fifth.
        let mut duration = Duration::from_millis(40);
        for (at, (position, _, bytes)) in encoded.iter().enumerate() {
            let media_time = self.duration(time(at).unwrap_or(0));
            if let Some(next) = time(at + 1) {
                duration = self.duration(next).saturating_sub(media_time);
            }
            let is_key = self.codec.is_key_frame(bytes);
            let frame = Frame::packetize(self.codec, bytes.clone(), media_time, duration, is_key)
                .map_err(|error| file.no_frame(*position, at, &error))?;
            frames.push(frame);
        }
        file.track(frames)
    }
}

/// Reads a little-endian number of up to eight bytes.
fn le(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
