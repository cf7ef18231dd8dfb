//! Against the tools that people use: what ffmpeg writes is read packet for packet, what is
//! recorded here is read by ffmpeg without complaint. Everything is made when the test runs.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use media::{
    Codec, Kind, MediaError, OpusDecoder, Recorder, Source, SourceSpec, Track, Vp8Decoder,
    load_clip, open_video, read_audio, read_video,
};

/// Runs ffmpeg and returns what it writes to standard output; fails with what it says.
fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    run(
        "ffmpeg",
        &[&["-nostdin", "-v", "error", "-y"], arguments].concat(),
    )
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("these tests need {program} (apt: ffmpeg): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    assert_eq!(said, "", "{arguments:?}");
    output.stdout
}

/// A directory that vanishes with the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a file with ffmpeg from a lavfi source.
    fn make(&self, name: &str, source: &str, options: &[&str]) -> PathBuf {
        let path = self.path(name);
        let end = [path.to_str().unwrap()];
        ffmpeg(&[&["-f", "lavfi", "-i", source], options, &end].concat());
        path
    }

    fn vp8(&self, name: &str) -> PathBuf {
        let options = [
            "-c:v",
            "libvpx",
            "-b:v",
            "400k",
            "-g",
            "20",
            "-auto-alt-ref",
            "0",
        ];
        self.make(name, PICTURE, &options)
    }

    fn av1(&self, name: &str) -> PathBuf {
        let options = [
            "-c:v",
            "libaom-av1",
            "-cpu-used",
            "8",
            "-usage",
            "realtime",
            "-g",
            "20",
        ];
        self.make(name, PICTURE, &options)
    }
}

const MS: Duration = Duration::from_millis(1);
const PICTURE: &str = "testsrc2=size=320x180:rate=25:duration=2";
const TONE: &str = "sine=frequency=440:duration=2";

/// The bytes of all packets of a file, as ffmpeg's demuxer gives them.
fn packets(path: &Path, kind: Kind) -> Vec<u8> {
    let map = match kind {
        Kind::Audio => "0:a",
        Kind::Video => "0:v",
    };
    let path = path.to_str().unwrap();
    ffmpeg(&["-i", path, "-map", map, "-c", "copy", "-f", "data", "-"])
}

