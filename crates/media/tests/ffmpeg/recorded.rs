//! What is recorded here is read and played by ffmpeg, and read back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use media::{
    Codec, Container, Frame, Kind, Parts, RecordNews, RecordSettings, Recorder, Track, load_clip,
    read_audio, read_video,
};

use crate::place::{MS, PICTURE, Place, TONE, encoded, ffmpeg, record, run};

/// What ffprobe says of a file.
#[derive(Debug)]
struct Probed {
    /// Of each stream: codec, packets, begin and end in seconds.
    streams: Vec<(String, u32, f64, f64)>,
}

impl Probed {
    fn of(&self, codec: &str) -> (u32, f64, f64) {
        let found = self.streams.iter().find(|(name, ..)| name == codec);
        let (_, packets, begin, end) = found.unwrap_or_else(|| panic!("no {codec}: {self:?}"));
        (*packets, *begin, *end)
    }
}

/// Has ffprobe read all packets, and ffmpeg decode all frames, both without a complaint.
fn probe(path: &Path) -> Probed {
    let text = path.to_str().unwrap();
    ffmpeg(&["-i", text, "-f", "null", "-"]);
    let entries = "packet=stream_index,pts_time:stream=index,codec_name";
    let arguments = ["-v", "error", "-show_entries", entries, "-of", "csv", text];
    let told = String::from_utf8(run("ffprobe", &arguments)).unwrap();
    let mut streams: Vec<(String, u32, f64, f64)> = Vec::new();
    let mut packets = Vec::new();
    for line in told.lines() {
        let fields: Vec<_> = line.split(',').collect();
        match fields.as_slice() {
            ["packet", stream, time, ..] => {
                packets.push((
                    stream.parse::<usize>().unwrap(),
                    time.parse::<f64>().unwrap(),
                ));
            }
            ["stream", _, codec, ..] => streams.push(((*codec).into(), 0, f64::MAX, 0.0)),
            _ => panic!("{line}"),
        }
    }
    for (stream, time) in packets {
        let (_, count, begin, end) = &mut streams[stream];
        *count += 1;
        *begin = begin.min(time);
        *end = end.max(time);
    }
    Probed { streams }
}

/// The duration that the file states, or that ffprobe finds.
fn duration(path: &Path) -> f64 {
    let path = path.to_str().unwrap();
    let arguments = [
        "-v",
        "error",
        "-show_entries",
        "format=duration",
        "-of",
        "csv=p=0",
        path,
    ];
    let told = String::from_utf8(run("ffprobe", &arguments)).unwrap();
    told.trim()
        .parse()
        .unwrap_or_else(|_| panic!("{path}: {told}"))
}

/// Pictures of each codec, two seconds of them.
fn pictures(place: &Place) -> Vec<(&'static str, Track)> {
    vec![
        ("vp8", read_video(&place.vp8("8.ivf")).unwrap()),
        ("av1", read_video(&place.av1("1.ivf")).unwrap()),
        ("vp9", cut(Codec::Vp9, vp9(place))),
        ("h264", cut(Codec::H264, h264(place))),
    ]
}

/// Frames of 40 ms each.
fn cut(codec: Codec, frames: Vec<Vec<u8>>) -> Track {
    let frames = frames.into_iter().zip(0..).map(|(encoded, n)| {
        let is_key = codec.is_key_frame(&encoded);
        Frame::packetize(codec, encoded.into(), 40 * MS * n, 40 * MS, is_key).unwrap()
    });
    Track::new(frames.collect()).unwrap()
}

fn vp9(place: &Place) -> Vec<Vec<u8>> {
    let options = [
        "-c:v",
        "libvpx-vp9",
        "-deadline",
        "realtime",
        "-cpu-used",
        "8",
        "-g",
        "20",
    ];
    let options = [&options[..], &["-lag-in-frames", "0", "-auto-alt-ref", "0"]].concat();
    let bytes = std::fs::read(place.make("9.ivf", PICTURE, &options)).unwrap();
    let mut rest = &bytes[32..];
    let mut frames = Vec::new();
    while let Some((size, _)) = rest.split_first_chunk::<4>() {
        let size = u32::from_le_bytes(*size) as usize;
        frames.push(rest[12..12 + size].to_vec());
        rest = &rest[12 + size..];
    }
    frames
}

