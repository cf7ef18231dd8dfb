//! Files that were cut, damaged or made to do harm: an error that says what is wrong or a shorter
//! track, never a panic, never memory without bounds. Seeded; the seed of a failure is in its message.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::{MediaError, Track};

mod damage;
mod files;
mod films;
mod frames;
mod odd;
mod promises;
mod times;
mod tracks;

/// Damaged files of each kind.
pub(crate) const ROUNDS: u64 = 400;
/// What reading such small files may take on top, in kB of address space: allocators reserve some.
pub(crate) const MEMORY: u64 = 600_000;
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn material(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name)
}

/// The largest address space this process ever had, in kB.
pub(crate) fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1));
    figure.unwrap().parse().unwrap()
}

pub(crate) type Reader = fn(&Path) -> Result<Track, MediaError>;
