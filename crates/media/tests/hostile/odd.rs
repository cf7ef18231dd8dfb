//! What is rare and sound, and what is no file to be played at all.

use std::fs;
use std::path::Path;
use std::process::Command;

use media::{read_audio, read_video};

use crate::files::wav;

#[test]
fn wav_of_odd_rates_and_many_channels_lasts_as_long_as_it_should() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.wav");
    for (rate, channels, bits) in [
        (4_000, 1, 8),
        (4_001, 3, 16),
        (11_025, 2, 24),
        (22_050, 6, 32),
        (44_100, 1, 16),
        (47_999, 1, 16),
        (48_000, 8, 16),
        (192_000, 2, 24),
        (383_987, 1, 16),
        (384_000, 2, 8),
    ] {
        for milliseconds in [1, 100, 333] {
            let count = rate * milliseconds / 1000 * u32::from(channels * bits / 8);
            let samples = vec![if bits == 8 { 128 } else { 0 }; count as usize];
            fs::write(&path, wav(rate, channels, bits, &samples)).unwrap();
            let track = read_audio(&path).unwrap();
            // The sound, 6.5 ms that the encoder looks ahead, and the rest of a packet.
            let duration = track.duration.as_secs_f64() * 1000.0;
            let over = duration - f64::from(milliseconds);
            assert!(
                (5.0..27.0).contains(&over),
                "{rate}, {channels}: {duration} ms"
            );
        }
    }
    for (rate, channels) in [(0, 1), (3_999, 1), (384_001, 2), (u32::MAX, 1), (8_000, 0)] {
        fs::write(&path, wav(rate, channels, 16, &[0; 960])).unwrap();
        let told = read_audio(&path).unwrap_err().to_string();
        assert!(told.contains("convert it"), "{rate}, {channels}: {told}");
    }
    fs::write(&path, wav(48_000, 1, 16, &[])).unwrap();
    let told = read_audio(&path).unwrap_err().to_string();
    assert!(told.contains("no sound in it"), "{told}");
}

#[test]
fn what_is_no_file_to_play_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let told = |path: &Path| {
        let (audio, video) = (read_audio(path).unwrap_err(), read_video(path).unwrap_err());
        assert_eq!(audio.to_string(), video.to_string());
        audio.to_string()
    };
    let empty = place.path().join("empty");
    fs::write(&empty, b"").unwrap();
    assert!(told(&empty).contains("is empty"), "{}", told(&empty));
    assert!(told(place.path()).contains("not a regular file"));
    // Nobody will ever write to it.
    let pipe = place.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert!(told(&pipe).contains("not a regular file"));
    assert!(told(Path::new("/dev/zero")).contains("not a regular file"));
    // Readable by nobody, root included.
    let memory = told(Path::new("/proc/self/mem"));
    assert!(memory.contains("cannot read /proc/self/mem"), "{memory}");
    let large = place.path().join("large.wav");
    fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    assert!(told(&large).contains("more than 2 GB"), "{}", told(&large));
}
