//! Damaged files of pictures, whatever is to become of them.

use std::fs;

use fastrand::Rng;
use media::{Coding, read_film};

use crate::damage::damage;
use crate::files::films;
use crate::{DAY, MEMORY, ROUNDS, peak};

#[test]
fn damaged_pictures_end_in_an_error_or_a_film() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("damaged");
    let before = peak();
    for (name, whole) in films(place.path()) {
        let (mut good, mut errors) = (0, 0);
        for seed in 0..ROUNDS {
            let mut random = Rng::with_seed(seed);
            let mut bytes = whole.clone();
            if seed > 0 {
                damage(&mut bytes, &mut random);
            }
            fs::write(&path, &bytes).unwrap();
            let about = format!("{name}, seed {seed}");
            match read_film(&path) {
                Ok(film) => {
                    assert!(
                        film.duration <= DAY && film.width > 0 && film.height > 0,
                        "{about}"
                    );
                    let length: usize = film.frames().iter().map(|frame| frame.bytes.len()).sum();
                    assert!(!film.frames().is_empty(), "{about}");
                    assert!(length <= 3 * bytes.len() + 20_000, "{about}: {length}");
                    if matches!(film.coding, Coding::Coded(_)) && !film.character.is_reordered {
                        let _ = film.track();
                    }
                    good += 1;
                }
                Err(error) => {
                    let told = error.to_string();
                    assert!(
                        told.contains("damaged") && !told.contains('\n'),
                        "{about}: {told}"
                    );
                    assert!(seed > 0, "{about}: {told}");
                    errors += 1;
                }
            }
        }
        assert!(
            good > ROUNDS / 20 && errors > ROUNDS / 40,
            "{name}: {good}, {errors}"
        );
        let grown = peak() - before;
        assert!(grown < MEMORY, "{name}: {grown} kB");
    }
}
