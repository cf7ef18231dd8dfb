//! H.264 as files keep it (ISO/IEC 14496-15): lengths in front of NAL units instead of start codes.

const SPS: u8 = 7;
const PPS: u8 = 8;
const ACCESS_UNIT_DELIMITER: u8 = 9;

/// Iterates over the NAL units of a byte stream (ITU-T H.264 Annex B).
fn units(mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream = start_code(stream).map_or(&[], |at| &stream[at + 3..]);
    std::iter::from_fn(move || {
        if stream.is_empty() {
            return None;
        }
        let (mut unit, rest) = match start_code(stream) {
            Some(at) => (&stream[..at], &stream[at + 3..]),
            None => (stream, &[][..]),
        };
        stream = rest;
        // A start code may have any number of zeros before it; a unit never ends with one.
        while let [before @ .., 0] = unit {
            unit = before;
        }
        Some(unit)
    })
    .filter(|unit| !unit.is_empty())
}

fn start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(3).position(|bytes| bytes == [0, 0, 1])
}

fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1f)
}

/// Returns `avcC` for a picture that brings its parameter sets along.
pub(super) fn configuration_record(encoded: &[u8]) -> Option<Vec<u8>> {
    let of = |wanted| {
        units(encoded)
            .filter(move |unit| kind(unit) == wanted)
            .take(31)
    };
    let profile = of(SPS).next()?.get(1..4)?;
    let mut out = vec![1];
    out.extend_from_slice(profile);
    // Lengths of four bytes, and how many sets follow.
    out.push(0xff);
    out.push(0xe0 | of(SPS).count() as u8);
    of(SPS).for_each(|unit| put(&mut out, unit));
    out.push(of(PPS).count() as u8);
    of(PPS).for_each(|unit| put(&mut out, unit));
    Some(out)
}

fn put(out: &mut Vec<u8>, set: &[u8]) {
    // Parameter sets are some ten bytes long; one that is not says nothing.
    let set = u16::try_from(set.len()).map_or(&[][..], |_| set);
    out.extend_from_slice(&(set.len() as u16).to_be_bytes());
    out.extend_from_slice(set);
}

/// Returns the picture with a length of four bytes in front of each unit.
///
/// Parameter sets stay in it: senders change the size of their pictures with them.
pub(super) fn with_lengths(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len() + 16);
    for unit in units(encoded).filter(|unit| kind(unit) != ACCESS_UNIT_DELIMITER) {
        out.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        out.extend_from_slice(unit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = &[
        0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 9, 0, 0, 1, 0x68, 0xce, 0, 0,
        0, 1, 0x65, 1, 2, 3, 0,
    ];

    #[test]
    fn units_are_found_whatever_their_start_codes() {
        assert_eq!(
            with_lengths(STREAM),
            [
                0, 0, 0, 5, 0x67, 0x42, 0xc0, 0x1f, 9, 0, 0, 0, 2, 0x68, 0xce, 0, 0, 0, 4, 0x65, 1,
                2, 3
            ]
        );
        assert!(with_lengths(&[]).is_empty() && with_lengths(&[0, 0, 1]).is_empty());
        assert!(
            with_lengths(&[1, 2, 3, 4]).is_empty(),
            "no start code at all"
        );
    }

    #[test]
    fn parameter_sets_make_the_configuration() {
        let record = configuration_record(STREAM).unwrap();
        assert_eq!(
            record,
            [
                1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 5, 0x67, 0x42, 0xc0, 0x1f, 9, 1, 0, 2, 0x68,
                0xce
            ]
        );
        assert_eq!(configuration_record(&[0, 0, 1, 0x65, 1]), None);
    }
}
