use std::time::Duration;

use super::*;
use crate::video::tests::{moving, psnr};
use crate::video::{Encoded, VideoEncoder, VideoSettings};

const SETTINGS: VideoSettings = VideoSettings {
    width: 320,
    height: 180,
    frame_rate: 25,
    bit_rate: 400_000,
    key_interval: 1000,
};

/// `count` frames of a moving picture, with a key frame at `key`.
fn encoded(codec: Codec, count: u32, key: u32) -> Vec<Encoded> {
    let mut encoder = VideoEncoder::new(codec, SETTINGS).unwrap();
    let mut all = Vec::new();
    for n in 0..count {
        let picture = moving(320, 180, n);
        all.extend(
            encoder
                .encode(&picture, SETTINGS.frame_duration() * n, n == key)
                .unwrap(),
        );
    }
    all.extend(encoder.finish().unwrap());
    all
}

#[test]
fn every_codec_shows_what_was_encoded() {
    for codec in Codec::VIDEO {
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let frames = encoded(codec, 20, 99);
        assert_eq!(frames.len(), 20, "{codec}");
        for (n, frame) in (0u32..).zip(&frames) {
            assert_eq!(frame.is_key, n == 0, "{codec} {n}");
            assert_eq!(codec.is_key_frame(&frame.bytes), n == 0, "{codec} {n}");
            assert_eq!(
                codec.dimensions(&frame.bytes),
                (n == 0).then_some((320, 180))
            );
            let seen = decoder.decode(&frame.bytes).unwrap().unwrap();
            let (alike, other) = (
                psnr(&moving(320, 180, n), &seen),
                psnr(&moving(320, 180, n + 20), &seen),
            );
            assert!(
                alike > 28.0 && other < 25.0,
                "{codec} {n}: {alike}, {other}"
            );
        }
    }
}

#[test]
fn frames_survive_the_trip_through_payloads() {
    for codec in Codec::VIDEO {
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for (n, frame) in encoded(codec, 6, 3).into_iter().enumerate() {
            let is_key = frame.is_key;
            let sent = frame.packetize(codec, Duration::ZERO).unwrap();
            let first = codec.payload_dimensions(&sent.payloads[0]);
            assert_eq!(first, is_key.then_some((320, 180)), "{codec} {n}");
            let begun = sent
                .payloads
                .iter()
                .filter(|p| codec.begins_key_frame(p))
                .count();
            assert_eq!(begun, usize::from(is_key), "{codec} {n}");
            let seen = decoder.decode(&sent.encoded().unwrap()).unwrap().unwrap();
            assert!(
                psnr(&moving(320, 180, n as u32), &seen) > 28.0,
                "{codec} {n}"
            );
        }
    }
}

#[test]
fn a_decoder_starts_at_any_key_frame_and_goes_on_after_what_it_could_not_decode() {
    for codec in Codec::VIDEO {
        let frames = encoded(codec, 12, 8);
        let key = frames
            .iter()
            .skip(1)
            .position(|frame| frame.is_key)
            .unwrap()
            + 1;
        let mut decoder = VideoDecoder::new(codec).unwrap();
        // Without the key frame before it nothing is shown that anybody sent.
        if let Ok(Some(picture)) = decoder.decode(&frames[1].bytes) {
            assert!(psnr(&moving(320, 180, 1), &picture) < 25.0, "{codec}");
        }
        let _ = decoder.decode(&[0xff; 40]);
        let mut shown = None;
        for frame in &frames[key..] {
            shown = decoder.decode(&frame.bytes).unwrap();
        }
        let psnr = psnr(&moving(320, 180, 11), &shown.unwrap());
        assert!(psnr > 28.0, "{codec}: {psnr}");
    }
}

#[test]
fn the_size_may_change_at_a_key_frame() {
    for codec in Codec::VIDEO {
        let mut encoder = VideoEncoder::new(codec, SETTINGS).unwrap();
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let mut sizes = Vec::new();
        for (width, height) in [(320, 180), (160, 90), (320, 180)] {
            let settings = VideoSettings {
                width,
                height,
                ..SETTINGS
            };
            encoder.reconfigure(settings).unwrap();
            assert_eq!(encoder.settings(), settings);
            for n in 0..6u32 {
                let at = SETTINGS.frame_duration() * (sizes.len() as u32 * 10 + n);
                for frame in encoder
                    .encode(&moving(width, height, n), at, false)
                    .unwrap()
                {
                    let seen = decoder.decode(&frame.bytes).unwrap().unwrap();
                    let size = (seen.width(), seen.height());
                    assert_eq!(frame.is_key, sizes.last() != Some(&size), "{codec}");
                    if frame.is_key {
                        sizes.push(size);
                    }
                }
            }
        }
        assert_eq!(sizes, [(320, 180), (160, 90), (320, 180)], "{codec}");
    }
}

