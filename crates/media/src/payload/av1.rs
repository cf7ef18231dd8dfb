//! AV1 temporal units (AV1 specification §5.3, §5.5, §5.9) and their RTP payload format.

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Bits;

const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;
const TILE_LIST: u8 = 8;
const PADDING: u8 = 15;

const HAS_EXTENSION: u8 = 0b100;
const HAS_SIZE: u8 = 0b010;

/// One open bitstream unit, without its size field.
struct Obu<'a> {
    kind: u8,
    header: u8,
    extension: Option<u8>,
    content: &'a [u8],
}

/// Reads a `leb128()` number; returns it with its length in bytes.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

fn put_leb128(out: &mut BytesMut, mut value: usize) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// Reads the unit at the start of `bytes`; returns it with what follows.
fn obu(bytes: &[u8]) -> Option<(Obu<'_>, &[u8])> {
    let (&header, mut rest) = bytes.split_first()?;
    let mut extension = None;
    if header & HAS_EXTENSION != 0 {
        let (&byte, after) = rest.split_first()?;
        extension = Some(byte);
        rest = after;
    }
    let (content, rest) = if header & HAS_SIZE != 0 {
        let (size, length) = leb128(rest)?;
        rest.get(length..)?.split_at_checked(size)?
    } else {
        (rest, &[][..])
    };
    let kind = header >> 3 & 0x0f;
    Some((
        Obu {
            kind,
            header,
            extension,
            content,
        },
        rest,
    ))
}

/// Iterates over the units of a temporal unit, up to the first malformed one.
fn obus(mut bytes: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    std::iter::from_fn(move || {
        let (unit, rest) = obu(bytes)?;
        bytes = rest;
        Some(unit)
    })
}

/// Tells whether every unit in it is whole and at least one of them is to be sent.
pub(crate) fn is_well_formed(mut encoded: &[u8]) -> bool {
    let mut any = false;
    while !encoded.is_empty() {
        let Some((unit, rest)) = obu(encoded) else {
            return false;
        };
        any |= !matches!(unit.kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING);
        encoded = rest;
    }
    any
}

/// Tells whether a decoder can start here: a sequence header followed by a shown key frame.
pub(crate) fn is_key_frame(encoded: &[u8]) -> bool {
    let mut sequence = None;
    for unit in obus(encoded) {
        match unit.kind {
            SEQUENCE_HEADER => sequence = Sequence::read(unit.content),
            FRAME | FRAME_HEADER => {
                let Some(sequence) = &sequence else {
                    return false;
                };
                // A frame header begins with show_existing_frame (1 bit) and frame_type (2 bits,
                // 0 is KEY_FRAME), unless every frame is a still picture.
                return sequence.reduced_still_picture
                    || unit.content.first().is_some_and(|byte| byte & 0xe0 == 0);
            }
            _ => {}
        }
    }
    false
}

/// Returns the width and height in pixels that the sequence header states.
pub(crate) fn dimensions(encoded: &[u8]) -> Option<(u32, u32)> {
    let unit = obus(encoded).find(|unit| unit.kind == SEQUENCE_HEADER)?;
    Sequence::read(unit.content).map(|s| (s.width, s.height))
}

/// Returns the first sequence header, without its own header and size.
pub(crate) fn sequence_header(encoded: &[u8]) -> Option<&[u8]> {
    let unit = obus(encoded).find(|unit| unit.kind == SEQUENCE_HEADER)?;
    Some(unit.content)
}

/// Returns what [`dimensions`] does, of a frame's first payload, if its first element is the
/// sequence header (RTP payload format for AV1 §4.4).
pub(crate) fn payload_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let (&aggregation, rest) = payload.split_first()?;
    if !is_frame_start(payload) {
        return None;
    }
    let element = if aggregation >> 4 & 3 == 1 {
        rest
    } else {
        let (size, length) = leb128(rest)?;
        rest.get(length..)?.get(..size)?
    };
    let (unit, _) = obu(element)?;
    (unit.kind == SEQUENCE_HEADER)
        .then(|| Sequence::read(unit.content))?
        .map(|s| (s.width, s.height))
}

/// Returns the `av1C` record that WebM and MP4 keep as codec private bytes ("AV1 ISOBMFF" §2.3),
/// for 8-bit 4:2:0 as all WebRTC senders make it.
pub(crate) fn configuration_record(encoded: &[u8]) -> Option<Vec<u8>> {
    let unit = obus(encoded).find(|unit| unit.kind == SEQUENCE_HEADER)?;
    let sequence = Sequence::read(unit.content)?;
    let mut out = BytesMut::new();
    out.put_u8(0x81);
    out.put_u8(sequence.profile << 5 | sequence.level);
    out.put_u8(u8::from(sequence.high_tier) << 7 | 0b1100);
    out.put_u8(0);
    out.put_u8(unit.header | HAS_SIZE);
    out.extend(unit.extension);
    put_leb128(&mut out, unit.content.len());
    out.put_slice(unit.content);
    Some(out.to_vec())
}

/// The first fields of a sequence header.
struct Sequence {
    profile: u8,
    level: u8,
    high_tier: bool,
    reduced_still_picture: bool,
    width: u32,
    height: u32,
}

