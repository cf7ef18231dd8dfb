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
    assert!(!path.exists());
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
