use std::fs;

use super::*;
use crate::generate::{silence, slate};
use crate::read::{read_audio, read_video};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.webm");
    (directory, path)
}

fn sound() -> Frame {
    Frame::clone(&silence().frames[0])
}

#[test]
fn what_was_recorded_is_read_back() {
    for codec in [Codec::Vp8, Codec::Av1] {
        let (_directory, path) = place();
        let picture = slate(codec, "x").unwrap();
        let mut recorder = Recorder::create(&path, Some(Codec::Opus), Some(codec)).unwrap();
        let frames = picture.frames.iter().cycle();
        for (n, frame) in (0..20u64).zip(frames) {
            // Sound a little after the picture it belongs to, and from before it.
            recorder
                .write(Kind::Video, ms(300 + n * 200), frame)
                .unwrap();
            for packet in 0..10 {
                let at = ms((n * 10 + packet) * 20);
                recorder.write(Kind::Audio, at, &sound()).unwrap();
            }
        }
        let recorded = recorder.finish().unwrap();
        assert_eq!((recorded.audio_frames, recorded.video_frames), (200, 20));
        assert_eq!(recorded.left_out, 0);
        assert_eq!(recorded.duration, ms(4100));
        let (audio, video) = (read_audio(&path).unwrap(), read_video(&path).unwrap());
        assert_eq!(audio.frames.len(), 200);
        assert_eq!(audio.duration, ms(4000));
        let times: Vec<_> = video.frames.iter().map(|f| f.media_time).collect();
        assert_eq!(
            times,
            (0..20).map(|n| ms(300 + n * 200)).collect::<Vec<_>>()
        );
        for (read, sent) in video.frames.iter().zip(picture.frames.iter().cycle()) {
            assert_eq!(read.payloads, sent.payloads);
            assert_eq!(read.is_key, sent.is_key);
        }
    }
}

#[test]
fn gaps_stay_gaps() {
    let (_directory, path) = place();
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), None).unwrap();
    for at in [0, 20, 40, 5000, 5020] {
        recorder.write(Kind::Audio, ms(at), &sound()).unwrap();
    }
    recorder.finish().unwrap();
    let times: Vec<_> = read_audio(&path)
        .unwrap()
        .frames
        .iter()
        .map(|frame| frame.media_time.as_millis())
        .collect();
    assert_eq!(times, [0, 20, 40, 5000, 5020]);
}

#[test]
fn nothing_recorded_leaves_nothing_behind() {
    let (_directory, path) = place();
    let picture = slate(Codec::Vp8, "x").unwrap();
    let mut recorder = Recorder::create(&path, None, Some(Codec::Vp8)).unwrap();
    // No decoder could begin with this one.
    recorder
        .write(Kind::Video, ms(0), &picture.frames[1])
        .unwrap();
    let recorded = recorder.finish().unwrap();
    assert_eq!((recorded.video_frames, recorded.left_out), (0, 1));
    assert!(!path.exists());
    // And an older file survives a run that records nothing.
    fs::write(&path, "older").unwrap();
    drop(Recorder::create(&path, Some(Codec::Opus), None).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"older");
}

#[test]
fn a_dropped_recording_can_be_read() {
    let (_directory, path) = place();
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), Some(Codec::Vp8)).unwrap();
    // No picture ever comes.
    for n in 0..100 {
        recorder.write(Kind::Audio, ms(n * 20), &sound()).unwrap();
    }
    drop(recorder);
    assert_eq!(read_audio(&path).unwrap().frames.len(), 100);
    assert!(read_video(&path).is_err());
}

#[test]
fn what_cannot_be_written_is_told_at_once() {
    let missing = Path::new("/nowhere/x.webm");
    let error = Recorder::create(missing, Some(Codec::Opus), None).unwrap_err();
    assert!(error.to_string().contains("/nowhere/x.webm"), "{error}");
    let (_directory, path) = place();
    assert!(Recorder::create(&path, None, None).is_err());
    assert!(Recorder::create(&path, Some(Codec::Vp8), None).is_err());
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), None).unwrap();
    let picture = slate(Codec::Vp8, "x").unwrap();
    let refused = recorder.write(Kind::Video, ms(0), &picture.frames[0]);
    assert!(refused.is_err());
}

#[test]
fn frames_far_out_of_order_are_left_out() {
    let (_directory, path) = place();
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), None).unwrap();
    for at in [0, 60, 40, 20, 3000, 3020, 3700, 100, 3720] {
        recorder.write(Kind::Audio, ms(at), &sound()).unwrap();
    }
    let recorded = recorder.finish().unwrap();
    assert_eq!((recorded.audio_frames, recorded.left_out), (8, 1));
}

/// Frames of sound every 20 ms, and of a picture every 200 ms, of which every fifth is a key frame.
fn feed(recorder: &mut Recorder, from: u64, to: u64) {
    let picture = slate(Codec::Vp8, "x").unwrap();
    let key = picture.frames.iter().find(|frame| frame.is_key).unwrap();
    let other = picture.frames.iter().find(|frame| !frame.is_key).unwrap();
    for at in (from..to).step_by(20) {
        recorder.write(Kind::Audio, ms(at), &sound()).unwrap();
        if at % 200 == 0 {
            let frame = if at % 1000 == 0 { key } else { other };
            recorder.write(Kind::Video, ms(at), frame).unwrap();
        }
    }
}

