//! VP9 frames and their RTP payload descriptor (RFC 9628 §4.2).

mod header;

use bytes::{BufMut, Bytes, BytesMut};

pub(crate) use header::{header, largest};

use crate::frame::MAX_PAYLOAD;

/// The bits of the descriptor's first octet.
const PICTURE_ID: u8 = 0x80;
const PREDICTED: u8 = 0x40;
const LAYERS: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGINS: u8 = 0x08;
const ENDS: u8 = 0x04;
const STRUCTURE: u8 = 0x02;
const NOT_FOR_UPPER: u8 = 0x01;

/// The descriptor's part that tells a picture's size, in the first payload of a key frame.
const STRUCTURE_LENGTH: usize = 8;

/// Tells whether a decoder can start at this encoded frame.
pub(crate) fn is_key_frame(encoded: &[u8]) -> bool {
    header(encoded).is_some_and(|header| header.is_key)
}

/// Returns the width and height in pixels that a key frame states.
pub(crate) fn dimensions(encoded: &[u8]) -> Option<(u32, u32)> {
    header(encoded).filter(|header| header.is_key)?.size
}

/// Returns what [`dimensions`] does, of a frame's first payload.
pub(crate) fn payload_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let descriptor = descriptor(payload).filter(Descriptor::is_frame_start)?;
    dimensions(&payload[descriptor.len..])
}

/// Tells whether a key frame begins with this payload.
pub(crate) fn begins_key_frame(payload: &[u8]) -> bool {
    payload_dimensions(payload).is_some()
}

/// Tells whether a frame begins with this payload.
pub(crate) fn is_frame_start(payload: &[u8]) -> bool {
    descriptor(payload).is_some_and(|d| d.is_frame_start())
}

/// Cuts a frame into payloads; `None` for what is no VP9 frame.
///
/// Non-flexible mode, without picture ids and layers: payloads are sent verbatim to many, and ids
/// would jump where a file loops or the sender changes. Receivers then go by sequence numbers.
pub(crate) fn packetize(encoded: &Bytes) -> Option<Vec<Bytes>> {
    let header = header(encoded)?;
    let key = header.size.filter(|_| header.is_key);
    let mut payloads = Vec::with_capacity(encoded.len() / MAX_PAYLOAD + 1);
    let mut at = 0;
    while at < encoded.len() {
        let mut first = NOT_FOR_UPPER;
        if key.is_none() {
            first |= PREDICTED;
        }
        let mut room = MAX_PAYLOAD - 1;
        let size = key.filter(|_| at == 0);
        if at == 0 {
            first |= BEGINS;
        }
        if size.is_some() {
            first |= STRUCTURE;
            room -= STRUCTURE_LENGTH;
        }
        let end = encoded.len().min(at + room);
        if end == encoded.len() {
            first |= ENDS;
        }
        let mut payload = BytesMut::with_capacity(MAX_PAYLOAD - room + end - at);
        payload.put_u8(first);
        if let Some((width, height)) = size {
            put_structure(&mut payload, width, height);
        }
        payload.extend_from_slice(&encoded[at..end]);
        payloads.push(payload.freeze());
        at = end;
    }
    Some(payloads)
}

/// Appends a scalability structure: one spatial layer of this size, one temporal layer whose
/// pictures each refer to the one before.
fn put_structure(out: &mut BytesMut, width: u32, height: u32) {
    let has_sizes_and_group = 0b0001_1000;
    let refers_to_one = 0b0000_0100;
    out.put_u8(has_sizes_and_group);
    // Both were read as 16 bits and one: the largest size there is, 65536, is told as zero.
    out.put_u16(width as u16);
    out.put_u16(height as u16);
    out.put_slice(&[1, refers_to_one, 1]);
}

/// What matters of a payload descriptor when frames are put together.
struct Descriptor {
    flags: u8,
    /// Number of the spatial layer.
    layer: u8,
    /// Where the scalability structure is.
    structure: std::ops::Range<usize>,
    len: usize,
}

impl Descriptor {
    /// Layers above the first belong to the same picture.
    fn is_frame_start(&self) -> bool {
        self.flags & BEGINS != 0 && self.layer == 0
    }
}

/// Reads a payload descriptor; `None` if the payload ends within it or right after it.
fn descriptor(payload: &[u8]) -> Option<Descriptor> {
    let flags = *payload.first()?;
    let mut len = 1;
    let mut layer = 0;
    if flags & PICTURE_ID != 0 {
        len += if payload.get(len)? & 0x80 != 0 { 2 } else { 1 };
    }
    if flags & LAYERS != 0 {
        layer = payload.get(len)? >> 1 & 7;
        // In non-flexible mode TL0PICIDX follows.
        len += if flags & FLEXIBLE != 0 { 1 } else { 2 };
    }
    if flags & FLEXIBLE != 0 && flags & PREDICTED != 0 {
        // Up to three reference indices; the last bit says whether another one follows.
        for n in 1.. {
            let more = payload.get(len)? & 1 != 0;
            len += 1;
            if !more {
                break;
            }
            if n == 3 {
                return None;
            }
        }
    }
    let start = len;
    if flags & STRUCTURE != 0 {
        len += structure_length(payload.get(len..)?)?;
    }
    (payload.len() > len).then_some(Descriptor {
        flags,
        layer,
        structure: start..len,
        len,
    })
}

