//! Each kind of stream, whole, in pieces, cut off and spoilt.

use std::io::{Cursor, Read};
use std::time::Duration;

use super::*;
use crate::codec::Codec;
use crate::feed::unit::Unit;

const IVF: &[u8] = include_bytes!("../../../../../tests/data/bunny.ivf");
const OGG: &[u8] = include_bytes!("../../../../../tests/data/speech.opus");
const WAV: &[u8] = include_bytes!("../../../../../tests/data/other-speech.wav");

fn y4m(pictures: u8) -> Vec<u8> {
    let mut bytes = b"YUV4MPEG2 W16 H8 F25:1 Ip C420jpeg\n".to_vec();
    for n in 0..pictures {
        bytes.extend(b"FRAME\n");
        bytes.extend([n; 16 * 8 * 3 / 2]);
    }
    bytes
}

/// Four pictures of two slices each, the first with its parameters, in start codes of both lengths.
fn annexb() -> Vec<u8> {
    let sps = crate::payload::h264::tests::SPS_640X360;
    let pps = crate::payload::h264::tests::PPS_UNIT;
    let mut bytes = [&[0, 0, 0, 1], sps, &[0, 0, 0, 1], pps].concat();
    for header in [0x65, 0x41, 0x41, 0x41] {
        bytes.extend([
            0, 0, 0, 1, header, 0x88, 1, 2, 3, 0, 0, 1, header, 0x48, 4, 5, 6,
        ]);
    }
    bytes
}

#[test]
fn pictures_of_h264_are_told_apart() {
    for at_once in [1, 7, 1000] {
        let mut demux = open(stream(&annexb(), at_once)).unwrap();
        assert!(
            demux.form().name.contains("640x360"),
            "{}",
            demux.form().name
        );
        let mut units = Vec::new();
        while let Some(item) = demux.next().unwrap() {
            let Unit::Encoded {
                codec: Codec::H264,
                bytes,
            } = item.unit
            else {
                panic!("{:?}", item.unit);
            };
            units.push((item.time.as_millis(), bytes));
        }
        let times: Vec<_> = units.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [0, 40, 80, 120], "{at_once}");
        let keys: Vec<bool> = units
            .iter()
            .map(|(_, unit)| Codec::H264.is_key_frame(unit))
            .collect();
        assert_eq!(keys, [true, false, false, false]);
        let whole: Vec<u8> = units.iter().flat_map(|(_, unit)| unit.to_vec()).collect();
        assert_eq!(whole, annexb());
    }
    let error = open(stream(b"\0\0\0\x01\x41\x88aaaa", 100))
        .map(|_| ())
        .unwrap_err();
    assert!(error.contains("parameters"), "{error}");
}

/// Gives a few bytes at a time, as pipes do.
struct Drops(Cursor<Vec<u8>>, usize);

impl Read for Drops {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1.min(to.len());
        self.0.read(&mut to[..most])
    }
}

fn stream(bytes: &[u8], at_once: usize) -> Bytes {
    Box::new(Drops(Cursor::new(bytes.to_vec()), at_once))
}

/// Reads all; returns the times and the last word.
fn times(bytes: &[u8], at_once: usize) -> (Vec<Duration>, Result<(), String>) {
    let mut demux = match open(stream(bytes, at_once)) {
        Ok(demux) => demux,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut times = Vec::new();
    loop {
        match demux.next() {
            Ok(Some(item)) => times.push(item.time),
            Ok(None) => return (times, Ok(())),
            Err(error) => return (times, Err(error)),
        }
    }
}

#[test]
fn each_kind_is_known_by_its_first_bytes() {
    for (bytes, name, sound, codec) in [
        (IVF, "IVF with VP8", false, Some(Some(Codec::Vp8))),
        (OGG, "opus", true, None),
        (WAV, "sound", true, None),
        (&y4m(1), "Y4M of 16x8", false, Some(None)),
    ] {
        let form = open(stream(bytes, 1000)).unwrap().form();
        assert!(form.name.contains(name), "{}", form.name);
        assert_eq!(form.sound, sound);
        assert_eq!(form.picture.map(|picture| picture.codec), codec);
    }
}

#[test]
fn units_come_with_their_times_however_the_bytes_come() {
    for bytes in [IVF, OGG, WAV, &y4m(10)] {
        let (whole, end) = times(bytes, usize::MAX);
        assert_eq!(end, Ok(()));
        assert!(whole.len() >= 10);
        assert!(whole.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(times(bytes, 7).0, whole);
    }
    assert_eq!(times(&y4m(10), 100).0[9], Duration::from_millis(360));
}

#[test]
fn samples_of_a_wav_that_has_no_length_are_read() {
    // As programs write it that cannot go back.
    let mut endless = WAV.to_vec();
    endless[4..8].fill(0xff);
    let data = endless.windows(4).position(|w| w == b"data").unwrap();
    endless[data + 4..data + 8].fill(0xff);
    let mut demux = open(stream(&endless, 1000)).unwrap();
    let mut count = 0;
    while let Some(item) = demux.next().unwrap() {
        let Unit::Samples {
            rate: 16_000,
            channels: 1,
            interleaved,
        } = item.unit
        else {
            panic!("{:?}", item.unit);
        };
        count += interleaved.len();
    }
    assert_eq!(count, (WAV.len() - data - 8) / 2);
}

#[test]
fn what_is_no_stream_is_named() {
    for (bytes, words) in [
        (&b""[..], "nothing"),
        (b"\x89PNG\r\n\x1a\n0000", "PNG"),
        (b"DKIF\0\0\x20\0H263", "header"),
        (b"YUV4MPEG2 W16 H8 F25:1 C444\n", "420"),
        (b"YUV4MPEG2 W99999 H8 F25:1\n", "no size"),
        (b"YUV4MPEG2 W9999 H8 F25:1\n", "9999x8"),
    ] {
        let error = open(stream(bytes, 100))
            .map(|demux| demux.form())
            .unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let mut foreign = IVF[..44].to_vec();
    foreign[8..12].copy_from_slice(b"H263");
    assert!(
        open(stream(&foreign, 100))
            .map(|_| ())
            .unwrap_err()
            .contains("H263")
    );
}

#[test]
fn a_frame_of_four_gigabytes_is_not_believed() {
    let mut huge = IVF[..44].to_vec();
    huge[32..36].fill(0xff);
    let (times, end) = times(&huge, 100);
    assert!(times.is_empty() && end.unwrap_err().contains("4294967295 bytes"));
}

#[test]
fn what_is_cut_off_or_spoilt_ends() {
    let mut random = fastrand::Rng::with_seed(17);
    let ogg = &OGG[..OGG.len().min(20_000)];
    for bytes in [&IVF[..20_000], ogg, &WAV[..20_000], &y4m(20), &annexb()] {
        for _ in 0..150 {
            let mut spoilt = bytes.to_vec();
            spoilt.truncate(random.usize(..=bytes.len()));
            for _ in 0..random.usize(0..10) {
                if !spoilt.is_empty() {
                    let at = random.usize(..spoilt.len());
                    spoilt[at] = random.u8(..);
                }
            }
            // It comes to an end, and that is all.
            let _ = times(&spoilt, 500);
        }
    }
}
