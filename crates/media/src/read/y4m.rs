//! Y4M: pictures without compression, as many programs write them to a pipe.

use std::time::Duration;

use super::File;
use crate::codec::Kind;
use crate::error::MediaError;
use crate::film::{Coding, Film, FilmFrame, Sampling};

pub(crate) const MAGIC: &[u8] = b"YUV4MPEG2";

/// The longest line of a header that is believed.
pub(crate) const LONGEST_LINE: usize = 1024;

/// The largest side of a picture that is believed, in pixels.
const LONGEST_SIDE: usize = 16_384;

pub(super) fn read(file: &File<'_>) -> Result<Film, MediaError> {
    let bytes = &file.bytes;
    let Some(mut at) = line_end(bytes, 0) else {
        return Err(file.broken(0, "its first line does not end"));
    };
    let header = Header::read(&bytes[..at - 1]).map_err(|wrong| match wrong {
        Wrong::Layout(name) => {
            let found = format!("holds pictures laid out as `{name}`");
            file.unsupported(&found, Some(Kind::Video))
        }
        Wrong::Value(problem) => file.broken(0, problem),
    })?;
    let size = header.sampling.size(header.width, header.height);
    let mut frames: Vec<FilmFrame> = Vec::new();
    while at < bytes.len() {
        let number = frames.len();
        let start = line_end(bytes, at).filter(|_| bytes[at..].starts_with(b"FRAME"));
        let Some(start) = start else {
            return Err(file.broken(at as u64, format!("picture {number} does not begin here")));
        };
        let left = bytes.len() - start;
        if size > left {
            let problem = format!("picture {number} has {size} bytes and only {left} are left");
            return Err(file.broken(at as u64, problem));
        }
        frames.push(FilmFrame {
            bytes: bytes.slice(start..start + size),
            shown: Duration::from_secs_f64(number as f64 / header.rate),
            is_key: true,
            position: at as u64,
        });
        at = start + size;
    }
    if frames.is_empty() {
        return Err(file.broken(at as u64, "there are no pictures in it"));
    }
    // Both fit: they are within LONGEST_SIDE.
    let pixels = Some((header.width as u32, header.height as u32));
    let mut film = Film::new(file, "Y4M", Coding::Raw(header.sampling), pixels, frames)?;
    film.character.is_interlaced = header.is_interlaced;
    film.character.stated_rate = Some(header.rate);
    Ok(film)
}

/// Returns where the line ends that begins at `at`, behind its line feed.
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let line = bytes.get(at..)?;
    let line = &line[..line.len().min(LONGEST_LINE)];
    Some(at + line.iter().position(|byte| *byte == b'\n')? + 1)
}

/// What the first line says.
pub(crate) struct Header {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Pictures a second.
    pub(crate) rate: f64,
    pub(crate) sampling: Sampling,
    is_interlaced: bool,
}

/// What is wrong with the first line.
pub(crate) enum Wrong {
    /// Planes are laid out in a way that has this name.
    Layout(String),
    /// Something that cannot be.
    Value(&'static str),
}

impl Header {
    pub(crate) fn read(line: &[u8]) -> Result<Self, Wrong> {
        let line = String::from_utf8_lossy(line);
        let words = line.split(' ').skip(1);
        let (mut width, mut height, mut rate) = (0, 0, 25.0);
        let mut sampling = Sampling::PLAIN;
        let mut is_interlaced = false;
        for word in words {
            let mut letters = word.chars();
            let (letter, value) = (letters.next(), letters.as_str());
            match letter {
                Some('W') => width = value.parse().unwrap_or(0),
                Some('H') => height = value.parse().unwrap_or(0),
                Some('F') => rate = ratio(value).unwrap_or(0.0),
                Some('I') => is_interlaced = matches!(value, "t" | "b" | "m"),
                Some('C') => {
                    sampling = sampling_of(value).ok_or_else(|| Wrong::Layout(value.into()))?;
                }
                _ => {}
            }
        }
        let sides = 1..=LONGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Wrong::Value("its first line states no size that can be"));
        }
        if !(0.1..=1000.0).contains(&rate) {
            return Err(Wrong::Value(
                "its first line states no frame rate that can be",
            ));
        }
        Ok(Self {
            width,
            height,
            rate,
            sampling,
            is_interlaced,
        })
    }
}

/// Reads `30000:1001`.
fn ratio(text: &str) -> Option<f64> {
    let (above, below) = text.split_once(':')?;
    let (above, below): (u32, u32) = (above.parse().ok()?, below.parse().ok()?);
    (below > 0).then(|| f64::from(above) / f64::from(below))
}

/// Reads how planes are laid out, such as `420jpeg` or `422p10`.
fn sampling_of(text: &str) -> Option<Sampling> {
    let (name, depth) = match text.split_once('p') {
        Some((name, depth)) if !depth.is_empty() && depth.bytes().all(|b| b.is_ascii_digit()) => {
            (name, depth.parse().ok()?)
        }
        _ => (text, 8),
    };
    if !(8..=16).contains(&depth) {
        return None;
    }
    let (across, down, is_grey) = match name {
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => (2, 2, false),
        "422" => (2, 1, false),
        "444" => (1, 1, false),
        "mono" => (1, 1, true),
        _ => return None,
    };
    Some(Sampling {
        across,
        down,
        depth,
        is_grey,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_by_their_names() {
        assert_eq!(sampling_of("420mpeg2"), Some(Sampling::PLAIN));
        assert_eq!(sampling_of("420jpeg"), Some(Sampling::PLAIN));
        let deep = sampling_of("422p10").unwrap();
        assert_eq!((deep.across, deep.down, deep.depth), (2, 1, 10));
        assert_eq!(deep.size(4, 3), (4 * 3 + 2 * 2 * 3) * 2);
        assert!(sampling_of("mono").unwrap().is_grey);
        assert_eq!(sampling_of("411"), None);
        assert_eq!(sampling_of("420p99"), None);
    }
}
