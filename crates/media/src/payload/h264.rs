//! H.264 access units in Annex B form and their RTP payload format (RFC 6184, packetization mode 1).

mod parameters;

use bytes::{BufMut, Bytes, BytesMut};

pub(crate) use parameters::{ParameterSets, Sps, is_b_slice};

use crate::frame::MAX_PAYLOAD;

const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;
const DELIMITER: u8 = 9;
const END_OF_SEQUENCE: u8 = 10;
const END_OF_STREAM: u8 = 11;
const FILLER: u8 = 12;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

fn kind(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1f)
}

/// Iterates over the NAL units of a byte stream (H.264 annex B), without start codes and zeros between.
pub(crate) fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        loop {
            let bytes = rest?;
            let next = find_start_code(bytes);
            let nal = &bytes[..next.unwrap_or(bytes.len())];
            rest = next.and_then(|at| after_start_code(&bytes[at..]));
            // Zeros before the next start code are no part of a unit, which never ends in one.
            let length = nal
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            if length > 0 {
                return Some(&nal[..length]);
            }
        }
    })
}

/// Returns where the next `00 00 01` is.
fn find_start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    // The third byte decides how far to go on: most are larger than one.
    while let Some(byte) = bytes.get(at) {
        match byte {
            0 => at += 1,
            1 if bytes[at - 1] == 0 && bytes[at - 2] == 0 => return Some(at - 2),
            _ => at += 3,
        }
    }
    None
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    find_start_code(bytes).map(|at| &bytes[at + 3..])
}

/// Tells whether the first macroblock of a picture is in this slice (`first_mb_in_slice` is 0).
pub(crate) fn begins_picture(nal: &[u8]) -> bool {
    matches!(kind(nal), SLICE | IDR_SLICE) && nal.get(1).is_some_and(|byte| byte & 0x80 != 0)
}

/// Tells whether a decoder can start at this access unit: an IDR picture with its parameter sets.
pub(crate) fn is_key_frame(encoded: &[u8]) -> bool {
    let (mut sps, mut pps) = (false, false);
    for nal in nal_units(encoded) {
        match kind(nal) {
            SPS => sps = Sps::read(nal).is_some(),
            PPS => pps = true,
            SLICE => return false,
            IDR_SLICE => return sps && pps && begins_picture(nal),
            _ => {}
        }
    }
    false
}

/// Returns the first sequence parameter set.
pub(crate) fn sps(encoded: &[u8]) -> Option<Sps> {
    nal_units(encoded)
        .find(|nal| kind(nal) == SPS)
        .and_then(Sps::read)
}

/// Returns the width and height in pixels that the sequence parameter set states.
pub(crate) fn dimensions(encoded: &[u8]) -> Option<(u32, u32)> {
    sps(encoded).map(|sps| (sps.width, sps.height))
}

/// Returns the largest size that any sequence parameter set states.
pub(crate) fn largest(encoded: &[u8]) -> Option<(u32, u32)> {
    nal_units(encoded)
        .filter(|nal| kind(nal) == SPS)
        .filter_map(Sps::read)
        .map(|sps| (sps.width, sps.height))
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// Returns what [`dimensions`] does, of a frame's first payload.
pub(crate) fn payload_dimensions(payload: &[u8]) -> Option<(u32, u32)> {
    let sps = match kind(payload) {
        SPS => payload,
        STAP_A => aggregated(payload).find(|nal| kind(nal) == SPS)?,
        _ => return None,
    };
    Sps::read(sps).map(|sps| (sps.width, sps.height))
}

/// Tells whether the first slice of an IDR picture begins in this payload.
pub(crate) fn begins_key_frame(payload: &[u8]) -> bool {
    let is_first = |nal: &[u8]| kind(nal) == IDR_SLICE && begins_picture(nal);
    match (kind(payload), payload) {
        (IDR_SLICE, _) => is_first(payload),
        (STAP_A, _) => aggregated(payload).any(is_first),
        (FU_A, [_, header, first, ..]) => header & 0x9f == 0x80 | IDR_SLICE && first & 0x80 != 0,
        _ => false,
    }
}

/// Tells whether a frame can begin with this payload: it continues no fragment.
pub(crate) fn is_frame_start(payload: &[u8]) -> bool {
    match kind(payload) {
        1..=23 => true,
        STAP_A => aggregated(payload).next().is_some(),
        FU_A => payload.get(1).is_some_and(|header| header & 0x80 != 0),
        _ => false,
    }
}

/// Iterates over the units of a STAP-A, up to the first malformed one (RFC 6184 §5.7.1).
fn aggregated(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (size, after) = rest.split_first_chunk::<2>()?;
        let (nal, after) = after.split_at_checked(u16::from_be_bytes(*size).into())?;
        rest = after;
        (!nal.is_empty()).then_some(nal)
    })
}

