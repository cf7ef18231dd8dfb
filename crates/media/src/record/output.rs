//! Where the bytes of a recording go: a file that is whole after every step, or a pipe.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How much of a recording a loss of power may take, beside what is not yet written.
const SYNC: Duration = Duration::from_secs(1);

/// Takes the bytes of one part of a recording.
///
/// What is appended is there whole or not at all: what a full disk has cut off is taken back, so
/// that the file ends where the last step ended.
pub(super) struct Output {
    to: Target,
    length: u64,
    synced: Instant,
}

enum Target {
    File(File),
    /// A pipe or a device, in which nothing can be changed afterwards.
    Stream(Box<dyn Write + Send>),
}

impl Output {
    /// Creates a file, or opens a pipe or device.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).open(path)?;
        let to = if file.metadata()?.is_file() {
            Target::File(file)
        } else {
            Target::Stream(Box::new(file))
        };
        Ok(Self::to(to))
    }

    /// Writes to a pipe.
    pub(super) fn stream(stream: Box<dyn Write + Send>) -> Self {
        Self::to(Target::Stream(stream))
    }

    fn to(to: Target) -> Self {
        Self {
            to,
            length: 0,
            synced: Instant::now(),
        }
    }

    /// Returns how many bytes there are.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Tells whether bytes can be changed once they are written.
    pub(super) fn can_patch(&self) -> bool {
        matches!(self.to, Target::File(_))
    }

    /// Adds bytes at the end: all of them, or none.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = match &mut self.to {
            Target::Stream(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Target::File(file) => {
                let written = file.write_all(bytes);
                if written.is_err() {
                    // Whatever else is wrong, the first error is the one to tell.
                    let _ = file.set_len(self.length);
                    let _ = file.seek(SeekFrom::Start(self.length));
                }
                written
            }
        };
        written?;
        self.length += bytes.len() as u64;
        self.sync()
    }

    /// Changes bytes that are there already; nothing where that is not possible.
    pub(super) fn patch(&mut self, position: u64, bytes: &[u8]) -> io::Result<()> {
        if let Target::File(file) = &mut self.to {
            file.seek(SeekFrom::Start(position))?;
            file.write_all(bytes)?;
            file.seek(SeekFrom::Start(self.length))?;
        }
        Ok(())
    }

    /// Has the disk keep all of it.
    pub(super) fn close(self) -> io::Result<()> {
        match self.to {
            Target::File(file) => file.sync_data(),
            Target::Stream(mut stream) => stream.flush(),
        }
    }

    /// Has the disk keep what there is, once in a while.
    fn sync(&mut self) -> io::Result<()> {
        if let Target::File(file) = &self.to
            && self.synced.elapsed() >= SYNC
        {
            file.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

/// Finds out whether a file can be written, and leaves everything as it was.
pub(super) fn probe(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // A pipe without a reader would make us wait.
            if std::fs::metadata(path)?.is_file() {
                OpenOptions::new().write(true).open(path).map(drop)
            } else {
                Ok(())
            }
        }
        Err(error) => Err(error),
    }
}
