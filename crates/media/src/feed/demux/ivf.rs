//! IVF as it comes.

use std::time::Duration;

use super::{Bytes, Demux, LARGEST, fill};
use crate::codec::Codec;
use crate::feed::unit::{Form, Item, PictureForm, Unit};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 12;

pub(super) struct Ivf {
    bytes: Bytes,
    codec: Codec,
    size: (usize, usize),
    /// Ticks a second, as a fraction.
    rate: u32,
    scale: u32,
}

impl Ivf {
    pub(super) fn open(mut bytes: Bytes) -> Result<Self, String> {
        let mut header = [0; HEADER];
        if fill(&mut bytes, &mut header).map_err(|e| e.to_string())? < HEADER {
            return Err("ended within the header of IVF".into());
        }
        let codec = match &header[8..12] {
            b"VP80" => Codec::Vp8,
            b"VP90" => Codec::Vp9,
            b"AV01" => Codec::Av1,
            other => {
                let name = other.escape_ascii();
                return Err(format!(
                    "writes IVF with pictures in `{name}`, which is not known here"
                ));
            }
        };
        let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let whole = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        let (length, rate, scale) = (usize::from(half(6)), whole(16), whole(20));
        if length < HEADER || rate == 0 || scale == 0 {
            return Err("writes IVF with a header that makes no sense".into());
        }
        let mut more = vec![0; length - HEADER];
        fill(&mut bytes, &mut more).map_err(|e| e.to_string())?;
        Ok(Self {
            bytes,
            codec,
            size: (half(12).into(), half(14).into()),
            rate,
            scale,
        })
    }
}

impl Demux for Ivf {
    fn form(&self) -> Form {
        let (width, height) = self.size;
        let per_second = self
            .rate
            .checked_div(self.scale)
            .filter(|rate| (1..=120).contains(rate));
        Form {
            name: format!("IVF with {} of {width}x{height}", self.codec),
            sound: false,
            picture: Some(PictureForm {
                codec: Some(self.codec),
                size: Some(self.size),
                rate: per_second,
            }),
        }
    }

    fn next(&mut self) -> Result<Option<Item>, String> {
        loop {
            let mut header = [0; FRAME_HEADER];
            match fill(&mut self.bytes, &mut header).map_err(|e| e.to_string())? {
                0 => return Ok(None),
                FRAME_HEADER => {}
                _ => return Err("ended within the header of a frame".into()),
            }
            let [a, b, c, d, time @ ..] = header;
            let size = u32::from_le_bytes([a, b, c, d]) as usize;
            if size > LARGEST {
                return Err(format!("announced a frame of {size} bytes"));
            }
            let mut frame = vec![0; size];
            if fill(&mut self.bytes, &mut frame).map_err(|e| e.to_string())? < size {
                return Err("ended within a frame".into());
            }
            if size == 0 {
                continue;
            }
            let ticks = u128::from(u64::from_le_bytes(time)) * u128::from(self.scale);
            let nanos = ticks.saturating_mul(1_000_000_000) / u128::from(self.rate);
            return Ok(Some(Item {
                time: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
                unit: Unit::Encoded {
                    codec: self.codec,
                    bytes: frame.into(),
                },
            }));
        }
    }
}
