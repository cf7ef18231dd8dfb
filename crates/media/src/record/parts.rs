//! The files of a recording: how they are called, and which of them are kept.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use super::container::Container;
use super::output::{self, Output};
use crate::error::MediaError;

/// What to record to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSettings {
    /// The first file; its ending says of which kind. `%Y`, `%m`, `%d`, `%H`, `%M` and `%S` in its
    /// name stand for the moment at which it is begun, in UTC. Further files have a number added.
    pub path: PathBuf,
    /// A new file is begun after this time, at a key frame.
    pub rotate_after: Option<Duration>,
    /// A new file is begun when there are so many bytes in one, at a key frame.
    pub rotate_at: Option<u64>,
    /// So many complete files are kept; when there is one more, the oldest is removed.
    pub keep: Option<usize>,
    /// A file that was there before keeps its name, and the recording takes the next number.
    pub keep_existing: bool,
}

impl RecordSettings {
    /// Records everything to one file, in the place of one that may be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            rotate_after: None,
            rotate_at: None,
            keep: None,
            keep_existing: false,
        }
    }

    /// Returns the kind of file.
    ///
    /// # Errors
    ///
    /// Fails if the name's ending asks for one that is not written here.
    pub fn container(&self) -> Result<Container, MediaError> {
        Container::of(&self.path).map_err(|reason| self.unwritable(reason))
    }

    pub(super) fn unwritable(&self, reason: String) -> MediaError {
        MediaError::Unwritable {
            path: self.path.clone(),
            reason,
        }
    }
}

/// Names the files of one recording, which may be made by several recorders one after the other.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Parts {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    settings: RecordSettings,
    /// How many were begun.
    begun: u32,
    /// Those that are whole, oldest first.
    kept: VecDeque<PathBuf>,
}

impl Parts {
    /// Checks that the first file can be written, and leaves everything as it was.
    ///
    /// # Errors
    ///
    /// Fails if it cannot, or is of no kind that is written here.
    pub fn new(settings: RecordSettings) -> Result<Self, MediaError> {
        settings.container()?;
        let parts = Self {
            shared: Arc::new(Mutex::new(Shared {
                settings: settings.clone(),
                begun: 0,
                kept: VecDeque::new(),
            })),
        };
        let first = parts.lock().name(1, SystemTime::now());
        output::probe(&first).map_err(|error| settings.unwritable(error.to_string()))?;
        Ok(parts)
    }

    /// Returns what was asked for.
    pub fn settings(&self) -> RecordSettings {
        self.lock().settings.clone()
    }

    /// Opens the next file.
    pub(super) fn open(&self) -> std::io::Result<(PathBuf, Output)> {
        let mut shared = self.lock();
        let now = SystemTime::now();
        let mut number = shared.begun + 1;
        let mut path = shared.name(number, now);
        while shared.settings.keep_existing && is_file(&path) {
            number += 1;
            path = shared.name(number, now);
        }
        let output = Output::create(&path).map_err(|error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        shared.begun = number;
        Ok((path, output))
    }

    /// Takes note that a file is whole, and removes the oldest where there are too many.
    pub(super) fn completed(&self, path: &Path) {
        let mut shared = self.lock();
        shared.kept.push_back(path.to_owned());
        let Some(keep) = shared.settings.keep else {
            // Nobody will ask for them.
            shared.kept.clear();
            return;
        };
        while shared.kept.len() > keep.max(1)
            && let Some(oldest) = shared.kept.pop_front()
        {
            if let Err(error) = fs::remove_file(&oldest) {
                tracing::debug!(path = %oldest.display(), %error, "an old part stays");
            }
        }
    }

    /// Forgets a file of which nothing came.
    pub(super) fn remove(&self, path: &Path) {
        let mut shared = self.lock();
        if is_file(path) && fs::remove_file(path).is_ok() {
            shared.begun -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A list of names stays one, whatever happened to whoever held it last.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Returns the name of the `n`th file, counted from 1, if it is begun at `now`.
    fn name(&self, n: u32, now: SystemTime) -> PathBuf {
        let path = &self.settings.path;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let timed = with_time(&name, now.into());
        if n <= 1 {
            return path.with_file_name(timed);
        }
        let path = path.with_file_name(timed);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let dot = if ending.is_empty() { "" } else { "." };
        path.with_file_name(format!("{stem}-{n}{dot}{ending}"))
    }
}

/// Fills the time into a name.
fn with_time(name: &str, now: OffsetDateTime) -> String {
    let mut out = String::new();
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        let letter = rest.clone().next();
        let number = match (c, letter) {
            ('%', Some('Y')) => Some((now.year().unsigned_abs(), 4)),
            ('%', Some('m')) => Some((u8::from(now.month()).into(), 2)),
            ('%', Some('d')) => Some((now.day().into(), 2)),
            ('%', Some('H')) => Some((now.hour().into(), 2)),
            ('%', Some('M')) => Some((now.minute().into(), 2)),
            ('%', Some('S')) => Some((now.second().into(), 2)),
            _ => None,
        };
        match number {
            Some((number, digits)) => {
                out.push_str(&format!("{number:0digits$}"));
                rest.next();
            }
            None => out.push(c),
        }
    }
    out
}

/// A pipe or a device is none.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// Gives what there is of a recording a name that nobody takes for the whole of it. Returns what is
/// to be said about that.
pub(super) fn set_aside(path: &Path) -> String {
    // A pipe or a device keeps its name.
    if !is_file(path) {
        return String::new();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".incomplete");
    match fs::rename(path, &name) {
        Ok(()) => format!("; what there is of it is in {}", Path::new(&name).display()),
        Err(error) => format!(
            "; what there is of it is still in {}: {error}",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str, n: u32) -> String {
        let shared = Shared {
            settings: RecordSettings::new(path),
            begun: 0,
            kept: VecDeque::new(),
        };
        // 2026-11-28 18:05:09 UTC
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_889_109);
        shared.name(n, now).display().to_string()
    }

    #[test]
    fn parts_are_numbered_and_stamped_with_the_time() {
        assert_eq!(name("/tmp/room.webm", 1), "/tmp/room.webm");
        assert_eq!(name("/tmp/room.webm", 2), "/tmp/room-2.webm");
        assert_eq!(name("room", 3), "room-3");
        assert_eq!(
            name("%Y%m%d/%Y-%m-%d_%H%M%S.mkv", 1),
            "%Y%m%d/2026-11-28_180509.mkv"
        );
        assert_eq!(name("100%.mkv", 1), "100%.mkv");
    }

    #[test]
    fn what_is_incomplete_does_not_keep_the_name_of_the_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("room.webm");
        assert_eq!(set_aside(&path), "", "there is nothing yet");
        fs::write(&path, "half").unwrap();
        let said = set_aside(&path);
        assert!(said.ends_with("room.webm.incomplete"), "{said}");
        assert!(!path.exists() && path.with_extension("webm.incomplete").exists());
        assert_eq!(set_aside(Path::new("/dev/full")), "", "a device stays");
    }

    #[test]
    fn what_is_there_stays_where_that_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("room.webm");
        fs::write(&path, "older").unwrap();
        let mut settings = RecordSettings::new(&path);
        settings.keep_existing = true;
        let (first, _) = Parts::new(settings.clone()).unwrap().open().unwrap();
        assert!(first.ends_with("room-2.webm"), "{}", first.display());
        assert_eq!(fs::read(&path).unwrap(), b"older");
        settings.keep_existing = false;
        let (first, _) = Parts::new(settings).unwrap().open().unwrap();
        assert_eq!(first, path);
    }
}
