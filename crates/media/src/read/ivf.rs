//! IVF: a header, then frame after frame, VP8, VP9 or AV1.

use std::time::Duration;

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::film::{Coding, Film, FilmFrame};

/// A frame's header: its size in four bytes, its time in eight.
const FRAME_HEADER: usize = 12;

pub(super) fn read(file: &File<'_>) -> Result<Film, MediaError> {
    let bytes = &file.bytes;
    let header = Header::read(file, bytes)?;
    let codec = header.codec;
    let mut frames = Vec::new();
    let mut start = None;
    let mut at = header.length;
    let mut number = 0;
    while at < bytes.len() {
        let Some(head) = bytes.get(at..at + FRAME_HEADER) else {
            return Err(file.broken(
                at as u64,
                format!("the header of frame {number} is cut off"),
            ));
        };
        let size = le(&head[..4]) as usize;
        let time = le(&head[4..]);
        let begin = at + FRAME_HEADER;
        let left = bytes.len() - begin;
        if size > left {
            let problem = format!("frame {number} has {size} bytes and only {left} are left");
            return Err(file.broken(at as u64, problem));
        }
        // A frame without bytes is one that an encoder left out.
        if size > 0 {
            let frame = bytes.slice(begin..begin + size);
            let since = time.saturating_sub(*start.get_or_insert(time));
            frames.push(FilmFrame {
                shown: header.duration(since),
                is_key: codec.is_key_frame(&frame),
                bytes: frame,
                position: at as u64,
            });
        }
        number += 1;
        at = begin + size;
    }
    if frames.is_empty() {
        return Err(file.broken(header.length as u64, "there are no frames"));
    }
    Film::new(file, "IVF", Coding::Coded(codec), Some(header.size), frames)
}

struct Header {
    codec: Codec,
    length: usize,
    /// Width and height in pixels.
    size: (u32, u32),
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
            b"VP90" => Codec::Vp9,
            b"AV01" => Codec::Av1,
            other => {
                let name = other.escape_ascii().to_string();
                let found = format!("holds pictures in `{name}`; VP8, VP9 and AV1 are played");
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
            size: (le(&head[12..14]) as u32, le(&head[14..16]) as u32),
            rate,
            scale,
        })
    }

    fn duration(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * u128::from(self.scale) * 1_000_000_000;
        let nanos = nanos / u128::from(self.rate);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Reads a little-endian number of up to eight bytes.
fn le(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
