//! Frames of no length, and what is put before frames.

use std::fs;

use media::{read_audio, read_film};

use crate::files::films;
use crate::{MEMORY, material, peak};

/// The place of `kind`, the name of a box, in a file.
fn find(bytes: &[u8], kind: &[u8; 4]) -> usize {
    bytes.windows(4).position(|four| four == kind).unwrap()
}

#[test]
fn frames_without_bytes_are_left_out_and_a_film_of_nothing_else_is_none() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read_film(&path)
    };
    let mut ivf = fs::read(material("other-picture.ivf")).unwrap();
    let whole = read(&ivf).unwrap().frames().len();
    for _ in 0..3 {
        ivf.extend([0; 12]);
    }
    assert_eq!(read(&ivf).unwrap().frames().len(), whole);
    let none = [&ivf[..32], &[0; 12 * 100]].concat();
    let told = read(&none).unwrap_err().to_string();
    assert!(told.contains("there are no frames"), "{told}");

    let all = films(place.path());
    let mut mp4 = all.iter().find(|film| film.0 == "x.mp4").unwrap().1.clone();
    let sizes = find(&mp4, b"stsz") + 16;
    let second = sizes + 4..sizes + 8;
    mp4[second].fill(0);
    // The frame is gone; what lies behind it is not in its place any more.
    if let Err(error) = read(&mp4) {
        assert!(error.to_string().contains("damaged"), "{error}");
    }
    let count = u32::from_be_bytes(mp4[sizes - 4..sizes].try_into().unwrap()) as usize;
    mp4[sizes..sizes + 4 * count].fill(0);
    let told = read(&mp4).unwrap_err().to_string();
    assert!(told.contains("its track is empty"), "{told}");

    let units = read(b"\0\0\0\x01\x67\0\0\0\x01\0\0\x01\0\0\x01\x68\0\0\x01");
    let told = units.unwrap_err().to_string();
    assert!(told.contains("there are no pictures in it"), "{told}");
    fs::write(&path, b"OggS\0").unwrap();
    assert!(read_audio(&path).is_err());
}

#[test]
fn headers_that_are_longer_than_all_pictures_are_not_put_before_each() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x");
    let before = peak();
    let all = films(place.path());
    let whole = &all.iter().find(|film| film.0 == "x.h264").unwrap().1;
    fs::write(&path, whole).unwrap();
    let film = read_film(&path).unwrap();
    // The first picture has its parameter sets; the others are to have them, and a third of 60 kB.
    let mut bytes = film.frames()[0].bytes.to_vec();
    bytes.extend(b"\0\0\x01\x09\x10\0\0\x01\x67");
    bytes.extend(&whole[whole.windows(4).position(|w| w == [0, 0, 1, 0x67]).unwrap() + 4..][..20]);
    bytes.extend(b"\0\0\x01\x68");
    bytes.extend([0x55; 60_000]);
    for _ in 0..20_000 {
        bytes.extend(b"\0\0\x01\x65\x88\x84");
    }
    fs::write(&path, &bytes).unwrap();
    let told = read_film(&path).unwrap_err().to_string();
    assert!(told.contains("its headers are longer"), "{told}");
    assert!(peak() - before < MEMORY);
}
