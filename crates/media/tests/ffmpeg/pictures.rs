//! Pictures in every kind of file that ffmpeg writes are read: as they are, at their times, and with
//! what keeps them from being sent so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use media::{Acceptance, Codec, Coding, Film, H264Profile, Unsuitable, read_film, read_video};

use crate::place::{MS, PICTURE, Place, ffmpeg, packets};

const H264: [&str; 8] = [
    "-c:v",
    "libx264",
    "-profile:v",
    "baseline",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "20",
];
const VP9: [&str; 8] = [
    "-c:v",
    "libvpx-vp9",
    "-cpu-used",
    "8",
    "-deadline",
    "realtime",
    "-g",
    "20",
];

/// What a film is that ffmpeg made of 50 pictures in two seconds, with a key frame every 20.
fn is_whole(film: &Film, name: &str) {
    assert_eq!(film.frames().len(), 50, "{name}");
    assert_eq!((film.width, film.height), (320, 180), "{name}");
    assert!(
        film.duration.abs_diff(Duration::from_secs(2)) < 3 * MS,
        "{name}: {:?}",
        film.duration
    );
    assert!(
        (24.9..25.1).contains(&film.frame_rate()),
        "{name}: {}",
        film.frame_rate()
    );
    let mut times: Vec<Duration> = film.frames().iter().map(|frame| frame.shown).collect();
    times.sort();
    for (n, time) in (0u32..).zip(&times) {
        let wanted = Duration::from_millis(40) * n;
        assert!(time.abs_diff(wanted) < 2 * MS, "{name}, {n}: {time:?}");
    }
}

fn keys(film: &Film) -> Vec<usize> {
    let frames = film.frames().iter().enumerate();
    frames
        .filter(|(_, frame)| frame.is_key)
        .map(|(at, _)| at)
        .collect()
}

