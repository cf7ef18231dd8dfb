//! H.264 as a byte stream (H.264 annex B): units without times, so pictures follow each other at one
//! rate.

use std::ops::Range;
use std::time::Duration;

use super::File;
use super::preparing::Preparing;
use crate::codec::Codec;
use crate::error::MediaError;
use crate::film::{Coding, Film, FilmFrame, h264_rate};
use crate::payload;

/// Pictures a second where the stream does not say: what other programs take it for, too.
const DEFAULT_RATE: f64 = 25.0;

/// Tells whether bytes begin like a byte stream of H.264: a start code, and a unit that comes first.
pub(super) fn is_annex_b(bytes: &[u8]) -> bool {
    let unit = match bytes {
        [0, 0, 0, 1, unit, ..] | [0, 0, 1, unit, ..] => *unit,
        _ => return false,
    };
    // Parameter sets, a delimiter, or remarks (table 7-1); never with the forbidden bit.
    unit & 0x80 == 0 && matches!(unit & 0x1f, 6..=9)
}

pub(super) fn read(file: &File<'_>) -> Result<Film, MediaError> {
    let rate = h264_rate(&file.bytes).unwrap_or(DEFAULT_RATE);
    let mut preparing = Preparing::new(file, Codec::H264, &[])?;
    let mut frames: Vec<FilmFrame> = Vec::new();
    for unit in access_units(&file.bytes) {
        let position = unit.start as u64;
        let (bytes, is_key) = preparing.frame(file.bytes.slice(unit), frames.len())?;
        frames.push(FilmFrame {
            bytes,
            shown: Duration::from_secs_f64(frames.len() as f64 / rate),
            is_key,
            position,
        });
    }
    if frames.is_empty() {
        return Err(file.broken(file.bytes.len() as u64, "there are no pictures in it"));
    }
    let coding = Coding::Coded(Codec::H264);
    let mut film = Film::new(file, "H.264 byte stream", coding, None, frames)?;
    film.character.stated_rate.get_or_insert(rate);
    Ok(film)
}

/// Returns where the access units are (H.264 §7.4.1.2.3): each has one picture; what comes before its
/// first slice belongs to it.
fn access_units(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut units = Vec::new();
    let mut start = 0;
    let mut has_picture = false;
    for nal in payload::h264::nal_units(bytes) {
        let begins = match nal[0] & 0x1f {
            1 | 5 => payload::h264::begins_picture(nal),
            6..=9 | 14..=18 => true,
            _ => false,
        };
        if begins && has_picture {
            let mut at = nal.as_ptr() as usize - bytes.as_ptr() as usize;
            // Its start code, and the zero that may stand before that.
            at -= 3;
            at -= usize::from(at > start && bytes[at - 1] == 0);
            units.push(start..at);
            start = at;
            has_picture = false;
        }
        has_picture |= matches!(nal[0] & 0x1f, 1 | 5);
    }
    if has_picture {
        units.push(start..bytes.len());
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_begins_with_what_comes_before_its_picture() {
        let sets = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2];
        let idr = [0, 0, 1, 0x65, 0x88, 3];
        let rest_of_idr = [0, 0, 1, 0x65, 0x40, 4];
        let slice = [0, 0, 0, 1, 0x41, 0x9a, 5];
        let all = [&sets[..], &idr, &rest_of_idr, &slice, &sets, &idr].concat();
        assert!(is_annex_b(&all));
        assert_eq!(access_units(&all), [0..23, 23..30, 30..47]);
        assert!(access_units(&sets).is_empty());
        assert!(!is_annex_b(b"\0\0\x01\xba"), "an MPEG program stream");
    }
}