/// Access units, each of which begins with a delimiter.
fn h264(place: &Place) -> Vec<Vec<u8>> {
    let options = [
        "-c:v",
        "libx264",
        "-profile:v",
        "baseline",
        "-pix_fmt",
        "yuv420p",
    ];
    let options = [&options[..], &["-g", "20", "-x264-params", "aud=1"]].concat();
    let bytes = std::fs::read(place.make("x.h264", PICTURE, &options)).unwrap();
    let starts: Vec<usize> = bytes
        .windows(5)
        .enumerate()
        .filter(|(_, code)| *code == [0, 0, 0, 1, 9])
        .map(|(at, _)| at)
        .chain([bytes.len()])
        .collect();
    let units = starts
        .windows(2)
        .map(|pair| bytes[pair[0]..pair[1]].to_vec());
    units.collect()
}

fn sound(place: &Place, seconds: u32) -> Track {
    let source = format!("sine=frequency=440:duration={seconds}");
    read_audio(&place.make("x.ogg", &source, &["-c:a", "libopus"])).unwrap()
}

/// Plays two seconds of pictures over and over beside the sound.
fn play(recorder: &mut Recorder, sound: &Track, pictures: Option<&Track>) {
    let count = pictures.map_or(0, |track| track.frames.len());
    let mut next = 0u32;
    for frame in &sound.frames {
        while let Some(track) = pictures
            && frame.media_time >= 40 * MS * next
        {
            let picture: &Arc<Frame> = &track.frames[next as usize % count];
            recorder
                .write(Kind::Video, 40 * MS * next, picture)
                .unwrap();
            next += 1;
        }
        recorder
            .write(Kind::Audio, frame.media_time, frame)
            .unwrap();
    }
}

/// The files that hold this picture, or sound alone.
fn endings(codec: Option<Codec>) -> impl Iterator<Item = &'static str> {
    let all = ["webm", "mkv", "mp4", "ivf", "ogg", "wav"];
    all.into_iter().filter(move |ending| {
        let container = Container::named(ending).unwrap();
        match codec {
            Some(codec) => container.holds(codec),
            None => container.holds(Codec::Opus),
        }
    })
}

#[test]
fn every_container_pleases_ffmpeg_with_every_codec_it_holds() {
    let place = Place::new();
    let sound = sound(&place, 3);
    for (name, picture) in pictures(&place) {
        for ending in endings(Some(picture.codec)) {
            let path = place.path(&format!("{name}.{ending}"));
            let mut recorder =
                Recorder::create(&path, Some(Codec::Opus), Some(picture.codec)).unwrap();
            play(&mut recorder, &sound, Some(&picture));
            let recorded = recorder.finish().unwrap();
            assert_eq!(recorded.left_out, 0, "{name}.{ending}");

            let found = probe(&path);
            println!("{name}.{ending}: {:.2} s, {found:?}", duration(&path));
            let (packets, begin, end) = found.of(name);
            let all = recorded.video_frames;
            assert_eq!((u64::from(packets), begin), (all, 0.0), "{name}.{ending}");
            let last = 0.04 * (all - 1) as f64;
            assert!((end - last).abs() < 0.002, "{name}.{ending}: {found:?}");
            assert!((duration(&path) - 3.0).abs() < 0.06, "{name}.{ending}");
            if ending != "ivf" {
                let (packets, begin, end) = found.of("opus");
                assert_eq!(packets as usize, sound.frames.len(), "{name}.{ending}");
                assert!(begin.abs() < 0.002, "{name}.{ending}: {found:?}");
                assert!((end - 3.0).abs() < 0.05, "{name}.{ending}: {found:?}");
            }
        }
    }
}

#[test]
fn sound_alone_pleases_ffmpeg_in_every_container() {
    let place = Place::new();
    let sound = sound(&place, 3);
    for ending in endings(None) {
        let path = place.path(&format!("alone.{ending}"));
        record(&path, Some(&sound), None);
        let found = probe(&path);
        println!("{ending}: {:.2} s, {found:?}", duration(&path));
        let codec = if ending == "wav" { "pcm_s16le" } else { "opus" };
        found.of(codec);
        assert_eq!(found.streams.len(), 1, "{ending}: {found:?}");
        assert!((duration(&path) - 3.0).abs() < 0.06, "{ending}");
    }
}

