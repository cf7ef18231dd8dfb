//! H.264 in Annex B as it comes: access units, told apart by where they begin (ITU-T H.264 §7.4.1.2.3).

use std::io::Read;
use std::time::Duration;

use super::{Bytes, Demux, LARGEST};
use crate::codec::Codec;
use crate::feed::unit::{Form, Item, PictureForm, Unit};
use crate::film::h264_rate;

/// Such streams bear no times. Where they do not say how many pictures a second they have, ffmpeg and
/// most others take them to have so many.
const DEFAULT_RATE: f64 = 25.0;

const CHUNK: usize = 16 << 10;

pub(super) struct AnnexB {
    bytes: Bytes,
    /// What has come and is not yet given; begins with a start code.
    held: Vec<u8>,
    /// How far `held` has been looked through.
    looked: usize,
    has_slice: bool,
    has_ended: bool,
    count: u64,
    size: Option<(usize, usize)>,
    /// Pictures a second.
    rate: f64,
    first: Option<Vec<u8>>,
}

impl AnnexB {
    /// Waits for the first access unit, which says how large the pictures are.
    pub(super) fn open(bytes: Bytes) -> Result<Self, String> {
        let mut stream = Self {
            bytes,
            held: Vec::new(),
            looked: 0,
            has_slice: false,
            has_ended: false,
            count: 0,
            size: None,
            rate: DEFAULT_RATE,
            first: None,
        };
        let first = stream
            .unit()?
            .ok_or("ended before the first picture of H.264")?;
        let size = Codec::H264.dimensions(&first);
        let (width, height) = size.ok_or("writes H.264 that does not begin with its parameters")?;
        stream.size = Some((width as usize, height as usize));
        let stated = h264_rate(&first).filter(|rate| (1.0..=240.0).contains(rate));
        stream.rate = stated.unwrap_or(DEFAULT_RATE);
        stream.first = Some(first);
        Ok(stream)
    }

    /// Waits for the next whole access unit; `None` at the end.
    fn unit(&mut self) -> Result<Option<Vec<u8>>, String> {
        loop {
            // A NAL unit is known by its first two bytes.
            while let Some(code) = self.held.get(self.looked..self.looked + 5) {
                let [0, 0, 1, header, slice] = *code else {
                    self.looked += 1;
                    continue;
                };
                let at = self.looked;
                self.looked += 3;
                let is_slice = matches!(header & 0x1f, 1 | 5);
                let begins = match header & 0x1f {
                    // `first_mb_in_slice` is zero: one bit that is set.
                    1 | 5 => slice & 0x80 != 0,
                    6..=9 | 14..=18 => true,
                    _ => false,
                };
                if begins && self.has_slice {
                    // Of a start code of four bytes, the first one belongs to it.
                    let at = if at > 0 && self.held[at - 1] == 0 {
                        at - 1
                    } else {
                        at
                    };
                    let rest = self.held.split_off(at);
                    let unit = std::mem::replace(&mut self.held, rest);
                    self.looked -= at;
                    self.has_slice = is_slice;
                    return Ok(Some(unit));
                }
                self.has_slice |= is_slice;
            }
            if self.has_ended {
                let last = std::mem::take(&mut self.held);
                return Ok((self.has_slice && !last.is_empty()).then_some(last));
            }
            if self.held.len() > LARGEST {
                return Err(format!(
                    "wrote {LARGEST} bytes of H.264 without a picture's end"
                ));
            }
            let mut chunk = [0; CHUNK];
            match self.bytes.read(&mut chunk) {
                Ok(0) => self.has_ended = true,
                Ok(count) => self.held.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

impl Demux for AnnexB {
    fn form(&self) -> Form {
        let (width, height) = self.size.unwrap_or_default();
        Form {
            name: format!(
                "H.264 of {width}x{height}, taken to have {} pictures a second",
                self.rate
            ),
            sound: false,
            picture: Some(PictureForm {
                codec: Some(Codec::H264),
                size: self.size,
                rate: Some((self.rate.round() as u32).clamp(1, 120)),
            }),
        }
    }

    fn next(&mut self) -> Result<Option<Item>, String> {
        let unit = match self.first.take() {
            Some(first) => first,
            None => match self.unit()? {
                Some(unit) => unit,
                None => return Ok(None),
            },
        };
        let time = Duration::from_secs_f64(self.count as f64 / self.rate);
        self.count += 1;
        Ok(Some(Item {
            time,
            unit: Unit::Encoded {
                codec: Codec::H264,
                bytes: unit.into(),
            },
        }))
    }
}
