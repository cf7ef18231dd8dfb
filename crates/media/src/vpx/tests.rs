use super::*;
use crate::video::tests::{moving, psnr};

const SETTINGS: VideoSettings = VideoSettings {
    width: 320,
    height: 180,
    frame_rate: 25,
    bit_rate: 400_000,
    key_interval: 1000,
};

#[test]
fn what_is_decoded_looks_like_what_was_encoded() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        looks_alike(codec);
    }
}

fn looks_alike(codec: Codec) {
    let mut encoder = VpxEncoder::new(codec, SETTINGS).unwrap();
    let mut decoder = VpxDecoder::new(codec).unwrap();
    let mut sizes = 0;
    for n in 0..50u32 {
        let picture = moving(320, 180, n);
        let time = SETTINGS.frame_duration() * n;
        let encoded = encoder.encode(&picture, time, n == 30).unwrap();
        assert_eq!(encoded.is_key, n == 0 || n == 30, "{n}");
        assert_eq!(encoded.media_time, time);
        sizes += encoded.bytes.len();
        let seen = decoder.decode(&encoded.bytes).unwrap().unwrap();
        assert!(
            psnr(&picture, &seen) > 30.0,
            "{n}: {}",
            psnr(&picture, &seen)
        );
        assert!(psnr(&moving(320, 180, n + 20), &seen) < 25.0);
    }
    // Two seconds: not more than twice the bit rate asked for.
    assert!(sizes * 8 < 1_600_000, "{sizes} bytes");
}

#[test]
fn the_bit_rate_can_change() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        changes_rate(codec);
    }
}

fn changes_rate(codec: Codec) {
    let mut encoder = VpxEncoder::new(codec, SETTINGS).unwrap();
    let bytes = |encoder: &mut VpxEncoder, from: u32| -> usize {
        (from..from + 50)
            .map(|n| {
                let time = SETTINGS.frame_duration() * n;
                let mut noisy = moving(320, 180, n);
                let mut random = fastrand::Rng::with_seed(n.into());
                for _ in 0..12 {
                    let (x, y) = (random.usize(0..320), random.usize(0..180));
                    noisy.fill(x, y, 8, 8, [random.u8(16..235), 128, 128]);
                }
                encoder.encode(&noisy, time, false).unwrap().bytes.len()
            })
            .sum()
    };
    let before = bytes(&mut encoder, 0);
    encoder.set_bit_rate(100_000).unwrap();
    bytes(&mut encoder, 50);
    let after = bytes(&mut encoder, 100);
    assert!(after * 2 < before, "{codec}: {before} then {after}");
}

#[test]
fn rubbish_and_wrong_sizes_are_errors() {
    let mut encoder = VpxEncoder::new(Codec::Vp8, SETTINGS).unwrap();
    assert!(
        encoder
            .encode(&moving(64, 64, 0), Duration::ZERO, false)
            .is_err()
    );
    assert!(
        VpxEncoder::new(
            Codec::Vp8,
            VideoSettings {
                width: 33,
                ..SETTINGS
            }
        )
        .is_err()
    );
    let mut decoder = VpxDecoder::new(Codec::Vp8).unwrap();
    assert!(decoder.decode(&[0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7]).is_err());
    let mut random = fastrand::Rng::with_seed(1);
    let good = encoder
        .encode(&moving(320, 180, 0), Duration::ZERO, false)
        .unwrap();
    for _ in 0..200 {
        let mut bytes = good.bytes.to_vec();
        bytes.truncate(random.usize(1..bytes.len()));
        let at = random.usize(0..bytes.len());
        bytes[at] = random.u8(..);
        let _ = decoder.decode(&bytes);
    }
}

#[test]
fn key_frames_are_no_further_apart_than_asked() {
    for codec in [Codec::Vp8, Codec::Vp9] {
        keeps_distance(codec);
    }
}

fn keeps_distance(codec: Codec) {
    let settings = VideoSettings {
        key_interval: 8,
        ..SETTINGS
    };
    let mut encoder = VpxEncoder::new(codec, settings).unwrap();
    let keys: Vec<u32> = (0..30)
        .filter(|n| {
            // A new scene at 13 makes none.
            let picture = moving(320, 180, if *n < 13 { *n } else { 30 + *n });
            let time = settings.frame_duration() * *n;
            encoder.encode(&picture, time, *n == 11).unwrap().is_key
        })
        .collect();
    assert_eq!(keys, [0, 8, 11, 19, 27]);
}
