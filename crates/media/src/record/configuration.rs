//! What a container's head states about a codec, and the form in which it wants the codec's frames.

use std::borrow::Cow;

use super::avc;
use super::mux::Track;
use crate::codec::{Codec, Kind};
use crate::payload;

/// Returns the identification header of Opus (RFC 7845 §5.1): no pre-skip, 48 kHz.
pub(super) fn opus_head(channels: u8) -> [u8; 19] {
    let mut head = *b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";
    head[9] = channels;
    head
}

/// Longer ones are not for a head: no sender makes them.
const LONGEST: usize = 1024;

/// Returns what a decoder is told of pictures in advance, `avcC`, `av1C` or the content of `vpcC`,
/// once the first of them has come.
pub(super) fn of_pictures(track: &Track) -> Option<Vec<u8>> {
    let first = track.first.as_deref()?;
    let record = match track.codec {
        Codec::Av1 => payload::av1::configuration_record(first),
        Codec::H264 => avc::configuration_record(first),
        Codec::Vp9 => Some(vp9(first)),
        Codec::Opus | Codec::Vp8 => None,
    };
    record.filter(|record| record.len() <= LONGEST)
}

/// Returns `vpcC` for 8-bit 4:2:0, as WebRTC senders make it ("VP Codec ISO Media File Format
/// Binding" §3.2).
fn vp9(first: &[u8]) -> Vec<u8> {
    // The frame marker takes two bits, then come the low and the high bit of the profile.
    let profile = first
        .first()
        .map_or(0, |byte| byte >> 5 & 1 | (byte >> 4 & 1) << 1);
    // Version 1; level 3.1, which is 720p; 8 bits, 4:2:0 collocated, narrow range; colours unspecified.
    vec![1, 0, 0, 0, profile, 31, 0x82, 2, 2, 2, 0, 0]
}

/// Returns a frame as Matroska and MP4 want it: H.264 with lengths instead of start codes.
pub(super) fn in_container(kind: Kind, video: Option<Codec>, encoded: &[u8]) -> Cow<'_, [u8]> {
    if kind == Kind::Video && video == Some(Codec::H264) {
        Cow::Owned(avc::with_lengths(encoded))
    } else {
        Cow::Borrowed(encoded)
    }
}