impl Sequence {
    /// Reads `sequence_header_obu()` up to the frame size (AV1 specification §5.5.1).
    fn read(content: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(content);
        let profile = bits.read(3)?;
        let _still_picture = bits.flag()?;
        let reduced_still_picture = bits.flag()?;
        let (mut level, mut high_tier) = (0, false);
        if reduced_still_picture {
            level = bits.read(5)?;
        } else {
            let mut delay_length = None;
            if bits.flag()? {
                bits.read(32)?;
                bits.read(32)?;
                if bits.flag()? {
                    bits.ue()?;
                }
                if bits.flag()? {
                    delay_length = Some(bits.read(5)? + 1);
                    bits.read(32)?;
                    bits.read(10)?;
                }
            }
            let has_display_delay = bits.flag()?;
            for point in 0..=bits.read(5)? {
                bits.read(12)?;
                let point_level = bits.read(5)?;
                let point_tier = point_level > 7 && bits.flag()?;
                if point == 0 {
                    (level, high_tier) = (point_level, point_tier);
                }
                if let Some(length) = delay_length
                    && bits.flag()?
                {
                    bits.read(length)?;
                    bits.read(length)?;
                    bits.flag()?;
                }
                if has_display_delay && bits.flag()? {
                    bits.read(4)?;
                }
            }
        }
        let width_bits = bits.read(4)? + 1;
        let height_bits = bits.read(4)? + 1;
        Some(Self {
            profile: profile as u8,
            level: level as u8,
            high_tier,
            reduced_still_picture,
            width: bits.read(width_bits)? + 1,
            height: bits.read(height_bits)? + 1,
        })
    }
}

/// Tells whether a frame can begin with this payload: its first element continues nothing.
pub(crate) fn is_frame_start(payload: &[u8]) -> bool {
    payload.len() > 1 && payload[0] & 0x80 == 0
}

/// Puts a temporal unit together, with size fields and without temporal delimiter, as WebM wants
/// it; `None` if a payload is malformed or fragments do not meet.
pub(crate) fn depacketize(payloads: &[Bytes]) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(payloads.iter().map(Bytes::len).sum::<usize>() + 16);
    let mut fragment: Option<BytesMut> = None;
    for payload in payloads {
        let (&aggregation, mut rest) = payload.split_first()?;
        let (continues, is_continued) = (aggregation & 0x80 != 0, aggregation & 0x40 != 0);
        let count = usize::from(aggregation >> 4 & 3);
        if continues != fragment.is_some() || rest.is_empty() {
            return None;
        }
        let mut index = 0;
        while !rest.is_empty() {
            index += 1;
            let element = if count != 0 && index == count {
                std::mem::take(&mut rest)
            } else {
                let (size, length) = leb128(rest)?;
                let (element, after) = rest.get(length..)?.split_at_checked(size)?;
                rest = after;
                element
            };
            let mut whole = fragment.take().unwrap_or_default();
            whole.extend_from_slice(element);
            if rest.is_empty() && is_continued {
                fragment = Some(whole);
            } else {
                put_obu(&mut out, &whole)?;
            }
        }
        if count != 0 && index != count {
            return None;
        }
    }
    (fragment.is_none() && !out.is_empty()).then(|| out.freeze())
}

/// Appends one element as a unit with a size field; empty ones and delimiters vanish.
fn put_obu(out: &mut BytesMut, element: &[u8]) -> Option<()> {
    if element.is_empty() {
        return Some(());
    }
    let (unit, rest) = obu(element)?;
    if !rest.is_empty() {
        return None;
    }
    if matches!(unit.kind, TEMPORAL_DELIMITER | TILE_LIST | PADDING) {
        return Some(());
    }
    out.put_u8(unit.header | HAS_SIZE);
    out.extend(unit.extension);
    put_leb128(out, unit.content.len());
    out.put_slice(unit.content);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_fragments_and_adds_sizes() {
        let payloads = [
            Bytes::from_static(&[0x50, 0x30, 1, 2]),
            Bytes::from_static(&[0x90, 3]),
        ];
        let unit = depacketize(&payloads).unwrap();
        assert_eq!(&unit[..], [0x32, 3, 1, 2, 3]);
    }

    #[test]
    fn fragments_that_do_not_meet_are_refused() {
        let start = Bytes::from_static(&[0x50, 0x30, 1]);
        let middle = Bytes::from_static(&[0x90, 3]);
        assert!(depacketize(std::slice::from_ref(&start)).is_none());
        assert!(depacketize(std::slice::from_ref(&middle)).is_none());
        assert!(depacketize(&[start.clone(), start]).is_none());
        assert!(depacketize(&[Bytes::from_static(&[0x20, 9, 1])]).is_none());
        // An extension announced and cut off.
        assert!(depacketize(&[Bytes::from_static(&[0x10, 0x36])]).is_none());
    }

    #[test]
    fn cut_units_are_not_well_formed() {
        assert!(is_well_formed(&[0x12, 0, 0x32, 2, 7, 7]));
        assert!(!is_well_formed(&[0x12, 0, 0x32, 3, 7, 7]));
        assert!(!is_well_formed(&[0x12, 0]));
        assert!(!is_well_formed(&[]));
    }
}