/// The checksums of all decoded pictures of a file.
fn pictures(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let text = ffmpeg(&[
        "-i",
        path,
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-f",
        "framemd5",
        "-",
    ]);
    String::from_utf8(text)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

fn encoded(track: &Track) -> Vec<u8> {
    let bytes = track.frames.iter().map(|frame| frame.encoded().unwrap());
    bytes.flat_map(|bytes| bytes.to_vec()).collect()
}

fn record(path: &Path, audio: Option<&Track>, video: Option<&Track>) {
    let codec = |track: Option<&Track>| track.map(|track| track.codec);
    let mut recorder = Recorder::create(path, codec(audio), codec(video)).unwrap();
    let of = |track: Option<&Track>| track.map(|t| t.frames.clone()).unwrap_or_default();
    let mut all: Vec<_> = of(audio).into_iter().chain(of(video)).collect();
    all.sort_by_key(|frame| frame.media_time);
    for frame in all {
        recorder
            .write(frame.codec.kind(), frame.media_time, &frame)
            .unwrap();
    }
    assert_eq!(recorder.finish().unwrap().left_out, 0);
}

#[test]
fn ogg_opus_is_read_packet_for_packet() {
    let place = Place::new();
    for milliseconds in ["5", "10", "20", "40", "60", "120"] {
        let options = [
            "-c:a",
            "libopus",
            "-b:a",
            "48k",
            "-frame_duration",
            milliseconds,
        ];
        let path = place.make("x.ogg", TONE, &options);
        let track = read_audio(&path).unwrap();
        let each = Duration::from_millis(milliseconds.parse().unwrap());
        let bytes = std::fs::read(&path).unwrap();
        let head = bytes
            .windows(8)
            .position(|eight| eight == b"OpusHead")
            .unwrap();
        let pre_skip = u16::from_le_bytes([bytes[head + 10], bytes[head + 11]]);
        let skipped = usize::from(pre_skip) / (each.as_millis() as usize * 48);
        let all = packets(&path, Kind::Audio);
        let ours = encoded(&track);
        assert!(all.ends_with(&ours), "{milliseconds} ms");
        assert_eq!(all.len() == ours.len(), skipped == 0, "{milliseconds} ms");
        assert!(track.frames.iter().all(|frame| frame.duration == each));
        let over = track.duration.saturating_sub(Duration::from_secs(2));
        assert!(over <= each, "{milliseconds} ms: {over:?}");
    }
}

#[test]
fn ivf_is_read_frame_for_frame_and_recorded_picture_for_picture() {
    let place = Place::new();
    for (path, codec) in [
        (place.vp8("8.ivf"), Codec::Vp8),
        (place.av1("1.ivf"), Codec::Av1),
    ] {
        let track = read_video(&path).unwrap();
        assert_eq!((track.codec, track.frames.len()), (codec, 50));
        assert_eq!(track.duration, Duration::from_secs(2));
        assert_eq!(track.longest_key_interval, Duration::from_millis(800));
        assert_eq!(track.frames[7].media_time, Duration::from_millis(280));
        if codec == Codec::Vp8 {
            assert_eq!(packets(&path, Kind::Video), encoded(&track));
        }
        let recording = place.path("x.webm");
        record(&recording, None, Some(&track));
        assert_eq!(pictures(&recording), pictures(&path), "{codec}");
        assert_eq!(pictures(&path).len(), 50);
    }
}

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
fn webm_from_ffmpeg_is_read() {
    let place = Place::new();
    let tone = ["-f", "lavfi", "-i", TONE, "-c:a", "libopus", "-shortest"];
    for (codec, options) in [
        (Codec::Vp8, ["-c:v", "libvpx", "-b:v", "300k"]),
        (Codec::Av1, ["-c:v", "libaom-av1", "-cpu-used", "8"]),
    ] {
        let path = place.make("x.webm", PICTURE, &[&tone[..], &options].concat());
        let clip = load_clip(Some(&path), Some(&path)).unwrap();
        let (audio, video) = (clip.audio.unwrap(), clip.video.unwrap());
        assert_eq!(encoded(&audio)[..100], packets(&path, Kind::Audio)[..100]);
        assert_eq!((video.codec, video.frames.len() >= 50), (codec, true));
        assert_eq!(audio.duration, video.duration);
        // Key frames are far apart by ffmpeg's own default; that is said.
        assert!(video.longest_key_interval >= Duration::from_secs(2));
        let again = place.path("again.webm");
        record(&again, None, Some(&video));
        assert_eq!(pictures(&again), pictures(&path));
    }
}

#[test]
fn wav_of_any_kind_becomes_the_same_sound() {
    let place = Place::new();
    for (rate, channels, format) in [
        ("48000", "1", "pcm_s16le"),
        ("44100", "2", "pcm_s24le"),
        ("16000", "1", "pcm_s16le"),
        ("8000", "2", "pcm_u8"),
        ("96000", "1", "pcm_f32le"),
    ] {
        let options = ["-ar", rate, "-ac", channels, "-c:a", format];
        let path = place.make("x.wav", "sine=frequency=300:duration=1", &options);
        let track = read_audio(&path).unwrap();
        assert!(
            (50..=52).contains(&track.frames.len()),
            "{rate}: {}",
            track.frames.len()
        );
        let mut decoder = OpusDecoder::new(1).unwrap();
        let heard: Vec<f32> = track
            .frames
            .iter()
            .flat_map(|frame| decoder.decode(&frame.payloads[0]).unwrap().to_vec())
            .collect();
        // All of it is at 300 Hz: its part at that frequency is its whole power.
        let settled = &heard[9_600..38_400];
        let part = |hertz: f32| {
            let (mut re, mut im) = (0.0f32, 0.0f32);
            for (n, sample) in settled.iter().enumerate() {
                let turn = std::f32::consts::TAU * hertz * n as f32 / 48_000.0;
                re += sample * turn.cos();
                im += sample * turn.sin();
            }
            2.0 * (re * re + im * im) / settled.len() as f32
        };
        let power: f32 = settled.iter().map(|sample| sample * sample).sum();
        assert!(
            part(300.0) / power > 0.97,
            "{rate}: {}",
            part(300.0) / power
        );
        assert!(part(600.0) / power < 0.02);
        assert!(power / settled.len() as f32 > 0.003, "{rate} is too quiet");
    }
}

#[test]
fn cut_and_wrong_files_say_what_is_wrong() {
    let place = Place::new();
    let ogg = place.make("x.ogg", TONE, &["-c:a", "libopus"]);
    let ivf = place.vp8("x.ivf");
    let wav = place.make("x.wav", TONE, &["-ar", "16000"]);
    let webm = place.path("x.webm");
    record(
        &webm,
        Some(&read_audio(&ogg).unwrap()),
        Some(&read_video(&ivf).unwrap()),
    );
    type Reader = fn(&Path) -> Result<Track, MediaError>;
    let readers: [(&Path, Reader); 4] = [
        (&ogg, read_audio),
        (&ivf, read_video),
        (&wav, read_audio),
        (&webm, read_video),
    ];
    let cut = place.path("cut");
    for (path, read) in readers {
        let bytes = std::fs::read(path).unwrap();
        for keep in [1, 5, 30, 60, bytes.len() / 2, bytes.len() - 7] {
            std::fs::write(&cut, &bytes[..keep]).unwrap();
            match read(&cut) {
                Err(MediaError::Broken { .. } | MediaError::Unsupported { .. }) => {}
                other => panic!("{} cut to {keep}: {other:?}", path.display()),
            }
        }
        // One byte turned in each place: an error or another track, and no panic.
        for at in (0..bytes.len().min(4000)).step_by(37) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            std::fs::write(&cut, &bytes).unwrap();
            let _ = read(&cut);
        }
    }
    let dense = [
        "-c:a",
        "libopus",
        "-b:a",
        "256k",
        "-vbr",
        "off",
        "-frame_duration",
        "60",
    ];
    let dense = read_audio(&place.make("d.ogg", TONE, &dense))
        .unwrap_err()
        .to_string();
    assert!(dense.contains("more than one RTP packet"), "{dense}");
    let vorbis = place.make("v.ogg", TONE, &["-c:a", "libvorbis"]);
    let told = read_audio(&vorbis).unwrap_err().to_string();
    assert!(
        told.contains("v.ogg") && told.contains("without Opus"),
        "{told}"
    );
    assert!(told.contains("-c:a libopus"), "{told}");
    let h264 = place.make("h.mp4", PICTURE, &["-c:v", "mpeg4"]);
    assert!(
        read_video(&h264)
            .unwrap_err()
            .to_string()
            .contains("ffmpeg")
    );
    assert!(
        read_video(&ogg)
            .unwrap_err()
            .to_string()
            .contains("sound file")
    );
    assert!(
        read_audio(&ivf)
            .unwrap_err()
            .to_string()
            .contains("pictures alone")
    );
    assert!(
        read_audio(place.0.path())
            .unwrap_err()
            .to_string()
            .contains("regular file")
    );
    // The codec a node takes is not the file's.
    let wrong = open_video(&SourceSpec::File(ivf), Codec::Av1)
        .unwrap_err()
        .to_string();
    assert!(
        wrong.contains("VP8") && wrong.contains("libaom-av1"),
        "{wrong}"
    );
}

#[test]
fn the_test_picture_is_decoded_by_ffmpeg() {
    let place = Place::new();
    for codec in [Codec::Vp8, Codec::Av1] {
        let spec = "bars:320x180".parse().unwrap();
        let Source::Live(live) = open_video(&spec, codec).unwrap() else {
            panic!("bars are live");
        };
        let path = place.path("x.webm");
        let mut recorder = Recorder::create(&path, None, Some(codec)).unwrap();
        let mut frames = live.subscribe();
        let mut decoder = Vp8Decoder::new().unwrap();
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
            if codec == Codec::Vp8 {
                assert!(decoder.decode(&frame.encoded().unwrap()).unwrap().is_some());
            }
            count += 1;
        }
        recorder.finish().unwrap();
        let seen = pictures(&path);
        assert_eq!(seen.len(), 25, "{codec}");
        let different: std::collections::HashSet<_> = seen.iter().collect();
        assert!(different.len() > 20, "{codec}: the picture stands still");
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