/// Cuts an access unit into payloads; `None` if there is no picture in it.
///
/// Small units that follow each other share a payload: so the parameter sets come together. What
/// RTP makes superfluous (delimiters, ends of sequences, filler) is left out.
pub(crate) fn packetize(encoded: &Bytes) -> Option<Vec<Bytes>> {
    let mut payloads = Vec::with_capacity(encoded.len() / MAX_PAYLOAD + 1);
    let mut small: Vec<&[u8]> = Vec::new();
    let mut is_picture = false;
    for nal in nal_units(encoded) {
        match kind(nal) {
            DELIMITER | END_OF_SEQUENCE | END_OF_STREAM | FILLER => continue,
            // Types that a payload could be mistaken for.
            0 | 24.. => return None,
            SLICE | IDR_SLICE => is_picture = true,
            _ => {}
        }
        let together = 1 + small.iter().map(|nal| nal.len() + 2).sum::<usize>();
        if together + nal.len() + 2 > MAX_PAYLOAD {
            payloads.extend(take_small(&mut small));
        }
        if nal.len() > MAX_PAYLOAD {
            put_fragments(&mut payloads, nal);
        } else {
            small.push(nal);
        }
    }
    payloads.extend(take_small(&mut small));
    is_picture.then_some(payloads)
}

/// Makes one payload of units that fit into one together: a STAP-A if there are several.
fn take_small(small: &mut Vec<&[u8]>) -> Option<Bytes> {
    let units = std::mem::take(small);
    let [first, .., last] = units.as_slice() else {
        return units.first().map(|nal| Bytes::copy_from_slice(nal));
    };
    debug_assert!(first.len() + last.len() < MAX_PAYLOAD);
    let mut payload = BytesMut::with_capacity(MAX_PAYLOAD);
    // The F bit of any, and the highest importance of all (RFC 6184 §5.7).
    let forbidden = units.iter().fold(0, |bits, nal| bits | nal[0] & 0x80);
    let importance = units.iter().map(|nal| nal[0] & 0x60).max().unwrap_or(0);
    payload.put_u8(forbidden | importance | STAP_A);
    for nal in &units {
        // At most MAX_PAYLOAD, far below 65536.
        payload.put_u16(nal.len() as u16);
        payload.put_slice(nal);
    }
    Some(payload.freeze())
}

/// Cuts a unit that is larger than a payload into FU-As (RFC 6184 §5.8).
fn put_fragments(payloads: &mut Vec<Bytes>, nal: &[u8]) {
    let (header, content) = (nal[0], &nal[1..]);
    let count = content.chunks(MAX_PAYLOAD - 2).len();
    for (at, chunk) in content.chunks(MAX_PAYLOAD - 2).enumerate() {
        let mut payload = BytesMut::with_capacity(chunk.len() + 2);
        payload.put_u8(header & 0xe0 | FU_A);
        let (start, end) = (u8::from(at == 0) << 7, u8::from(at + 1 == count) << 6);
        payload.put_u8(start | end | header & 0x1f);
        payload.put_slice(chunk);
        payloads.push(payload.freeze());
    }
}

/// Puts an access unit together, in Annex B form; `None` if a payload is malformed, fragments do
/// not meet, or the picture does not begin with its first macroblock.
pub(crate) fn depacketize(payloads: &[Bytes]) -> Option<Bytes> {
    let size = payloads.iter().map(|payload| payload.len() + 8).sum();
    let mut out = BytesMut::with_capacity(size);
    let mut fragmented = None;
    let mut pictures = 0;
    let mut put = |out: &mut BytesMut, nal: &[u8]| -> Option<()> {
        if matches!(kind(nal), SLICE | IDR_SLICE) {
            if pictures == 0 && !begins_picture(nal) {
                return None;
            }
            pictures += 1;
        }
        out.put_slice(&START_CODE);
        out.put_slice(nal);
        Some(())
    };
    for payload in payloads {
        let nal_kind = kind(payload);
        if fragmented.is_some() && nal_kind != FU_A {
            return None;
        }
        match nal_kind {
            1..=23 => put(&mut out, payload)?,
            STAP_A => {
                let mut length = 1;
                for nal in aggregated(payload) {
                    length += 2 + nal.len();
                    put(&mut out, nal)?;
                }
                if length != payload.len() || length == 1 {
                    return None;
                }
            }
            FU_A => {
                let [indicator, header, content @ ..] = &payload[..] else {
                    return None;
                };
                let nal_header = indicator & 0xe0 | header & 0x1f;
                let (starts, ends) = (header & 0x80 != 0, header & 0x40 != 0);
                if starts {
                    if fragmented.replace(nal_header).is_some() || content.is_empty() {
                        return None;
                    }
                    put(&mut out, &[nal_header, content[0]])?;
                    out.put_slice(&content[1..]);
                } else {
                    if fragmented != Some(nal_header) {
                        return None;
                    }
                    out.put_slice(content);
                }
                if ends {
                    fragmented = None;
                }
            }
            _ => return None,
        }
    }
    (fragmented.is_none() && pictures > 0).then(|| out.freeze())
}

#[cfg(test)]
pub(crate) mod tests;
