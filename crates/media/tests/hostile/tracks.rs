//! Damaged files that are read to be sent.

use std::fs;
use std::path::Path;

use fastrand::Rng;

use crate::damage::{damage, mend_checksums};
use crate::files::whole_files;
use crate::{DAY, MEMORY, ROUNDS, Reader, peak};

/// Reads a file and checks what comes of it; tells whether it was a track.
fn check(read: Reader, path: &Path, about: &str) -> bool {
    match read(path) {
        Ok(track) => {
            assert!(!track.frames.is_empty() && track.duration <= DAY, "{about}");
            let times: Vec<_> = track.frames.iter().map(|frame| frame.media_time).collect();
            assert!(
                times.is_sorted() && times.last() < Some(&track.duration),
                "{about}"
            );
            let length: usize = track.frames.iter().map(|frame| frame.payload_bytes()).sum();
            let file = fs::metadata(path).unwrap().len() as usize;
            assert!(
                length <= 2 * file + 20_000,
                "{about}: {length} of {file} bytes"
            );
            true
        }
        Err(error) => {
            let told = error.to_string();
            let name = path.to_str().unwrap();
            assert!(
                told.contains(name) && !told.contains('\n'),
                "{about}: {told}"
            );
            assert!(!told.contains("cannot read"), "{about}: {told}");
            false
        }
    }
}

#[test]
fn damaged_files_end_in_an_error_or_a_track() {
    let place = tempfile::tempdir().unwrap();
    let whole = whole_files(place.path());
    let path = place.path().join("damaged");
    let before = peak();
    for (name, bytes, read) in whole {
        fs::write(&path, &bytes).unwrap();
        assert!(check(read, &path, name), "{name} is whole");
        let (mut tracks, mut errors) = (0, 0);
        // What must be decoded and encoded takes longer.
        let is_encoded = !matches!(name, "ogg" | "ivf") && !name.starts_with("webm");
        let rounds = if is_encoded { ROUNDS / 4 } else { ROUNDS };
        for seed in 0..rounds {
            let mut random = Rng::with_seed(seed);
            let mut bytes = bytes.clone();
            damage(&mut bytes, &mut random);
            if matches!(name, "ogg" | "vorbis") && random.bool() {
                mend_checksums(&mut bytes);
            }
            fs::write(&path, &bytes).unwrap();
            if check(read, &path, &format!("{name}, seed {seed}")) {
                tracks += 1;
            } else {
                errors += 1;
            }
        }
        // The damage is neither all fatal nor all harmless, or little would be tested.
        assert!(
            tracks > rounds / 20 && errors > rounds / 20,
            "{name}: {tracks} tracks, {errors} errors"
        );
        let grown = peak() - before;
        assert!(grown < MEMORY, "{name}: {grown} kB");
    }
}
