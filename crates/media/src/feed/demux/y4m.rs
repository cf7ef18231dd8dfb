//! YUV4MPEG2 as it comes: raw pictures.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use super::{Bytes, Demux, fill};
use crate::feed::unit::{Form, Item, PictureForm, Unit};
use crate::film::Sampling;
use crate::picture::Picture;
use crate::read::y4m::{Header, LONGEST_LINE, Wrong};

/// The largest side of a picture that is encoded here, in pixels.
const LONGEST_SIDE: usize = 4096;

const OTHER_LAYOUT: &str =
    "writes Y4M in another layout than 8-bit 4:2:0: for ffmpeg, `-pix_fmt yuv420p`";

pub(super) struct Y4m {
    bytes: BufReader<Bytes>,
    header: Header,
    count: u64,
}

impl Y4m {
    pub(super) fn open(bytes: Bytes) -> Result<Self, String> {
        let mut bytes = BufReader::new(bytes);
        let line = line(&mut bytes)?.ok_or("ended within the first line of Y4M")?;
        let header = Header::read(&line).map_err(|wrong| match wrong {
            Wrong::Layout(_) => OTHER_LAYOUT.into(),
            Wrong::Value(problem) => format!("writes Y4M, and {problem}"),
        })?;
        if header.sampling != Sampling::PLAIN {
            return Err(OTHER_LAYOUT.into());
        }
        let (width, height) = (header.width, header.height);
        if width.max(height) > LONGEST_SIDE || width.min(height) < 2 {
            return Err(format!(
                "writes Y4M of {width}x{height}, and pictures from 2 to {LONGEST_SIDE} pixels are read"
            ));
        }
        Ok(Self {
            bytes,
            header,
            count: 0,
        })
    }
}

/// Reads a line without its end; nothing where the stream has ended.
fn line(bytes: &mut BufReader<Bytes>) -> Result<Option<Vec<u8>>, String> {
    let mut line = Vec::new();
    let mut limited = bytes.take(LONGEST_LINE as u64);
    let count = limited
        .read_until(b'\n', &mut line)
        .map_err(|e| e.to_string())?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if count < LONGEST_LINE => Err("ended within a line of Y4M".into()),
        Some(_) => Err("wrote a line of Y4M that does not end".into()),
    }
}

impl Demux for Y4m {
    fn form(&self) -> Form {
        let (width, height) = (self.header.width, self.header.height);
        Form {
            name: format!("Y4M of {width}x{height}"),
            sound: false,
            picture: Some(PictureForm {
                codec: None,
                size: Some((width, height)),
                rate: Some((self.header.rate.round() as u32).clamp(1, 120)),
            }),
        }
    }

    fn next(&mut self) -> Result<Option<Item>, String> {
        match line(&mut self.bytes)? {
            None => return Ok(None),
            Some(line) if line.starts_with(b"FRAME") => {}
            Some(_) => return Err("wrote no picture where one should begin".into()),
        }
        let (width, height) = (self.header.width, self.header.height);
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        let mut planes = [width * height, chroma, chroma].map(|length| vec![0; length]);
        for plane in &mut planes {
            if fill(&mut self.bytes, plane).map_err(|e| e.to_string())? < plane.len() {
                return Err("ended within a picture".into());
            }
        }
        // The planes were made for this size.
        let picture =
            Picture::from_planes(width, height, planes).ok_or("wrote a picture of another size")?;
        let time = Duration::from_secs_f64(self.count as f64 / self.header.rate);
        self.count += 1;
        Ok(Some(Item {
            time,
            unit: Unit::Picture(picture),
        }))
    }
}
