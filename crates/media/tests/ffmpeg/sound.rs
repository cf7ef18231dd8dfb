//! Sound in every kind of file that people have is heard as it was, and at its time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use media::measure::{decode, sound};
use media::{SAMPLE_RATE, read_audio};

use crate::place::{PICTURE, Place, ffmpeg, packets};

fn speech() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/speech.opus")
}

fn heard(path: &Path) -> Vec<f32> {
    decode::sound(&read_audio(path).unwrap_or_else(|error| panic!("{error}"))).unwrap()
}

/// Makes a file of the speech.
fn make(place: &Place, name: &str, options: &[&str]) -> PathBuf {
    let path = place.path(name);
    let (from, to) = (speech(), path.to_str().unwrap().to_owned());
    ffmpeg(&[&["-i", from.to_str().unwrap()], options, &[&to]].concat());
    path
}

#[test]
fn the_speech_in_each_kind_of_file_is_heard_where_it_was() {
    let place = Place::new();
    let original = heard(&speech());
    println!(
        "{:<14}{:>12}{:>12}{:>14}",
        "file", "similarity", "late, ms", "lasts, s"
    );
    for (name, options) in [
        ("x.mp3", &["-c:a", "libmp3lame", "-q:a", "2"][..]),
        (
            "mono.mp3",
            &["-c:a", "libmp3lame", "-ar", "22050", "-ac", "1"],
        ),
        (
            "cbr.mp3",
            &[
                "-c:a",
                "libmp3lame",
                "-b:a",
                "128k",
                "-write_xing",
                "0",
                "-id3v2_version",
                "0",
            ],
        ),
        ("x.flac", &["-ar", "44100", "-ac", "2"]),
        ("x.aac", &["-c:a", "aac", "-b:a", "128k"]),
        ("x.m4a", &["-c:a", "aac", "-b:a", "128k"]),
        (
            "fast.m4a",
            &["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"],
        ),
        (
            "parts.mp4",
            &[
                "-c:a",
                "aac",
                "-b:a",
                "128k",
                "-movflags",
                "+frag_keyframe+empty_moov",
            ],
        ),
        ("alac.m4a", &["-c:a", "alac"]),
        (
            "vorbis.ogg",
            &["-c:a", "libvorbis", "-q:a", "5", "-ac", "2"],
        ),
        ("flac.ogg", &["-c:a", "flac"]),
        ("vorbis.mka", &["-c:a", "libvorbis", "-q:a", "5"]),
        ("aac.mkv", &["-c:a", "aac", "-b:a", "128k"]),
        ("mp3.mkv", &["-c:a", "libmp3lame"]),
        ("flac.mkv", &["-c:a", "flac"]),
        ("x.aiff", &[]),
        ("x.caf", &["-c:a", "pcm_s16be"]),
        ("alaw.wav", &["-c:a", "pcm_alaw"]),
        ("adpcm.wav", &["-c:a", "adpcm_ms"]),
        ("opus.mp4", &["-c:a", "copy"]),
        ("opus.mka", &["-c:a", "copy"]),
    ] {
        let path = make(&place, name, options);
        let got = heard(&path);
        let alike = sound::compare(&original, &got, SAMPLE_RATE);
        let late = lateness(&original, &got);
        let lasts = got.len() as f64 / f64::from(SAMPLE_RATE);
        println!("{name:<14}{:>12.3}{late:>12.1}{lasts:>14.2}", alike.overall);
        assert!(alike.is_heard(), "{name}: {alike:?}");
        // What an encoder put before the sound is left out where the file tells of it.
        let untold = ["cbr.mp3", "x.aac", "parts.mp4", "aac.mkv", "mp3.mkv"].contains(&name);
        let most = if untold { 60.0 } else { 10.0 };
        assert!(late.abs() < most, "{name}: {late} ms");
        let over = lasts - original.len() as f64 / f64::from(SAMPLE_RATE);
        assert!((-0.03..0.1).contains(&over), "{name}: {over} s too long");
    }
    // Control: other speech is not taken for it.
    let other = speech().with_file_name("other-speech.opus");
    let alike = sound::compare(&original, &heard(&other), SAMPLE_RATE);
    assert!(!alike.is_heard(), "{alike:?}");
}

/// How many milliseconds `heard` is later than `original`, where both are most alike: within 150 ms.
fn lateness(original: &[f32], heard: &[f32]) -> f64 {
    // A second from the middle, where there is speech.
    let (from, length, reach) = (96_000usize, 48_000usize, 7_200usize);
    let piece = &original[from..from + length];
    let at = |shift: usize| -> f32 {
        let there = heard[from - reach + shift..].iter();
        piece.iter().zip(there).map(|(a, b)| a * b).sum()
    };
    let best = (0..=2 * reach)
        .step_by(4)
        .max_by(|a, b| at(*a).total_cmp(&at(*b)))
        .unwrap();
    (best as f64 - reach as f64) / 48.0
}

#[test]
fn sound_that_begins_after_its_picture_stays_there() {
    let place = Place::new();
    for (name, codec) in [
        ("vorbis.webm", "libvorbis"),
        ("aac.mkv", "aac"),
        ("opus.mkv", "libopus"),
        ("aac.mp4", "aac"),
    ] {
        let path = place.path(name);
        let speech = speech();
        ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            PICTURE,
            "-itsoffset",
            "0.7",
            "-i",
            speech.to_str().unwrap(),
            "-c:v",
            if name.ends_with("mp4") {
                "mpeg4"
            } else {
                "libvpx"
            },
            "-c:a",
            codec,
            path.to_str().unwrap(),
        ]);
        let began = read_audio(&path).unwrap().frames[0].media_time;
        let off = began.abs_diff(Duration::from_millis(700));
        assert!(off < Duration::from_millis(30), "{name}: {began:?}");
    }
}

#[test]
fn opus_is_taken_as_it_is_from_any_container() {
    let place = Place::new();
    let packet_bytes = packets(&speech(), media::Kind::Audio);
    for name in ["x.mp4", "x.mka", "x.webm"] {
        let path = make(&place, name, &["-c:a", "copy"]);
        let track = read_audio(&path).unwrap();
        let ours = crate::place::encoded(&track);
        assert!(packet_bytes.ends_with(&ours), "{name}");
        assert!(ours.len() + 500 > packet_bytes.len(), "{name}");
    }
}
