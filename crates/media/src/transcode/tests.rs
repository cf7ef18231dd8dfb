use std::path::{Path, PathBuf};

use super::*;
use crate::measure::decode;
use crate::measure::picture::{self, Pictures};
use crate::{Source, SourceSpec, open_video, read_film};

/// Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name)
}

fn film(name: &str) -> Arc<Film> {
    Arc::new(read_film(&data(name)).unwrap())
}

fn transcoded(film: &Arc<Film>, codec: Codec) -> Track {
    let whole = Duration::ZERO..film.duration;
    film.transcoded(&Acceptance::of(codec), whole).unwrap()
}

fn pictures(track: &Track) -> Pictures {
    decode::pictures(track, Some((640, 360))).unwrap()
}

#[test]
fn a_film_looks_the_same_in_every_codec_and_each_picture_comes_at_its_time() {
    let film = film("other-picture.ivf");
    let original = decode::pictures(&film.track().unwrap(), None).unwrap();
    for codec in Codec::VIDEO {
        let track = transcoded(&film, codec);
        assert_eq!(track.frames.len(), film.frames().len(), "{codec}");
        assert_eq!(track.duration, film.duration, "{codec}");
        let made = track.whole().unwrap();
        let times = |track: &Track| -> Vec<_> {
            let frames = track.frames.iter();
            frames
                .map(|frame| (frame.media_time, frame.is_key))
                .collect()
        };
        assert_eq!(times(&made), times(&track), "{codec}");
        assert!(track.longest_key_interval <= Duration::from_millis(1100));
        let seen = decode::pictures(&made, Some(original.size())).unwrap();
        let alike = picture::compare(&original, &seen);
        assert!(alike.is_seen(), "{codec}: {alike:?}");
    }
    // Control: another film is not taken for it.
    let other = self::film("bunny.ivf").track().unwrap();
    let other = decode::pictures(&other, Some(original.size())).unwrap();
    assert!(!picture::compare(&original, &other).is_seen());
}

#[test]
fn every_frame_is_made_once_for_all_who_play_it() {
    let track = transcoded(&film("other-picture.ivf"), Codec::Vp8);
    track.prepare(usize::MAX, PATIENCE);
    let (first, second) = (track.frames[20].made(), track.clone().frames[20].made());
    let (Made::Frame(first), Made::Frame(second)) = (first, second) else {
        panic!("it is made");
    };
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn whoever_comes_too_early_goes_on_with_a_key_frame() {
    let track = transcoded(&film("bunny.ivf"), Codec::Vp8);
    // Nothing is made yet, and this one is far from the beginning.
    assert!(matches!(track.frames[85].made(), Made::NotYet));
    // A second of what follows is given up; behind it whoever plays goes on.
    let next = &track.frames[101];
    assert!(
        !next.is_key,
        "the far end needs one, though none was planned"
    );
    let deadline = Instant::now() + PATIENCE;
    let made = loop {
        if let Some(made) = next.known() {
            break made;
        }
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(1));
    };
    assert!(made.is_key);
}

#[test]
fn a_part_of_a_film_begins_with_what_is_shown_then() {
    let spec: SourceSpec = format!("{}#t=2.5,5", data("bunny.ivf").display())
        .parse()
        .unwrap();
    let whole = film("bunny.ivf").track().unwrap();
    let Source::Track(part) = open_video(&spec, Codec::Vp9).unwrap() else {
        panic!("it ends");
    };
    assert!(part.frames.iter().all(|frame| frame.promise.is_some()));
    assert_eq!(part.duration, Duration::from_millis(2500));
    assert!(part.frames[0].is_key && part.frames[0].media_time.is_zero());
    let alike = picture::compare(&pictures(&part.whole().unwrap()), &pictures(&whole));
    assert!(alike.is_seen(), "{alike:?}");
    assert!((alike.offset - 2.5).abs() < 0.07, "{alike:?}");
}

#[test]
fn a_second_film_is_begun_before_the_first_one_ends() {
    let (first, second) = (film("other-picture.ivf"), film("bunny.ivf"));
    let parts = [&first, &second].map(|film| {
        let track = transcoded(film, Codec::Vp9);
        (Arc::new(track), film.duration)
    });
    let both = crate::edit::join(parts.into()).unwrap();
    both.chain();
    let begins = first.frames().len();
    both.prepare(1, PATIENCE);
    assert!(matches!(
        both.frames[begins - 1].made(),
        Made::Frame(_) | Made::NotYet
    ));
    let deadline = Instant::now() + PATIENCE;
    while both.frames[begins].known().is_none() {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_the_far_end_takes_limits_size_and_rates() {
    let film = film("bunny.ivf");
    // As ffprobe has it: 228 kbit/s on average, and 381 where there are most.
    assert_eq!(
        (film.bit_rate() / 1000, film.peak_bit_rate / 1000),
        (228, 380)
    );
    let accepted = Acceptance {
        max_bit_rate: Some(150_000),
        ..Acceptance::of(Codec::H264)
    };
    let settings = target(&film, &accepted);
    assert_eq!(settings.bit_rate, 150_000);
    // So few are spent on fewer and smaller pictures.
    assert_eq!((settings.width, settings.height), (480, 270));
    let fewer = film.transcoded(&accepted, Duration::ZERO..film.duration);
    let fewer = fewer.unwrap().frames.len();
    assert_eq!(fewer, film.frames().len().div_ceil(2));
    let small = Acceptance::read(Codec::H264, "profile-level-id=42e00d", None);
    let settings = target(&film, &small);
    assert!(
        settings.width * settings.height <= 396 * 256,
        "{settings:?}"
    );
    let slow = Acceptance::read(Codec::Vp8, "max-fs=300; max-fr=8", None);
    let settings = target(&film, &slow);
    assert!(
        settings.width * settings.height <= 300 * 256,
        "{settings:?}"
    );
    assert_eq!(settings.frame_rate, 8);
    let track = film
        .transcoded(&slow, Duration::ZERO..film.duration)
        .unwrap();
    assert_eq!(track.frames.len(), film.frames().len() / 2);
}
