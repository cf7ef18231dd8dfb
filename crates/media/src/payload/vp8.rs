//! VP8 frames (RFC 6386 §9.1) and their RTP payload descriptor (RFC 7741 §4.2).

use bytes::{Bytes, BytesMut};

/// Tells whether this encoded frame is a key frame with its start code in place.
pub(crate) fn is_key_frame(encoded: &[u8]) -> bool {
    matches!(encoded, [tag, _, _, 0x9d, 0x01, 0x2a, _, _, _, _, ..] if tag & 1 == 0)
}

/// Returns the width and height in pixels that a key frame states.
pub(crate) fn dimensions(encoded: &[u8]) -> Option<(u32, u32)> {
    if !is_key_frame(encoded) {
        return None;
    }
    let side = |at: usize| u32::from(u16::from_le_bytes([encoded[at], encoded[at + 1]]) & 0x3fff);
    Some((side(6), side(8)))
}

/// Returns what [`dimensions`] does, of a frame's first payload.
pub(crate) fn payload_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let descriptor = descriptor(payload).filter(|d| d.is_frame_start)?;
    dimensions(&payload[descriptor.len..])
}

/// The part of a payload descriptor that matters when frames are put together.
struct Descriptor {
    is_frame_start: bool,
    len: usize,
}

/// Reads a payload descriptor; `None` if the payload ends within it or right after it.
fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let first = *payload.first()?;
    let mut len = 1;
    if first & 0x80 != 0 {
        let extension = *payload.get(1)?;
        len = 2;
        if extension & 0x80 != 0 {
            len += if payload.get(2)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extension & 0x40 != 0 {
            len += 1;
        }
        if extension & 0x30 != 0 {
            len += 1;
        }
    }
    (payload.len() > len).then_some(Descriptor {
        // Start of a partition, and of the first one.
        is_frame_start: first & 0x10 != 0 && first & 0x07 == 0,
        len,
    })
}

/// Tells whether a frame begins with this payload.
pub(crate) fn is_frame_start(payload: &[u8]) -> bool {
    descriptor(payload).is_some_and(|d| d.is_frame_start)
}

/// Tells whether a key frame begins with this payload (RFC 6386 §9.1).
pub(crate) fn begins_key_frame(payload: &[u8]) -> bool {
    descriptor(payload).is_some_and(|d| d.is_frame_start && payload[d.len] & 1 == 0)
}

/// Returns the payload with its descriptor cut down to the mandatory byte; `None` if malformed.
///
/// Picture ids and layer indices belong to one sender's sequence of frames: after a switch to
/// another sender they would jump.
pub(crate) fn without_ids(payload: &Bytes) -> Option<Bytes> {
    let Descriptor { len, .. } = descriptor(payload)?;
    if len == 1 {
        return Some(payload.clone());
    }
    let mut short = BytesMut::with_capacity(payload.len() - len + 1);
    short.extend_from_slice(&[payload[0] & 0x7f]);
    short.extend_from_slice(&payload[len..]);
    Some(short.freeze())
}

/// Puts a frame together; `None` if a payload is malformed or the first one starts no frame.
pub(crate) fn depacketize(payloads: &[Bytes]) -> Option<Bytes> {
    if !is_frame_start(payloads.first()?) {
        return None;
    }
    if let [only] = payloads {
        return Some(only.slice(descriptor(only)?.len..));
    }
    let mut frame = BytesMut::with_capacity(payloads.iter().map(Bytes::len).sum());
    for payload in payloads {
        frame.extend_from_slice(&payload[descriptor(payload)?.len..]);
    }
    Some(frame.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_descriptor() {
        let len = |payload: &[u8]| descriptor(payload).map(|d| d.len);
        assert_eq!(len(&[0x10, 1]), Some(1));
        assert_eq!(len(&[0x90, 0x80, 0x05, 1]), Some(3));
        assert_eq!(len(&[0x90, 0x80, 0x85, 7, 1]), Some(4));
        assert_eq!(len(&[0x90, 0xf0, 0x85, 7, 1, 2, 3]), Some(6));
        assert_eq!(len(&[0x90, 0x20, 1, 2]), Some(3));
    }

    #[test]
    fn refuses_cut_descriptors() {
        for cut in [
            &[][..],
            &[0x10],
            &[0x90],
            &[0x90, 0x80],
            &[0x90, 0xf0, 0x85, 7, 1, 2],
        ] {
            assert!(descriptor(cut).is_none(), "{cut:?}");
        }
    }

    #[test]
    fn drops_ids_and_keeps_the_rest() {
        let with_ids = Bytes::from_static(&[0xb0, 0x80, 0x85, 7, 42, 43]);
        assert_eq!(
            without_ids(&with_ids).unwrap(),
            Bytes::from_static(&[0x30, 42, 43])
        );
    }

    #[test]
    fn only_whole_key_headers_count() {
        let key = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41];
        assert!(is_key_frame(&key));
        assert_eq!(dimensions(&key), Some((640, 360)));
        assert!(!is_key_frame(&key[..9]));
        assert!(!is_key_frame(&[
            0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01
        ]));
    }
}
