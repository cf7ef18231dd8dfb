//! The corpus of `tests/fuzz`, given to the same bodies that `make fuzz` gives libFuzzer's inputs: what was
//! found once stays mended.

use std::{fs, panic::catch_unwind, path::Path, sync::mpsc, thread, time::Duration};

use bodies::{BODIES, Body, body};

#[path = "fuzz/bodies/mod.rs"]
mod bodies;

/// Each takes milliseconds; an input that is a hang takes for ever.
const LIMIT: Duration = Duration::from_secs(120);
/// What one input may take on top, in kB: a decoder's pictures of the largest size.
const MEMORY: u64 = 700_000;
/// All of it, in bytes: seeds and what was found, not what libFuzzer has gathered.
const CORPUS: u64 = 300_000;

/// What became of an input.
#[derive(Debug, PartialEq)]
enum Outcome {
    Ended,
    Panicked,
    Hung,
    TookMemory,
}

fn give(body: Body, bytes: Vec<u8>, limit: Duration) -> Outcome {
    let (told, outcome) = mpsc::channel();
    let before = peak();
    thread::spawn(move || told.send(catch_unwind(|| body(&bytes)).is_ok()));
    match outcome.recv_timeout(limit) {
        Ok(true) if peak() - before > MEMORY => Outcome::TookMemory,
        Ok(true) => Outcome::Ended,
        Ok(false) => Outcome::Panicked,
        Err(_) => Outcome::Hung,
    }
}

/// The most memory this process ever had, in kB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.and_then(|kb| kb.parse().ok()).expect("a figure")
}

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut inputs: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.expect("an input").path();
            (path.display().to_string(), fs::read(path).expect("bytes"))
        })
        .collect();
    inputs.sort();
    inputs
}

// One test, since all of them look at the memory of one process.
#[test]
fn whatever_was_found_once_stays_mended() {
    // Controls: what is looked for is noticed.
    let soon = Duration::from_millis(50);
    let panics: Body = |bytes| assert_ne!(bytes, b"bad");
    assert_eq!(give(panics, b"good".to_vec(), LIMIT), Outcome::Ended);
    assert_eq!(give(panics, b"bad".to_vec(), LIMIT), Outcome::Panicked);
    assert_eq!(give(|_| thread::park(), Vec::new(), soon), Outcome::Hung);
    let takes: Body = |_| {
        drop(std::hint::black_box(vec![
            1_u8;
            1024 * (MEMORY + 100_000) as usize
        ]))
    };
    assert_eq!(give(takes, Vec::new(), LIMIT), Outcome::TookMemory);

    let mut bytes = 0;
    for (name, _) in BODIES {
        let inputs = corpus(name);
        assert!(!inputs.is_empty(), "{name} begins with nothing");
        for (path, input) in inputs {
            bytes += input.len() as u64;
            assert_eq!(give(body(name), input, LIMIT), Outcome::Ended, "{path}");
        }
    }
    assert!(
        bytes < CORPUS,
        "the corpus has {bytes} bytes; it is to be small"
    );
}

#[test]
fn every_body_has_a_target() {
    let manifest = include_str!("fuzz/Cargo.toml");
    for (name, _) in BODIES {
        assert!(
            manifest.contains(&format!("\nname = \"{name}\"\n")),
            "{name}"
        );
    }
    assert_eq!(manifest.matches("[[bin]]").count(), BODIES.len());
}
