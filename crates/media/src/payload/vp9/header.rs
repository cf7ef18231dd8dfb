//! The uncompressed header of a VP9 frame (VP9 bitstream specification §6.2), and superframes (annex B).

use crate::payload::bits::Bits;

/// The colour space with three planes of full size.
const RGB: u32 = 7;

/// The first fields of an uncompressed header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// 0 is 8 bits of 4:2:0, the one that WebRTC speaks of unless it says otherwise.
    pub(crate) profile: u32,
    /// Whether a decoder can start here.
    pub(crate) is_key: bool,
    /// Width and height in pixels, where it states them: always in key frames.
    pub(crate) size: Option<(u32, u32)>,
}

/// Reads the header at the start of a frame; `None` for what is no VP9.
pub(crate) fn header(encoded: &[u8]) -> Option<Header> {
    let mut bits = Bits::new(encoded);
    if bits.read(2)? != 2 {
        return None;
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    if profile == 3 && bits.flag()? {
        return None;
    }
    let shows_existing = bits.flag()?;
    if shows_existing {
        return Some(Header {
            profile,
            is_key: false,
            size: None,
        });
    }
    let is_key = !bits.flag()?;
    let size = if is_key {
        let (_is_shown, _is_resilient) = (bits.flag()?, bits.flag()?);
        sync_code(&mut bits)?;
        colours(&mut bits, profile)?;
        Some(size(&mut bits)?)
    } else {
        // Nothing that a short frame lacks is missed.
        size_of_inter(&mut bits, profile)
    };
    Some(Header {
        profile,
        is_key,
        size,
    })
}

/// Reads the size off a frame that is no key frame, from after its type; most take it from another.
fn size_of_inter(bits: &mut Bits<'_>, profile: u32) -> Option<(u32, u32)> {
    let (is_shown, is_resilient) = (bits.flag()?, bits.flag()?);
    let is_intra = !is_shown && bits.flag()?;
    if !is_resilient {
        bits.read(2)?;
    }
    if is_intra {
        sync_code(bits)?;
        if profile > 0 {
            colours(bits, profile)?;
        }
        bits.read(8)?;
        return size(bits);
    }
    // What is refreshed, then three references of four bits.
    bits.read(8 + 12)?;
    for _reference in 0..3 {
        if bits.flag()? {
            return None;
        }
    }
    size(bits)
}

fn sync_code(bits: &mut Bits<'_>) -> Option<()> {
    (bits.read(24)? == 0x49_83_42).then_some(())
}

fn colours(bits: &mut Bits<'_>, profile: u32) -> Option<()> {
    if profile >= 2 {
        bits.read(1)?;
    }
    let has_subsampling = profile == 1 || profile == 3;
    if bits.read(3)? == RGB {
        if has_subsampling {
            bits.read(1)?;
        }
    } else {
        bits.read(1)?;
        if has_subsampling {
            bits.read(3)?;
        }
    }
    Some(())
}

fn size(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    Some((bits.read(16)? + 1, bits.read(16)? + 1))
}

/// Returns the largest size that is stated in a frame, or in any of those of a superframe (annex B).
pub(crate) fn largest(encoded: &[u8]) -> Option<(u32, u32)> {
    let mut rest = encoded;
    let lengths = superframe(encoded).unwrap_or_default();
    let frames = lengths.into_iter().map_while(|length| {
        let (frame, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(frame)
    });
    std::iter::once(encoded)
        .chain(frames)
        .filter_map(|frame| header(frame)?.size)
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// Returns the sizes in bytes of the frames in a superframe; `None` for a single frame.
fn superframe(encoded: &[u8]) -> Option<Vec<usize>> {
    let marker = *encoded.last()?;
    if marker >> 5 != 0b110 {
        return None;
    }
    let (bytes, frames) = (
        usize::from(marker >> 3 & 3) + 1,
        usize::from(marker & 7) + 1,
    );
    let index = encoded.get(encoded.len().checked_sub(2 + bytes * frames)?..)?;
    if index[0] != marker {
        return None;
    }
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |n, byte| n << 8 | usize::from(*byte))
    };
    Some(
        index[1..index.len() - 1]
            .chunks(bytes)
            .map(number)
            .collect(),
    )
}

#[cfg(test)]
pub(in crate::payload) mod tests {
    use bytes::Bytes;

    use super::super::{dimensions, is_key_frame};
    use super::*;

    /// A key frame of profile 0, 640 × 360, of `len` bytes; ten at least.
    pub(crate) fn key(len: usize) -> Bytes {
        // 10 00 0 0 1 0, sync code, colour space 2 and range 0, then 639 and 359 in 16 bits each.
        let mut bytes = vec![0x82, 0x49, 0x83, 0x42, 0x40, 0x27, 0xf0, 0x16, 0x70, 0];
        bytes.extend((bytes.len()..len).map(|n| n as u8));
        bytes.into()
    }

    #[test]
    fn reads_headers() {
        assert_eq!(dimensions(&key(10)), Some((640, 360)));
        assert!(!is_key_frame(&key(10)[..8]), "cut off");
        let inter = [0x86, 0, 0x40];
        let read = |bytes: &[u8]| header(bytes).map(|h| (h.profile, h.is_key.then_some(h.size)));
        assert_eq!(read(&inter), Some((0, None)));
        // Shows a frame that is there already, in one byte.
        assert_eq!(read(&[0x88]), Some((0, None)));
        // Profile 2, inter.
        assert_eq!(read(&[0x96]), Some((2, None)));
        assert_eq!(read(&[0x02, 0x49]), None, "no frame marker");
        assert_eq!(read(&[0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn sizes_are_found_in_frames_that_are_no_key_frames_and_in_superframes() {
        // Shown and resilient, with three references: the first has the size, or none of them.
        assert_eq!(largest(&[0x87, 0, 0, 0x08]), None);
        let huge = [0x87, 0, 0, 0, 0x7f, 0xfe, 0x7f, 0xfe];
        assert_eq!(largest(&huge), Some((16384, 16384)));
        let mut superframe = key(10).to_vec();
        superframe.extend(huge);
        superframe.extend([0xc1, 10, huge.len() as u8, 0xc1]);
        assert_eq!(largest(&superframe), Some((16384, 16384)));
        assert_eq!(dimensions(&superframe), Some((640, 360)));
        superframe.truncate(superframe.len() - 1);
        assert_eq!(largest(&superframe), Some((640, 360)));
    }
}
