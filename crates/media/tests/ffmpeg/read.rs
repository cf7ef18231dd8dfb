//! What ffmpeg writes is read.

use std::time::Duration;

use media::{Codec, Kind, OpusDecoder, load_clip, read_audio, read_video};

use crate::place::{PICTURE, Place, TONE, encoded, packets, pictures, record};

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
