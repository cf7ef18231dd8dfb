//! VP9 frames (VP9 bitstream specification §6.2) and their RTP payload descriptor (RFC 9628 §4.2).

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Bits;
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