#[test]
fn pictures_in_each_container_are_read_at_their_times_and_may_be_sent_as_they_are() {
    let place = Place::new();
    let fragmented = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"];
    let old_fragments = ["-movflags", "+frag_keyframe+empty_moov"];
    for (name, codec, options) in [
        ("vp9.ivf", Codec::Vp9, VP9.to_vec()),
        ("vp9.webm", Codec::Vp9, VP9.to_vec()),
        ("vp9.mp4", Codec::Vp9, VP9.to_vec()),
        ("h264.mkv", Codec::H264, H264.to_vec()),
        ("h264.mp4", Codec::H264, H264.to_vec()),
        ("h264.mov", Codec::H264, H264.to_vec()),
        (
            "fast.mp4",
            Codec::H264,
            [&H264[..], &["-movflags", "+faststart"]].concat(),
        ),
        ("parts.mp4", Codec::H264, [&H264[..], &fragmented].concat()),
        ("old.mp4", Codec::H264, [&H264[..], &old_fragments].concat()),
        ("h264.h264", Codec::H264, H264.to_vec()),
    ] {
        let path = place.make(name, PICTURE, &options);
        let film = read_film(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(film.coding, Coding::Coded(codec), "{name}");
        is_whole(&film, name);
        assert_eq!(keys(&film), [0, 20, 40], "{name}");
        assert_eq!(film.longest_key_interval, 800 * MS, "{name}");
        assert_eq!(film.unsuitable(&Acceptance::of(codec)), [], "{name}");
        let track = read_video(&path).unwrap();
        assert_eq!((track.codec, track.frames.len()), (codec, 50), "{name}");
        assert!(
            track.frames[20].is_key && !track.frames[19].is_key,
            "{name}"
        );
        let other = film.unsuitable(&Acceptance::of(Codec::Vp8));
        let found = [Unsuitable::OtherCodec {
            found: codec,
            wanted: Codec::Vp8,
        }];
        assert_eq!(other, found, "{name}");
    }
    // As bytes: what was in the file is sent, and nothing else.
    let vp9 = place.path("vp9.webm");
    let ours: Vec<u8> = read_film(&vp9)
        .unwrap()
        .frames()
        .iter()
        .flat_map(|frame| frame.bytes.to_vec())
        .collect();
    assert_eq!(ours, packets(&vp9, media::Kind::Video));
}

#[test]
fn h264_in_a_container_becomes_a_byte_stream_that_ffmpeg_decodes_to_the_same_pictures() {
    let place = Place::new();
    let path = place.make("x.mp4", PICTURE, &H264);
    let stream = place.path("x.h264");
    let bytes: Vec<u8> = read_film(&path)
        .unwrap()
        .frames()
        .iter()
        .flat_map(|frame| frame.bytes.to_vec())
        .collect();
    std::fs::write(&stream, bytes).unwrap();
    assert_eq!(decoded(&stream), decoded(&path));
    // And that is read again, the same.
    let again = read_film(&stream).unwrap();
    assert_eq!(again.frames().len(), 50);
    assert_eq!(
        again.character.h264,
        read_film(&path).unwrap().character.h264
    );
}

fn decoded(path: &Path) -> Vec<u8> {
    let path = path.to_str().unwrap();
    ffmpeg(&["-i", path, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"])
}

#[test]
fn y4m_is_read_picture_for_picture() {
    let place = Place::new();
    for (name, format) in [
        ("x.y4m", "yuv420p"),
        ("wide.y4m", "yuv422p"),
        ("full.y4m", "yuv444p"),
    ] {
        let path = place.make(name, PICTURE, &["-pix_fmt", format]);
        let film = read_film(&path).unwrap();
        is_whole(&film, name);
        assert!(matches!(film.coding, Coding::Raw(_)));
        assert_eq!(
            film.unsuitable(&Acceptance::of(Codec::Vp8)),
            [Unsuitable::Raw]
        );
        let raw = ffmpeg(&["-i", path.to_str().unwrap(), "-f", "rawvideo", "-"]);
        let ours: Vec<u8> = film
            .frames()
            .iter()
            .flat_map(|f| f.bytes.to_vec())
            .collect();
        assert!(ours == raw, "{name}");
        let told = read_video(&path).unwrap_err().to_string();
        assert!(told.contains("without compression"), "{told}");
    }
}

/// Returns why the pictures that ffmpeg makes so are not sent as they are.
fn why(place: &Place, name: &str, source: &str, options: &[&str]) -> (Film, Vec<Unsuitable>) {
    let path: PathBuf = place.make(name, source, options);
    let film = read_film(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let codec = film.codec().unwrap();
    let why = film.unsuitable(&Acceptance::of(codec));
    (film, why)
}

#[test]
fn what_does_not_suit_a_call_is_told() {
    let place = Place::new();
    let main = [
        "-c:v",
        "libx264",
        "-profile:v",
        "main",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "20",
    ];
    let with_b = [&main[..], &["-bf", "2"]].concat();
    for name in ["b.mp4", "b.mkv", "b.h264", "b.mov"] {
        let (film, why) = why(&place, name, PICTURE, &with_b);
        is_whole(&film, name);
        assert!(
            film.character.is_reordered && why.contains(&Unsuitable::Reordered),
            "{name}: {why:?}"
        );
        assert!(
            read_video(&place.path(name))
                .unwrap_err()
                .to_string()
                .contains("B-frames")
        );
    }

    let (film, why_main) = why(
        &place,
        "main.mp4",
        PICTURE,
        &[&main[..], &["-bf", "0"]].concat(),
    );
    let taken = H264Profile::CONSTRAINED_BASELINE_3_1;
    let found = film.character.h264.unwrap();
    assert_eq!(found.profile_name(), "Main");
    assert_eq!(why_main, [Unsuitable::Profile { found, taken }]);
    // Whoever decodes High decodes Main.
    let high = H264Profile {
        profile: 100,
        constraints: 0,
        level: 31,
    };
    let accepted = Acceptance {
        h264: high,
        ..Acceptance::of(Codec::H264)
    };
    assert_eq!(film.unsuitable(&accepted), []);

    let rare = [&H264[..6], &["-g", "500"]].concat();
    let (_, why_rare) = why(
        &place,
        "rare.mp4",
        "testsrc2=size=320x180:rate=25:duration=3",
        &rare,
    );
    assert_eq!(
        why_rare,
        [Unsuitable::RareKeyFrames(Duration::from_secs(3))]
    );
    assert!(
        why_rare[0].to_string().contains("3.0 s apart"),
        "{}",
        why_rare[0]
    );

    let large = "testsrc2=size=1920x1080:rate=5:duration=1";
    let (_, why_large) = why(&place, "large.mp4", large, &H264);
    assert!(
        matches!(why_large[..], [Unsuitable::Level { .. }]),
        "{why_large:?}"
    );

    let odd = ["-c:v", "libvpx", "-vf", "scale=321:181", "-g", "20"];
    let (_, why_odd) = why(&place, "odd.webm", PICTURE, &odd);
    assert_eq!(why_odd, [Unsuitable::OddSize(321, 181)]);

    let deep = [
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p10le",
        "-bf",
        "0",
        "-g",
        "20",
    ];
    let (_, why_deep) = why(&place, "deep.mp4", PICTURE, &deep);
    assert!(why_deep.contains(&Unsuitable::NotPlain), "{why_deep:?}");

    let fields = [&main[..], &["-bf", "0", "-flags", "+ildct+ilme"]].concat();
    let (_, why_fields) = why(&place, "fields.mp4", PICTURE, &fields);
    assert!(
        why_fields.contains(&Unsuitable::Interlaced),
        "{why_fields:?}"
    );

    let (film, _) = why(
        &place,
        "x.webm",
        PICTURE,
        &["-c:v", "libvpx", "-b:v", "400k", "-g", "20"],
    );
    let accepted = Acceptance {
        max_bit_rate: Some(50_000),
        ..Acceptance::of(Codec::Vp8)
    };
    assert!(matches!(
        film.unsuitable(&accepted)[..],
        [Unsuitable::BitRate { taken: 50_000, .. }]
    ));
}

#[test]
fn sound_and_picture_of_one_file_keep_their_places() {
    let place = Place::new();
    // A tone that begins at 0.7 s; the picture, with and without B-frames, at once.
    for (name, b_frames) in [
        ("x.mp4", "0"),
        ("b.mp4", "2"),
        ("x.mkv", "0"),
        ("b.mkv", "2"),
    ] {
        let path = place.path(name);
        let sound = "sine=frequency=440:duration=1.3";
        ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            PICTURE,
            "-itsoffset",
            "0.7",
            "-f",
            "lavfi",
            "-i",
            sound,
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-bf",
            b_frames,
            "-g",
            "20",
            "-c:a",
            "libopus",
            path.to_str().unwrap(),
        ]);
        let film = read_film(&path).unwrap();
        let picture = film.frames().iter().map(|frame| frame.shown).min().unwrap();
        let sound = media::read_audio(&path).unwrap().frames[0].media_time;
        let apart = sound.saturating_sub(picture);
        assert!(
            apart.abs_diff(700 * MS) < 30 * MS,
            "{name}: {sound:?}, {picture:?}"
        );
        assert!(picture < 2 * MS, "{name}: {picture:?}");
    }
}
