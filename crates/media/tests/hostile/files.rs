//! The files that harm is done to, whole: of every kind, and small.

use std::fs;
use std::path::Path;
use std::process::Command;

use media::{Kind, Recorder, load_clip, read_audio, read_video};

use crate::{Reader, material};

/// Sound and picture files of every kind: the first seconds of the real ones.
pub(crate) fn whole_files(place: &Path) -> Vec<(&'static str, Vec<u8>, Reader)> {
    let clip = load_clip(
        Some(&material("speech.opus")),
        Some(&material("other-picture.ivf")),
    )
    .unwrap();
    let webm = place.join("whole.webm");
    let (audio, video) = (clip.audio.unwrap(), clip.video.unwrap());
    let mut recorder = Recorder::create(&webm, Some(audio.codec), Some(video.codec)).unwrap();
    for (sound, picture) in audio.frames.iter().zip(&video.frames).take(60) {
        recorder
            .write(Kind::Audio, sound.media_time, sound)
            .unwrap();
        recorder
            .write(Kind::Video, picture.media_time, picture)
            .unwrap();
    }
    recorder.finish().unwrap();
    let webm = fs::read(webm).unwrap();
    let ivf = fs::read(material("other-picture.ivf")).unwrap();
    let samples: Vec<u8> = (0..8000u32)
        .flat_map(|n| (n as i16).to_le_bytes())
        .collect();
    let speech = |name: &str, options: &[&str]| speech(place, name, options);
    let mp3 = speech("x.mp3", &["-c:a", "libmp3lame"]);
    let flac = speech("x.flac", &[]);
    let m4a = speech("x.m4a", &["-c:a", "aac"]);
    let aac = speech("x.aac", &["-c:a", "aac"]);
    let vorbis = speech("v.ogg", &["-c:a", "libvorbis"]);
    let alac = speech("alac.m4a", &["-c:a", "alac"]);
    let mka = speech("x.mka", &["-c:a", "libvorbis"]);
    let aiff = speech("x.aiff", &[]);
    let adpcm = speech("adpcm.wav", &["-c:a", "adpcm_ms"]);
    vec![
        ("mp3", mp3, read_audio),
        ("flac", flac, read_audio),
        ("m4a", m4a, read_audio),
        ("aac", aac, read_audio),
        ("vorbis", vorbis, read_audio),
        ("alac", alac, read_audio),
        ("mka", mka, read_audio),
        ("aiff", aiff, read_audio),
        ("adpcm", adpcm, read_audio),
        (
            "ogg",
            fs::read(material("speech.opus")).unwrap(),
            read_audio,
        ),
        ("wav", wav(8_000, 2, 16, &samples), read_audio),
        ("ivf", ivf, read_video),
        ("webm, its sound", webm.clone(), read_audio),
        ("webm, its picture", webm, read_video),
    ]
}

/// Two seconds of speech in another form, by ffmpeg.
pub(crate) fn speech(place: &Path, name: &str, options: &[&str]) -> Vec<u8> {
    let path = place.join(name);
    let from = material("speech.opus");
    let (from, to) = (from.to_str().unwrap(), path.to_str().unwrap());
    let begin = ["-nostdin", "-v", "error", "-i", from, "-t", "2"];
    let made = Command::new("ffmpeg")
        .args([&begin[..], options, &[to]].concat())
        .status();
    assert!(made.unwrap().success(), "{name}");
    fs::read(path).unwrap()
}

/// A WAV file of whole numbers.
pub(crate) fn wav(rate: u32, channels: u16, bits: u16, samples: &[u8]) -> Vec<u8> {
    let align = channels.wrapping_mul(bits / 8);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(align.into()).to_le_bytes());
    bytes.extend(align.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend((samples.len() as u32).to_le_bytes());
    bytes.extend(samples);
    bytes
}

/// Picture files of every kind, made by ffmpeg: small, and with B-frames where there can be some.
pub(crate) fn films(place: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let made = |name: &'static str, options: &[&str]| {
        let path = place.join(name);
        let source = "testsrc2=size=64x48:rate=25:duration=0.8";
        let begin = ["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source];
        let made = Command::new("ffmpeg")
            .args([&begin[..], options, &[path.to_str().unwrap()]].concat())
            .status();
        assert!(made.unwrap().success(), "{name}");
        (name, fs::read(path).unwrap())
    };
    let h264 = [
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "5", "-bf", "2",
    ];
    let fragments = [
        &h264[..],
        &["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    ];
    let av1 = [
        "-c:v",
        "libaom-av1",
        "-cpu-used",
        "8",
        "-usage",
        "realtime",
        "-g",
        "5",
    ];
    vec![
        made("x.mp4", &h264),
        made("parts.mp4", &fragments.concat()),
        made("av1.mp4", &av1),
        made("x.mkv", &h264),
        made("x.h264", &h264),
        made("vp9.ivf", &["-c:v", "libvpx-vp9", "-g", "5"]),
        made("av1.ivf", &av1),
        made("x.y4m", &["-pix_fmt", "yuv422p"]),
    ]
}
