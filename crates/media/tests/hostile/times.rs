//! Times that go far ahead, or back.

use std::fs;
use std::time::Duration;

use media::{Clip, SourceSpec, load_clip, open_audio, read_audio, read_video};

use crate::files::speech;
use crate::material;

#[test]
fn a_wild_time_stamp_does_not_become_silence_without_end() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.ivf");
    let mut bytes = fs::read(material("other-picture.ivf")).unwrap();
    // The time of the second frame, which begins behind the first one.
    let first = u32::from_le_bytes(bytes[32..36].try_into().unwrap()) as usize;
    let time = 44 + first + 4;
    for wild in [u64::MAX, 1 << 40] {
        bytes[time..time + 8].copy_from_slice(&wild.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let told = load_clip(Some(&material("speech.opus")), Some(&path)).unwrap_err();
        let told = told.to_string();
        assert!(told.contains("hours; a day at most"), "{told}");
    }
    // Control: an hour is believed, and the sound is as long.
    let rate = u64::from(u32::from_le_bytes(bytes[16..20].try_into().unwrap()));
    let scale = u64::from(u32::from_le_bytes(bytes[20..24].try_into().unwrap()));
    let hour = 3600 * rate / scale;
    bytes[time..time + 8].copy_from_slice(&hour.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let Clip { audio, video, .. } = load_clip(Some(&material("speech.opus")), Some(&path)).unwrap();
    let (audio, video) = (audio.unwrap().duration, video.unwrap().duration);
    assert!((3600..3610).contains(&video.as_secs()), "{video:?}");
    assert!(audio >= video && audio - video < Duration::from_millis(20));
}

#[test]
fn sound_that_begins_after_weeks_is_refused_before_it_is_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.m4a");
    let m4a = speech(place.path(), "speech.m4a", &["-c:a", "aac"]);
    let list = m4a.windows(4).position(|four| four == b"elst").unwrap();
    let with_edit = |lasts: u32| {
        let mut bytes = m4a.clone();
        // Nothing at all for so many milliseconds.
        bytes[list + 12..list + 16].copy_from_slice(&lasts.to_be_bytes());
        bytes[list + 16..list + 20].fill(0xff);
        fs::write(&path, bytes).unwrap();
    };
    let shaped = || {
        let mut spec = SourceSpec::file(&path);
        spec.options.gain = Some(-3.0);
        open_audio(&spec)
    };
    with_edit(u32::MAX);
    for told in [read_audio(&path).map(drop), shaped().map(drop)] {
        let told = told.unwrap_err().to_string();
        assert!(told.contains("begins after 1193 hours"), "{told}");
    }
    // Control: two seconds are believed.
    with_edit(2000);
    let late = read_audio(&path).unwrap();
    assert_eq!(late.frames[0].media_time, Duration::from_secs(2));
    let track = shaped().unwrap();
    let lasts = track.track().unwrap().duration.as_secs_f64();
    assert!((4.0..4.2).contains(&lasts), "{lasts} s");
}

#[test]
fn times_that_go_back_become_times_that_rise() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.ivf");
    let mut bytes = fs::read(material("other-picture.ivf")).unwrap();
    let (mut at, mut number) = (32, 0u64);
    while at < bytes.len() {
        let size = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        bytes[at + 4..at + 12].copy_from_slice(&(1000 - number).to_le_bytes());
        (at, number) = (at + 12 + size, number + 1);
    }
    fs::write(&path, bytes).unwrap();
    let track = read_video(&path).unwrap();
    assert_eq!(track.frames.len() as u64, number);
    let times = track.frames.iter().map(|frame| frame.media_time);
    assert!(times.is_sorted_by(|before, after| before < after));
    assert!(track.duration < Duration::from_secs(1));
}
