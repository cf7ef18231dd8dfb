//! Encoded frames, and payloads of RTP that are put together to frames.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Assembled, Codec, Frame, FrameAssembler, MAX_PAYLOAD, OpusDecoder, VideoDecoder};

/// The first byte names the codec.
fn codec(bytes: &[u8]) -> Option<(Codec, &[u8])> {
    let all = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];
    let (first, rest) = bytes.split_first()?;
    Some((*all.get(usize::from(*first))?, rest))
}

/// Takes off so many bytes, as the two before them say, or all that are left.
fn piece<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
    let (piece, after) = after.split_at(length);
    *rest = after;
    Some(piece)
}

/// Packets: for each a length, the marker, how far ahead its number and its time are, and the payload.
pub(crate) fn frames(bytes: &[u8]) {
    let Some((codec, mut rest)) = codec(bytes) else {
        return;
    };
    let mut assembler = FrameAssembler::new(codec, Duration::from_millis(50));
    let mut now = Instant::now();
    let (mut number, mut timestamp) = (65_530_u16, u32::MAX - 1000);
    while let Some(packet) = piece(&mut rest) {
        let [flags, ahead, later, payload @ ..] = packet else {
            continue;
        };
        let far = if flags & 2 == 0 { 1 } else { 256 };
        number = number.wrapping_add_signed(i16::from(*ahead as i8) * far);
        timestamp = timestamp.wrapping_add_signed(i32::from(*later as i8) * 960);
        let payload = Bytes::copy_from_slice(payload);
        assembler.push(now, number, timestamp, flags & 1 != 0, payload);
        while let Some(assembled) = assembler.poll(now) {
            if let Assembled::Frame { frame, .. } = assembled {
                let encoded = frame.encoded().expect("a whole frame");
                let _ = Frame::packetize(codec, encoded, frame.media_time, frame.duration, true);
            }
        }
        now += Duration::from_millis(u64::from(flags >> 2));
    }
    let _ = (assembler.next_due(), assembler.counters());
}

/// A frame: its payloads fit into packets and are put together to the same.
pub(crate) fn encoded(bytes: &[u8]) {
    let Some((codec, rest)) = codec(bytes) else {
        return;
    };
    let encoded = Bytes::copy_from_slice(rest);
    let (time, duration) = (Duration::ZERO, Duration::from_millis(20));
    let Ok(frame) = Frame::packetize(codec, encoded.clone(), time, duration, false) else {
        return;
    };
    for payload in &frame.payloads {
        assert!(
            (1..=MAX_PAYLOAD).contains(&payload.len()),
            "{}",
            payload.len()
        );
    }
    let whole = frame.encoded();
    let again = Frame::from_payloads(codec, frame.payloads, time);
    // Of AV1 and H.264 delimiters go, and not every picture of theirs begins with its first macroblock.
    if matches!(codec, Codec::Opus | Codec::Vp8 | Codec::Vp9) {
        assert_eq!(whole.as_ref(), Ok(&encoded));
        assert_eq!(again.and_then(|frame| frame.encoded()), Ok(encoded));
    }
}

/// Frames to be decoded.
pub(crate) fn decode(bytes: &[u8]) {
    let Some((codec, mut rest)) = codec(bytes) else {
        return;
    };
    let Ok(mut decoder) = VideoDecoder::new(codec) else {
        return;
    };
    while let Some(frame) = piece(&mut rest) {
        if let Ok(Some(picture)) = decoder.decode(frame) {
            let pixels = picture.width() * picture.height();
            assert!((1..=4096 * 4096).contains(&pixels), "{pixels}");
        }
    }
}

/// Packets of Opus.
pub(crate) fn opus(bytes: &[u8]) {
    let mut decoder = OpusDecoder::new(2).expect("stereo");
    let mut rest = bytes;
    while let Some(packet) = piece(&mut rest) {
        if let Ok(sound) = decoder.decode(packet) {
            // 120 ms of stereo.
            assert!(sound.len() <= 2 * 5760, "{}", sound.len());
        }
    }
}
