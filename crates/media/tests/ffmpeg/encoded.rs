//! What is encoded here is decoded by ffmpeg.

use std::time::Duration;

use media::{
    Codec, Frame, Kind, Picture, Recorder, Source, VideoDecoder, VideoEncoder, VideoSettings,
    open_video,
};

use crate::place::{Place, ffmpeg, pictures};

#[test]
fn the_test_picture_is_decoded_by_ffmpeg() {
    let place = Place::new();
    for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1] {
        let spec = "bars:320x180".parse().unwrap();
        let Source::Live(live) = open_video(&spec, codec).unwrap() else {
            panic!("bars are live");
        };
        let path = place.path("x.webm");
        let mut recorder = Recorder::create(&path, None, Some(codec)).unwrap();
        let mut frames = live.subscribe();
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        let mut count = 0;
        while count < 25 {
            assert!(
                std::time::Instant::now() < deadline,
                "{codec}: {count} frames"
            );
            let Ok(frame) = frames.try_recv() else {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            };
            recorder
                .write(Kind::Video, frame.media_time, &frame)
                .unwrap();
            assert!(decoder.decode(&frame.encoded().unwrap()).unwrap().is_some());
            count += 1;
        }
        recorder.finish().unwrap();
        let seen = pictures(&path);
        assert_eq!(seen.len(), 25, "{codec}");
        let different: std::collections::HashSet<_> = seen.iter().collect();
        assert!(different.len() > 20, "{codec}: the picture stands still");
    }
}

/// Bytes of a decoded picture of 320 × 180.
const SIZE: usize = 320 * 180 * 3 / 2;

#[test]
fn av1_with_key_frames_on_request_is_decoded_picture_for_picture() {
    let place = Place::new();
    let settings = VideoSettings {
        width: 320,
        height: 180,
        bit_rate: 300_000,
        ..VideoSettings::default()
    };
    // A bar that walks from left to right, so that no picture is like its neighbour.
    let picture = |n: u32| {
        let mut picture = Picture::filled(320, 180, [60, 128, 128]);
        picture.fill(n as usize * 4, 40, 40, 100, [200, 90, 140]);
        picture
    };
    let mut encoder = VideoEncoder::new(Codec::Av1, settings).unwrap();
    let mut encoded = Vec::new();
    for n in 0..70 {
        let time = settings.frame_duration() * n;
        // Twice in a row, and again while pictures of those times are inside.
        let key = [20, 21, 23, 47].contains(&n);
        encoded.extend(encoder.encode(&picture(n), time, key).unwrap());
    }
    encoded.extend(encoder.finish().unwrap());
    let keys: Vec<usize> = (0..70).filter(|n| encoded[*n].is_key).collect();
    assert_eq!(keys, [0, 16, 17, 19, 43]);

    let sent = |left_out: &[usize]| {
        let path = place.path("x.webm");
        let mut recorder = Recorder::create(&path, None, Some(Codec::Av1)).unwrap();
        for (n, one) in encoded.iter().enumerate() {
            let (bytes, time) = (one.bytes.clone(), one.media_time);
            let duration = settings.frame_duration();
            let frame = Frame::packetize(Codec::Av1, bytes, time, duration, one.is_key).unwrap();
            if !left_out.contains(&n) {
                recorder.write(Kind::Video, time, &frame).unwrap();
            }
        }
        recorder.finish().unwrap();
        let path = path.to_str().unwrap().to_owned();
        ffmpeg(&[
            "-c:v",
            "libdav1d",
            "-i",
            &path,
            "-fps_mode",
            "passthrough",
            "-pix_fmt",
            "yuv420p",
            "-f",
            "rawvideo",
            "-",
        ])
    };
    /// The largest mean difference of luma between a picture and what was decoded for it.
    fn worst(decoded: &[u8], pictures: impl Iterator<Item = Picture>) -> f64 {
        let shown = decoded.chunks(SIZE);
        let differences = shown.zip(pictures).map(|(shown, picture)| {
            let pairs = shown.iter().zip(picture.luma());
            let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            sum as f64 / picture.luma().len() as f64
        });
        differences.fold(0.0, f64::max)
    }
    let decoded = sent(&[]);
    assert_eq!(decoded.len(), 70 * SIZE);
    let difference = worst(&decoded, (0..70).map(picture));
    assert!(difference < 1.0, "{difference}");
    // Control: one picture late is seen.
    let late = worst(&decoded[SIZE..], (0..69).map(picture));
    assert!(late > 2.0, "{late}");
    // Whoever lost everything before a requested key frame goes on with it, and nothing else.
    let joined: Vec<usize> = (0..43).collect();
    let decoded = sent(&joined);
    assert_eq!(decoded.len(), 27 * SIZE);
    let difference = worst(&decoded, (43..70).map(picture));
    assert!(difference < 1.0, "{difference}");
}

#[test]
fn a_jpeg_file_shows_what_was_drawn() {
    let place = Place::new();
    let path = place.path("x.jpeg");
    let picture = media::slate_picture("Alice presents", 640, 360);
    std::fs::write(&path, media::jpeg(&picture, 85).unwrap()).unwrap();

    // Back to the range that pictures have here.
    let wanted = [
        "-f",
        "rawvideo",
        "-vf",
        "scale=out_range=tv,format=yuv420p",
        "-",
    ];
    let seen = ffmpeg(&[&["-i", path.to_str().unwrap()], &wanted[..]].concat());

    assert_eq!(seen.len(), 640 * 360 * 3 / 2);
    let off = |luma: &[u8]| {
        let off = seen.iter().zip(luma);
        let sum: u64 = off.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / luma.len() as f64
    };
    assert!(off(picture.luma()) < 2.0, "{}", off(picture.luma()));
    let other = media::slate_picture("Bob", 640, 360);
    assert!(off(other.luma()) > 2.0, "{}", off(other.luma()));
}
