//! Headers that promise more than there is: 4 GB and more, and pictures that no memory holds.

use std::fs;

use media::{Codec, SourceSpec, VideoDecoder, open_video, read_audio, read_film, read_video};

use crate::files::{films, wav};
use crate::{MEMORY, Reader, material, peak};

#[test]
fn boxes_and_tables_of_mp4_that_promise_too_much_cost_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let all = films(place.path());
    let of = |wanted: &str| {
        all.iter()
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
            .clone()
    };
    let before = peak();
    // The place of a box's kind in the file.
    let find =
        |bytes: &[u8], kind: &[u8; 4]| bytes.windows(4).position(|four| four == kind).unwrap();
    let told = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read_film(&path).unwrap_err().to_string()
    };
    // Four thousand million samples, of one byte each, in one chunk.
    let mut many = of("x.mp4");
    let (stts, stsc, stsz) = (
        find(&many, b"stts"),
        find(&many, b"stsc"),
        find(&many, b"stsz"),
    );
    many[stts + 12..stts + 16].fill(0xff);
    many[stsc + 16..stsc + 20].fill(0xff);
    many[stsz + 8..stsz + 12].copy_from_slice(&1u32.to_be_bytes());
    many[stsz + 12..stsz + 16].fill(0xff);
    told(&many);
    // A box of 4 GB, and one of 2^63 bytes.
    let mut large = of("x.mp4");
    let moov = find(&large, b"moov");
    large[moov - 4..moov].fill(0xff);
    assert!(told(&large).contains("moov"));
    let mut larger = of("x.mp4");
    larger[moov - 4..moov].copy_from_slice(&1u32.to_be_bytes());
    larger[moov + 4..moov + 12].fill(0x7f);
    told(&larger);
    // A fragment that speaks of more samples than it has bytes.
    let mut run = of("parts.mp4");
    let trun = find(&run, b"trun");
    run[trun + 4..trun + 8].fill(0);
    run[trun + 8..trun + 12].copy_from_slice(&16_000_000u32.to_be_bytes());
    told(&run);
    // A picture of 16 384 × 16 384 that is not there, and one that cannot be.
    let y4m = |size: &str| format!("YUV4MPEG2 {size} F25:1 C420\nFRAME\nabc").into_bytes();
    assert!(told(&y4m("W16384 H16384")).contains("has 402653184 bytes and only 3 are left"));
    assert!(told(&y4m("W99999999 H99999999")).contains("no size that can be"));
    assert!(told(&y4m("W64 H48 Xabc").repeat(3)).contains("bytes and only"));
    let grown = peak() - before;
    assert!(grown < MEMORY, "{grown} kB");
}

#[test]
fn promises_that_are_not_kept_cost_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let before = peak();
    let told = |read: Reader, bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read(&path).unwrap_err().to_string()
    };
    let ivf = fs::read(material("other-picture.ivf")).unwrap();

    let mut large = ivf.clone();
    large[32..36].fill(0xff);
    let large = told(read_video, &large);
    assert!(large.contains("frame 0 has 4294967295 bytes"), "{large}");

    let mut sound = wav(48_000, 1, 16, &[0; 960]);
    sound[40..44].copy_from_slice(&0xffff_fffeu32.to_le_bytes());
    let sound = told(read_audio, &sound);
    assert!(sound.contains("4294967294 bytes of sound"), "{sound}");

    // A segment, tracks and a block that go on for 2^56 bytes.
    let webm =
        b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe\
        \x16\x54\xae\x6b\x01\xff\xff\xff\xff\xff\xff\xfe\xa3\x01\xff\xff\xff\xff\xff\xff\xfe";
    let webm = told(read_video, webm);
    assert!(webm.contains("copy or convert it again"), "{webm}");

    let grown = peak() - before;
    assert!(grown < MEMORY, "{grown} kB");
}

#[test]
fn pictures_of_sixteen_thousand_pixels_a_side_cost_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let before = peak();
    // Key frames that state 16 383 × 16 383 and 16 384 × 16 384, and are otherwise nothing.
    let vp8 = b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f\0\0\0\0";
    let vp9 = b"\x82\x49\x83\x42\x43\xff\xf3\xff\xf0\0\0\0\0";
    for (codec, name, frame) in [
        (Codec::Vp8, b"VP80", &vp8[..]),
        (Codec::Vp9, b"VP90", &vp9[..]),
    ] {
        let mut ivf = b"DKIF\0\0\x20\0".to_vec();
        ivf.extend(name);
        ivf.extend([
            16, 0, 16, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        ]);
        ivf.extend((frame.len() as u32).to_le_bytes());
        ivf.extend([0; 8]);
        ivf.extend(frame);
        fs::write(&path, &ivf).unwrap();
        let film = read_film(&path).unwrap();
        assert!(film.width >= 16_383 && film.height >= 16_383, "{codec}");
        let told = VideoDecoder::new(codec).unwrap().decode(frame);
        let told = told.unwrap_err().to_string();
        assert!(told.contains("too large"), "{codec}: {told}");
    }
    // A baseline JPEG of 16 384 × 16 384.
    let jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\x40\0\x40\0\x03\x01\x22\0\x02\x11\0\x03\x11\0\
        \xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0\0\0\xff\xd9";
    fs::write(&path, jpeg).unwrap();
    let told = open_video(&SourceSpec::file(&path), Codec::Vp8);
    let told = told.unwrap_err().to_string();
    assert!(told.contains("16384x16384 pixels"), "{told}");
    let grown = peak() - before;
    assert!(grown < MEMORY, "{grown} kB");
}
