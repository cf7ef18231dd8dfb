//! Files of sound and of pictures.

use std::{io::Write as _, path::Path, time::Duration};

use media::{Coding, MediaError, SourceSpec, Track, open_audio, read_audio, read_film};
use tempfile::NamedTempFile;

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn sound(bytes: &[u8]) {
    with_file(bytes, hear);
}

pub(crate) fn pictures(bytes: &[u8]) {
    with_file(bytes, see);
}

pub(crate) fn sound_and_pictures(bytes: &[u8]) {
    with_file(bytes, |path| {
        hear(path);
        see(path);
    });
}

pub(crate) fn still(bytes: &[u8]) {
    with_file(bytes, |path| {
        if let Err(error) = media::fuzzing::still(path) {
            told(path, &error);
        }
    });
}

/// Readers take paths: makes a file for as long as it is read.
pub(crate) fn with_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("room for it");
    read(file.path());
}

/// Reads its sound as it is, and a second of it to be encoded anew.
fn hear(path: &Path) {
    match read_audio(path) {
        Ok(track) => check(path, &track),
        Err(error) => told(path, &error),
    }
    let mut spec = SourceSpec::file(path);
    spec.options.gain = Some(-3.0);
    spec.options.end = Some(Duration::from_secs(1));
    match open_audio(&spec) {
        Ok(source) => {
            let track = source.track().expect("a file ends");
            assert!(
                track.duration <= Duration::from_millis(1100),
                "{:?}",
                track.duration
            );
        }
        // That it ends too early is told of the source, the rest of the file.
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}

fn see(path: &Path) {
    let film = match read_film(path) {
        Ok(film) => film,
        Err(error) => return told(path, &error),
    };
    assert!(film.duration <= DAY && film.width > 0 && film.height > 0);
    assert!(!film.frames().is_empty());
    let length = film.frames().iter().map(|frame| frame.bytes.len()).sum();
    check_length(path, length);
    if matches!(film.coding, Coding::Coded(_))
        && let Ok(track) = film.track()
    {
        check(path, &track);
    }
}

fn check(path: &Path, track: &Track) {
    assert!(!track.frames.is_empty());
    assert!(track.duration <= DAY + Duration::from_secs(1));
    if track.codec != media::Codec::Opus {
        check_length(
            path,
            track.frames.iter().map(|frame| frame.payload_bytes()).sum(),
        );
    }
}

/// What a file holds is not much longer than the file.
fn check_length(path: &Path, length: usize) {
    let file = path.metadata().expect("it is there").len() as usize;
    assert!(length <= 8 * file + 4_000_000, "{length} bytes of {file}");
}

/// An error says in one line what is wrong with which file.
fn told(path: &Path, error: &MediaError) {
    let told = error.to_string();
    let name = path.to_str().expect("a plain name");
    assert!(told.contains(name) && !told.contains('\n'), "{told}");
}