#[test]
fn a_recording_goes_on_in_another_file_once_there_is_room_again() {
    let (directory, path) = place();
    let mut settings = RecordSettings::new(&path);
    settings.rotate_after = Some(ms(2000));
    let parts = Parts::new(settings).unwrap();
    let mut recorder = Recorder::to_files(parts, Some(Codec::Opus), Some(Codec::Vp8)).unwrap();
    // Where the second file should be there is something that is none.
    let second = directory.path().join("x-2.webm");
    fs::create_dir(&second).unwrap();
    feed(&mut recorder, 0, 6000);
    let news = recorder.news();
    assert!(
        matches!(&news[..], [RecordNews::Began(_), RecordNews::Completed(first), RecordNews::Failed(_)] if *first == path),
        "{news:?}"
    );
    fs::remove_dir(&second).unwrap();
    // Five seconds after the first try, at the next key frame.
    feed(&mut recorder, 6000, 9000);
    assert!(!recorder.wants_key_frame());
    let news = recorder.news();
    assert_eq!(news, [RecordNews::Resumed(second.clone())]);
    let error = recorder.finish().unwrap_err().to_string();
    assert!(error.contains("x-2.webm"), "{error}");
    // A hundred packets, and the one that came just before the key frame.
    assert_eq!(read_audio(&path).unwrap().frames.len(), 101);
    let second = read_video(&second).unwrap();
    assert_eq!((second.frames.len(), second.frames[0].is_key), (10, true));
}

#[test]
fn old_parts_are_removed() {
    let (directory, path) = place();
    let mut settings = RecordSettings::new(&path);
    settings.rotate_after = Some(ms(2000));
    settings.keep = Some(2);
    let parts = Parts::new(settings).unwrap();
    let mut recorder = Recorder::to_files(parts, Some(Codec::Opus), Some(Codec::Vp8)).unwrap();
    feed(&mut recorder, 0, 9000);
    assert_eq!(recorder.finish().unwrap().parts, 5);
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["x-4.webm", "x-5.webm"]);
}

#[test]
fn a_file_that_is_large_enough_is_followed_by_another() {
    let (_directory, path) = place();
    let mut settings = RecordSettings::new(&path);
    settings.rotate_at = Some(10_000);
    let parts = Parts::new(settings).unwrap();
    let mut recorder = Recorder::to_files(parts, Some(Codec::Opus), Some(Codec::Vp8)).unwrap();
    feed(&mut recorder, 0, 20_000);
    assert!(recorder.finish().unwrap().parts > 2);
    let size = fs::metadata(&path).unwrap().len();
    assert!((10_000..30_000).contains(&size), "{size}");
}

#[test]
fn what_a_file_does_not_hold_is_refused_with_what_to_choose() {
    let directory = tempfile::tempdir().unwrap();
    let create = |name: &str, video| {
        let path = directory.path().join(name);
        Recorder::create(&path, Some(Codec::Opus), video)
    };
    let error = create("x.mp4", Some(Codec::Vp8)).unwrap_err().to_string();
    assert!(
        error.contains("MP4 files hold no VP8: record to .webm"),
        "{error}"
    );
    let error = create("x.avi", None).unwrap_err().to_string();
    assert!(error.contains(".avi"), "{error}");
    // Nothing would be in it.
    assert!(create("x.ivf", None).is_err());
    assert!(create("x.ivf", Some(Codec::Vp8)).is_ok());
    assert!(create("x.ogg", Some(Codec::Vp8)).is_ok());
}

#[test]
fn a_pipe_gets_what_a_file_would() {
    let (reader, writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut { reader }, &mut bytes).unwrap();
        bytes
    });
    let (video, audio) = (Some(Codec::Vp8), Some(Codec::Opus));
    let mut recorder =
        Recorder::to_stream(Box::new(writer), Container::Matroska, audio, video).unwrap();
    feed(&mut recorder, 0, 3000);
    let recorded = recorder.finish().unwrap();
    assert_eq!((recorded.audio_frames, recorded.video_frames), (150, 15));
    let (_directory, path) = place();
    fs::write(&path, reading.join().unwrap()).unwrap();
    assert_eq!(read_audio(&path).unwrap().frames.len(), 150);
    assert_eq!(read_video(&path).unwrap().frames.len(), 15);
}

#[test]
fn a_pipe_that_breaks_ends_the_recording() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let audio = Some(Codec::Opus);
    let mut recorder = Recorder::to_stream(Box::new(writer), Container::Wav, audio, None).unwrap();
    for n in 0..100 {
        recorder.write(Kind::Audio, ms(n * 20), &sound()).unwrap();
    }
    assert!(recorder.is_over());
    assert!(recorder.finish().is_err());
}

#[test]
fn what_is_missing_from_sound_is_made_up_for() {
    let (_directory, path) = place();
    let path = path.with_extension("wav");
    let mut recorder = Recorder::create(&path, Some(Codec::Opus), None).unwrap();
    for n in (0..200u64).filter(|n| n % 10 != 7 && !(50..100).contains(n)) {
        recorder.write(Kind::Audio, ms(n * 20), &sound()).unwrap();
    }
    recorder.finish().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 44 + 200 * 960 * 2);
}
