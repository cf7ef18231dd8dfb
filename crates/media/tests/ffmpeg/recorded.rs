//! What is recorded here is read by ffmpeg, and read back.

use std::process::Command;

use media::{Codec, Kind, Recorder, load_clip, read_audio, read_video};

use crate::place::{MS, Place, TONE, encoded, record, run};

#[test]
fn a_recording_pleases_ffprobe() {
    let place = Place::new();
    let sound = read_audio(&place.make("x.ogg", TONE, &["-c:a", "libopus"])).unwrap();
    for (picture, name) in [(place.vp8("8.ivf"), "vp8"), (place.av1("1.ivf"), "av1")] {
        let picture = read_video(&picture).unwrap();
        let path = place.path("x.webm");
        record(&path, Some(&sound), Some(&picture));
        let entries = "stream=codec_name,width,height,channels:format=duration";
        let arguments = ["-v", "error", "-show_entries", entries, "-of", "compact"];
        let told = run(
            "ffprobe",
            &[&arguments[..], &[path.to_str().unwrap()]].concat(),
        );
        let told = String::from_utf8(told).unwrap();
        assert!(
            told.contains(&format!("codec_name={name}|width=320|height=180")),
            "{told}"
        );
        assert!(told.contains("codec_name=opus|channels=2"), "{told}");
        let duration: f64 = told.trim().rsplit('=').next().unwrap().parse().unwrap();
        assert!((1.95..2.1).contains(&duration), "{told}");
        // And back, to the byte.
        let clip = load_clip(Some(&path), Some(&path)).unwrap();
        assert_eq!(encoded(&clip.audio.unwrap()), encoded(&sound));
        assert_eq!(encoded(&clip.video.unwrap()), encoded(&picture));
    }
}
#[test]
fn a_recording_cut_off_by_a_crash_can_be_played() {
    let place = Place::new();
    let sound = read_audio(&place.make("x.ogg", "sine=duration=20", &["-c:a", "libopus"])).unwrap();
    let picture = read_video(&place.vp8("x.ivf")).unwrap();
    let path = place.path("x.webm");
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), Some(Codec::Vp8)).unwrap();
    let mut pictures = (0u32..500)
        .map(|n| (n, &picture.frames[n as usize % 50]))
        .peekable();
    for frame in &sound.frames {
        while let Some((n, frame)) = pictures.next_if(|(n, _)| frame.media_time >= 40 * MS * *n) {
            recorder.write(Kind::Video, 40 * MS * n, frame).unwrap();
        }
        recorder
            .write(Kind::Audio, frame.media_time, frame)
            .unwrap();
    }
    // As if the process were gone: nothing is flushed, no index written.
    std::mem::forget(recorder);
    let arguments = [
        "-v",
        "quiet",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
    ];
    let arguments = [&arguments[..], &["-of", "csv=p=0", path.to_str().unwrap()]].concat();
    let output = Command::new("ffprobe").args(arguments).output().unwrap();
    let counts: Vec<u32> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_matches(',').parse().unwrap())
        .collect();
    // Of 20 seconds, at least 15 of both.
    assert!(counts[0] >= 375 && counts[1] >= 750, "{counts:?}");
}
