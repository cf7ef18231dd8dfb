//! Files that their owner alone may read, written in one step.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Writes `content` to `path`: whoever reads it sees what was there before, or all of it.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_beside(path)?;
    let stored = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(beside(path), path));
    if stored.is_err() {
        // Nothing secret is to stay in a file that nobody knows of.
        let _ = fs::remove_file(beside(path));
    }
    stored
}

/// Says whether [`write`] can be expected to succeed, without writing to `path`.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    drop(create_beside(path)?);
    fs::remove_file(beside(path))
}

fn create_beside(path: &Path) -> io::Result<File> {
    let beside = beside(path);
    match fs::remove_file(&beside) {
        // What a process of this id left behind long ago.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(beside)
}

/// Where the content is written before it takes its place: in the same directory, since a file
/// cannot be moved between file systems in one step.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("secret");
        probe(&path).expect("writable");
        assert!(!path.exists());
        fs::write(&path, "old").expect("written");
        write(&path, b"new").expect("written");

        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).expect("files").count(), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        assert!(probe(Path::new("/nonexistent/secret")).is_err());
        assert!(write(Path::new("/nonexistent/secret"), b"new").is_err());
    }
}