#[test]
fn what_was_recorded_is_read_back_to_the_byte() {
    let place = Place::new();
    let sound = read_audio(&place.make("x.ogg", TONE, &["-c:a", "libopus"])).unwrap();
    // What was read was cut into packets by the same hands.
    for (name, picture) in pictures(&place).into_iter().take(2) {
        let path = place.path("x.webm");
        record(&path, Some(&sound), Some(&picture));
        let clip = load_clip(Some(&path), Some(&path)).unwrap();
        assert_eq!(encoded(&clip.audio.unwrap()), encoded(&sound), "{name}");
        assert_eq!(encoded(&clip.video.unwrap()), encoded(&picture), "{name}");
    }
}

#[test]
fn what_is_recorded_here_can_be_sent_again_from_every_container() {
    let place = Place::new();
    let sound = sound(&place, 2);
    for (name, picture) in pictures(&place) {
        for ending in endings(Some(picture.codec)) {
            let path = place.path(&format!("again-{name}.{ending}"));
            record(&path, Some(&sound), Some(&picture));
            let read = read_video(&path).unwrap();
            let is_key = |track: &Track| track.frames.iter().map(|f| f.is_key).collect::<Vec<_>>();
            assert_eq!(is_key(&read), is_key(&picture), "{name}.{ending}");
            if ending != "ivf" {
                let read = read_audio(&path).unwrap();
                assert_eq!(encoded(&read), encoded(&sound), "{name}.{ending}");
            }
        }
    }
}

#[test]
fn a_recording_cut_off_by_a_crash_can_be_played_up_to_the_last_second() {
    let place = Place::new();
    let sound = sound(&place, 8);
    for (name, picture) in pictures(&place) {
        // Once is enough for sound alone.
        let alone = ["ogg", "wav"].into_iter().filter(|_| name == "vp8");
        for ending in endings(Some(picture.codec)).chain(alone) {
            let path = place.path(&format!("cut-{name}.{ending}"));
            let video = Container::named(ending)
                .filter(|container| container.holds(picture.codec))
                .map(|_| picture.codec);
            let mut recorder = Recorder::create(&path, Some(Codec::Opus), video).unwrap();
            play(&mut recorder, &sound, video.map(|_| &picture));
            // As if the process were gone: nothing is flushed, no index written.
            std::mem::forget(recorder);
            let found = probe(&path);
            println!("cut-{name}.{ending}: {:.2} s, {found:?}", duration(&path));
            for (codec, _, begin, end) in &found.streams {
                assert!(*begin < 0.01, "{name}.{ending}: {codec} {found:?}");
                if codec != "pcm_s16le" {
                    assert!(*end > 6.9, "{name}.{ending}: {codec} {found:?}");
                }
            }
            assert!(
                duration(&path) > 6.9,
                "{name}.{ending}: {}",
                duration(&path)
            );
        }
    }
}

#[test]
fn each_part_of_a_recording_plays_by_itself() {
    let place = Place::new();
    let sound = sound(&place, 9);
    for (name, picture) in pictures(&place) {
        // Every other one, so that each container has its turn with some codec.
        for ending in endings(Some(picture.codec)).step_by(2) {
            let mut settings = RecordSettings::new(place.path(&format!("parts-{name}.{ending}")));
            settings.rotate_after = Some(2500 * MS);
            let parts = Parts::new(settings).unwrap();
            let mut recorder =
                Recorder::to_files(parts, Some(Codec::Opus), Some(picture.codec)).unwrap();
            play(&mut recorder, &sound, Some(&picture));
            recorder.close();
            let all = recorder.recorded().video_frames;
            let completed: Vec<PathBuf> = recorder
                .news()
                .into_iter()
                .filter_map(|news| match news {
                    RecordNews::Completed(path) => Some(path),
                    _ => None,
                })
                .collect();
            // Key frames come every 0.8 seconds, and anew every two.
            assert_eq!(completed.len(), 4, "{completed:?}");
            let mut pictures = 0;
            for path in &completed {
                let found = probe(path);
                println!("{}: {found:?}", path.display());
                let (packets, begin, _) = found.of(name);
                pictures += packets;
                assert!(begin < 0.03, "{found:?}");
                if ending != "ivf" {
                    let (_, begin, _) = found.of("opus");
                    assert!(begin < 0.03, "lips and voice begin together: {found:?}");
                }
            }
            assert_eq!(u64::from(pictures), all, "none is lost between two parts");
        }
    }
}