/// Returns the length of the scalability structure at the start of `bytes`.
fn structure_length(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    let mut len = 1;
    if first & 0x10 != 0 {
        len += 4 * (usize::from(first >> 5) + 1);
    }
    if first & 0x08 != 0 {
        let pictures = *bytes.get(len)?;
        len += 1;
        for _ in 0..pictures {
            len += 1 + usize::from(bytes.get(len)? >> 2 & 3);
        }
    }
    Some(len)
}

/// Returns the payload in the form that [`packetize`] makes: without picture ids, layers and
/// reference indices, which belong to one sender's sequence of frames. `None` if malformed, or of
/// one of several spatial layers, which nobody is asked for here.
pub(crate) fn without_ids(payload: &Bytes) -> Option<Bytes> {
    let Descriptor {
        flags,
        layer,
        structure,
        len,
    } = descriptor(payload)?;
    if layer != 0 {
        return None;
    }
    let kept = flags & !(PICTURE_ID | LAYERS | FLEXIBLE);
    if kept == flags {
        return Some(payload.clone());
    }
    let mut short = BytesMut::with_capacity(payload.len());
    short.put_u8(kept);
    short.extend_from_slice(&payload[structure]);
    short.extend_from_slice(&payload[len..]);
    Some(short.freeze())
}

/// Puts a frame together; `None` if a payload is malformed, or they are not those of one frame.
pub(crate) fn depacketize(payloads: &[Bytes]) -> Option<Bytes> {
    let mut frame = BytesMut::with_capacity(payloads.iter().map(Bytes::len).sum());
    for (at, payload) in payloads.iter().enumerate() {
        let descriptor = descriptor(payload)?;
        if descriptor.is_frame_start() != (at == 0) || descriptor.layer != 0 {
            return None;
        }
        if payloads.len() == 1 {
            return Some(payload.slice(descriptor.len..));
        }
        frame.extend_from_slice(&payload[descriptor.len..]);
    }
    (!frame.is_empty()).then(|| frame.freeze())
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::header::tests::key;
    use super::*;

    #[test]
    fn reads_every_form_of_descriptor() {
        let len = |payload: &[u8]| descriptor(payload).map(|d| d.len);
        assert_eq!(len(&[0x08, 1]), Some(1));
        assert_eq!(len(&[0x88, 0x05, 1]), Some(2));
        assert_eq!(len(&[0x88, 0x85, 7, 1]), Some(3));
        assert_eq!(len(&[0xa8, 0x05, 0x00, 9, 1]), Some(4), "layers, TL0PICIDX");
        assert_eq!(len(&[0xb8, 0x05, 0x00, 1]), Some(3), "flexible");
        assert_eq!(len(&[0xd0, 0x05, 0x03, 0x02, 1]), Some(4), "two references");
        assert_eq!(len(&[0xd0, 0x05, 3, 3, 3, 2, 1]), None, "four references");
        assert_eq!(
            len(&[0x0a, 0x18, 1, 0, 1, 0, 1, 0x04, 1, 77]),
            Some(9),
            "size and group"
        );
    }

    #[test]
    fn refuses_cut_descriptors() {
        for cut in [
            &[][..],
            &[0x08],
            &[0x88],
            &[0x88, 0x85],
            &[0xa8, 0x05, 0x00],
            &[0xd0, 0x05, 0x03],
            &[0x0a],
            &[0x0a, 0x18, 1, 0],
            &[0x0a, 0x08, 2, 0x0c, 1, 1],
        ] {
            assert!(descriptor(cut).is_none(), "{cut:?}");
        }
    }

    #[test]
    fn drops_ids_and_keeps_the_rest() {
        let with_ids = Bytes::from_static(&[0xea, 0x85, 7, 0x00, 9, 0x00, 42, 43]);
        assert_eq!(
            without_ids(&with_ids).unwrap(),
            Bytes::from_static(&[0x4a, 0x00, 42, 43])
        );
        let upper_layer = Bytes::from_static(&[0xa8, 0x05, 0x02, 9, 1]);
        assert!(without_ids(&upper_layer).is_none());
    }

    #[test]
    fn a_key_frame_states_its_size_and_others_are_predicted() {
        let payloads = packetize(&key(3000)).unwrap();
        assert_eq!(payloads.len(), 3);
        assert_eq!(payloads[0][..6], [0x0b, 0x18, 2, 128, 1, 104]);
        assert_eq!([payloads[1][0], payloads[2][0]], [0x01, 0x05]);
        assert_eq!(payload_dimensions(&payloads[0]), Some((640, 360)));
        assert!(begins_key_frame(&payloads[0]) && !begins_key_frame(&payloads[1]));
        let inter = packetize(&Bytes::from_static(&[0x86, 0, 0x40])).unwrap();
        assert_eq!(inter[0][0], 0x4d);
        assert!(is_frame_start(&inter[0]) && !begins_key_frame(&inter[0]));
    }

    #[test]
    fn payloads_of_two_frames_are_not_one() {
        let payloads = packetize(&key(2000)).unwrap();
        assert!(depacketize(&payloads).is_some());
        assert!(depacketize(&payloads[1..]).is_none());
        assert!(depacketize(&[payloads[0].clone(), payloads[0].clone()]).is_none());
    }
}