/// A key frame that states 16000 × 16000 pixels, as far as its header.
fn huge(codec: Codec) -> Vec<u8> {
    let side = 16_000u16;
    match codec {
        Codec::Vp8 => {
            let side = side.to_le_bytes();
            let mut bytes = vec![0x10, 0x02, 0, 0x9d, 0x01, 0x2a];
            bytes.extend([side, side].concat());
            bytes.extend([7; 100]);
            bytes
        }
        Codec::Vp9 => {
            // The size begins in the middle of an octet.
            let side = u64::from(side - 1);
            let bits = (side << 16 | side) << 4;
            let mut bytes = vec![0x82, 0x49, 0x83, 0x42];
            bytes.extend(&(0x40 << 32 | bits).to_be_bytes()[3..]);
            bytes.extend([7; 100]);
            bytes
        }
        Codec::H264 => {
            // As in `payload::h264::tests`, 1000 × 1000 macroblocks.
            let number = |n: u32| format!("{:0>1$b}", n + 1, 2 * (n + 1).ilog2() as usize + 1);
            let bits = format!("11011010 0{}{}110", number(999), number(999)).replace(' ', "");
            let mut bytes = vec![0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x33];
            for chunk in format!("{bits}01000000").as_bytes().chunks_exact(8) {
                let text = std::str::from_utf8(chunk).unwrap();
                bytes.push(u8::from_str_radix(text, 2).unwrap());
            }
            bytes.extend([
                0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65, 0x88, 7, 7, 7,
            ]);
            bytes
        }
        _ => {
            // A sequence header with 14 bits for each side, and a frame.
            let mut bits =
                String::from("000 0 0 0 0 00000 000000000000 00101 1101 1101").replace(' ', "");
            bits += &format!("{0:014b}{0:014b}", side - 1);
            bits += "0000000000000000000000";
            let header: Vec<u8> = bits
                .as_bytes()
                .chunks_exact(8)
                .map(|chunk| u8::from_str_radix(std::str::from_utf8(chunk).unwrap(), 2).unwrap())
                .collect();
            let mut bytes = vec![0x0a, header.len() as u8];
            bytes.extend(header);
            bytes.extend([0x32, 40, 0x10]);
            bytes.extend([7; 39]);
            bytes
        }
    }
}

#[test]
fn hostile_frames_are_errors_and_take_no_memory() {
    for codec in Codec::VIDEO {
        let good = encoded(codec, 8, 99);
        let mut random = fastrand::Rng::with_seed(11);
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let stated = if codec == Codec::Av1 {
            codec.dimensions(&huge(codec))
        } else {
            largest(codec, &huge(codec))
        };
        assert_eq!(stated, Some((16_000, 16_000)), "{codec}");
        assert!(decoder.decode(&huge(codec)).is_err(), "{codec}");
        assert!(decoder.decode(&[]).is_err(), "{codec}");
        for _ in 0..400 {
            let mut bytes = good[random.usize(..good.len())].bytes.to_vec();
            match random.u8(0..3) {
                0 => bytes.truncate(random.usize(1..bytes.len())),
                1 => bytes = (0..random.usize(1..200)).map(|_| random.u8(..)).collect(),
                _ => {}
            }
            for _ in 0..random.usize(0..4) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            if let Ok(Some(picture)) = decoder.decode(&bytes) {
                assert!(picture.width() * picture.height() <= MAX_PIXELS as usize);
            }
        }
        // What is sound is still decoded afterwards.
        let seen = decoder.decode(&good[0].bytes).unwrap().unwrap();
        assert!(psnr(&moving(320, 180, 0), &seen) > 28.0, "{codec}");
    }
    assert!(VideoDecoder::new(Codec::Opus).is_err());
}
