//! Where the tracks of an MP4 file begin: its edit lists (ISO/IEC 14496-12 §8.6.6), which say what an
//! encoder put before the sound, and what comes later than the rest.

mod fragments;
mod pictures;

use std::time::Duration;

pub(super) use pictures::pictures;

/// The boxes that hold boxes on the way to an edit list.
const MOVIE: &[u8; 4] = b"moov";

/// How a track is placed in its file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Placement {
    /// When it begins, since the file's start.
    pub(super) begins: Duration,
    /// What of its media comes before that, and is not to be heard.
    pub(super) left_out: Duration,
}

/// Returns how track `number` is placed; at the start, whole, where the file says nothing else.
pub(super) fn placement(bytes: &[u8], number: u32) -> Placement {
    find(bytes, number).unwrap_or_default()
}

fn find(bytes: &[u8], number: u32) -> Option<Placement> {
    let movie = child(bytes, MOVIE)?;
    let movie_scale = time_scale(child(movie, b"mvhd")?)?;
    let track = boxes(movie)
        .filter(|(kind, _)| kind == b"trak")
        .map(|(_, track)| track)
        .find(|track| child(track, b"tkhd").and_then(track_number) == Some(number))?;
    let media_scale = time_scale(child(child(track, b"mdia")?, b"mdhd")?)?;
    let edits = child(child(track, b"edts")?, b"elst")?;

    let mut placement = Placement::default();
    let long = *edits.first()? == 1;
    let entries = edits.get(8..)?.chunks_exact(if long { 20 } else { 12 });
    for entry in entries {
        let (lasts, from) = if long {
            (number_at(entry, 0, 8)?, number_at(entry, 8, 8)? as i64)
        } else {
            let from = number_at(entry, 4, 4)? as u32;
            (number_at(entry, 0, 4)?, i64::from(from as i32))
        };
        // Nothing at all for a while, or the first piece of the media.
        if from == -1 {
            placement.begins = placement
                .begins
                .saturating_add(seconds(lasts, movie_scale)?);
        } else {
            placement.left_out = seconds(u64::try_from(from).ok()?, media_scale)?;
            break;
        }
    }
    Some(placement)
}

fn seconds(ticks: u64, scale: u32) -> Option<Duration> {
    let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(scale);
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// Reads the ticks of a second from `mvhd` or `mdhd`.
fn time_scale(header: &[u8]) -> Option<u32> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    u32::try_from(number_at(header, at, 4)?)
        .ok()
        .filter(|scale| *scale > 0)
}

fn track_number(header: &[u8]) -> Option<u32> {
    let at = if *header.first()? == 1 { 20 } else { 12 };
    number_at(header, at, 4)?.try_into().ok()
}

fn number_at(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

fn child<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes)
        .find(|(found, _)| found == kind)
        .map(|(_, inside)| inside)
}

/// Goes through the boxes that `bytes` consist of (§4.2), as far as they make sense.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    boxes_at(bytes).map(|found| (found.kind, &found.whole[found.header..]))
}

/// A box in its place.
struct Boxed<'a> {
    kind: [u8; 4],
    /// Where it begins, in bytes.
    at: usize,
    /// How long its header is.
    header: usize,
    /// All of it, header included.
    whole: &'a [u8],
}

/// Goes through boxes as [`boxes`] does, and tells where they are.
fn boxes_at(all: &[u8]) -> impl Iterator<Item = Boxed<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = &all[at..];
        let kind: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
        let (header, length) = match number_at(bytes, 0, 4)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(number_at(bytes, 8, 8)?).ok()?),
            length => (8, usize::try_from(length).ok()?),
        };
        let whole = bytes.get(..length).filter(|whole| whole.len() >= header)?;
        let found = Boxed {
            kind,
            at,
            header,
            whole,
        };
        at += length;
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let length = (8 + inside.len()) as u32;
        [&length.to_be_bytes()[..], kind, inside].concat()
    }

    fn header(scale_or_number: u32) -> Vec<u8> {
        [&[0; 12][..], &scale_or_number.to_be_bytes(), &[0; 8]].concat()
    }

    fn file(edits: &[(u32, i32)]) -> Vec<u8> {
        let mut list = vec![0, 0, 0, 0];
        list.extend((edits.len() as u32).to_be_bytes());
        for (lasts, from) in edits {
            list.extend(lasts.to_be_bytes());
            list.extend(from.to_be_bytes());
            list.extend([0, 1, 0, 0]);
        }
        let track = [
            boxed(b"tkhd", &header(2)),
            boxed(b"edts", &boxed(b"elst", &list)),
            boxed(b"mdia", &boxed(b"mdhd", &header(48_000))),
        ];
        let movie = [
            boxed(b"mvhd", &header(1000)),
            boxed(b"trak", &track.concat()),
        ];
        [boxed(b"ftyp", b"M4A "), boxed(b"moov", &movie.concat())].concat()
    }

    #[test]
    fn what_an_edit_list_leaves_out_and_puts_later_is_told() {
        let placed = placement(&file(&[(700, -1), (5000, 1024)]), 2);
        assert_eq!(placed.begins, Duration::from_millis(700));
        assert!(placed.left_out.abs_diff(Duration::from_micros(21_333)) < Duration::from_micros(1));
        assert_eq!(placement(&file(&[(700, -1)]), 3), Placement::default());
    }

    #[test]
    fn rubbish_places_nothing() {
        let whole = file(&[(700, -1), (5000, 1024)]);
        let mut random = fastrand::Rng::with_seed(3);
        for cut in 0..whole.len() {
            let _ = placement(&whole[..cut], 2);
            let mut bytes = whole.clone();
            for _ in 0..3 {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            let _ = placement(&bytes, 2);
        }
        // A box that claims to be empty, header and all, would be found for ever.
        assert_eq!(
            placement(b"\0\0\0\x01moov\0\0\0\0\0\0\0\0", 2),
            Placement::default()
        );
    }
}
