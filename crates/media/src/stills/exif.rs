//! How a camera was held (Exif 2.3, a TIFF structure).

/// The tag of the orientation.
const ORIENTATION: u16 = 274;

/// Returns the orientation, 1 to 8, if it is stated.
pub(super) fn orientation(tiff: &[u8]) -> Option<u16> {
    let is_big = match tiff.get(..4)? {
        [b'M', b'M', 0, 42] => true,
        [b'I', b'I', 42, 0] => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let count = usize::from(short(directory)?);
    // Twelve bytes each: tag, type, count, value.
    let entries = (0..count).map_while(|n| directory.checked_add(2 + n * 12));
    let entry = entries
        .into_iter()
        .find(|at| short(*at) == Some(ORIENTATION))?;
    short(entry.checked_add(8)?).filter(|value| (1..=8).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orientation_is_found_in_either_order_of_bytes() {
        let little = b"II\x2a\0\x08\0\0\0\x02\0\
            \x0f\x01\x02\0\x01\0\0\0\0\0\0\0\
            \x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(orientation(little), Some(6));
        assert_eq!(orientation(big), Some(8));
        for cut in 0..little.len() {
            let _ = orientation(&little[..cut]);
        }
        assert_eq!(orientation(b"II\x2a\0\xff\xff\xff\xff"), None);
        assert_eq!(orientation(b"nonsense"), None);
    }
}
