//! Writes what is heard and seen into a WebM file, on a thread where the disk may be slow.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use media::{Codec, Frame, Kind, MediaError, Recorder};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::placement::Placement;

/// How many frames and reports may wait for the disk: some ten seconds of sound and picture.
///
/// When the queue is full, what comes is left out of the recording, and counted.
const QUEUE: usize = 1024;

/// Something to record, or to place what is recorded by.
#[derive(Debug)]
pub(crate) enum Recordable {
    /// A whole frame.
    Frame {
        kind: Kind,
        ssrc: u32,
        rtp_timestamp: u32,
        arrival: Instant,
        frame: Arc<Frame>,
    },
    /// The sender related its streams' clocks.
    SenderReport {
        kind: Kind,
        ntp: u64,
        rtp_timestamp: u32,
    },
}

/// The queue of a recording. It is finished once all clones are gone.
pub(crate) type RecordingQueue = mpsc::Sender<Recordable>;

/// A recording that is being written.
#[derive(Debug)]
pub(crate) struct Recording {
    queue: RecordingQueue,
    writing: JoinHandle<Result<(), String>>,
}

impl Recording {
    /// Begins a recording; its time zero is `start`. Where it cannot go on, `failed` is called, with
    /// words for a person, and what was written until then is set aside under another name.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(crate) fn begin(
        runtime: &Handle,
        path: &Path,
        audio: Option<Codec>,
        video: Option<Codec>,
        start: Instant,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, MediaError> {
        let mut recorder = Recorder::create(path, audio, video)?;
        let (queue, mut frames) = mpsc::channel(QUEUE);
        let path = path.to_owned();
        let writing = runtime.spawn_blocking(move || {
            let mut placement = Placement::new(start);
            let mut written = Ok(());
            while written.is_ok()
                && let Some(recordable) = frames.blocking_recv()
            {
                written = write(&mut recorder, &mut placement, &recordable);
            }
            // In any case, so that what is set aside can be played as far as it goes.
            let finished = recorder.finish().map(drop);
            written.and(finished).map_err(|error| {
                let why = format!("the recording is not complete: {error}{}", set_aside(&path));
                failed(why.clone());
                why
            })
        });
        Ok(Self { queue, writing })
    }

    /// Returns where to put what is to be recorded.
    pub(crate) fn queue(&self) -> RecordingQueue {
        self.queue.clone()
    }

    /// Completes the file; waits until nobody holds the queue any more.
    ///
    /// # Errors
    /// When something could not be written; `failed` has been told the same.
    pub(crate) async fn finish(self) -> Result<(), String> {
        drop(self.queue);
        match self.writing.await {
            Ok(written) => written,
            Err(error) => Err(error.to_string()),
        }
    }
}

fn write(
    recorder: &mut Recorder,
    placement: &mut Placement,
    recordable: &Recordable,
) -> Result<(), MediaError> {
    match recordable {
        Recordable::SenderReport {
            kind,
            ntp,
            rtp_timestamp,
        } => {
            placement.sender_report(lane(*kind), *ntp, *rtp_timestamp);
            Ok(())
        }
        Recordable::Frame {
            kind,
            ssrc,
            rtp_timestamp,
            arrival,
            frame,
        } => {
            let lane = lane(*kind);
            placement.arrived(
                lane,
                *ssrc,
                frame.codec.clock_rate(),
                *rtp_timestamp,
                *arrival,
            );
            match placement.place(lane, *rtp_timestamp) {
                Some(at) => recorder.write(*kind, at, frame),
                None => Ok(()),
            }
        }
    }
}

fn lane(kind: Kind) -> usize {
    match kind {
        Kind::Audio => 0,
        Kind::Video => 1,
    }
}

/// Gives what there is of a recording a name that nobody takes for the whole of it. Returns what is
/// to be said about that.
fn set_aside(path: &Path) -> String {
    // A pipe or a device keeps its name.
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
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

/// Returns the file of the `n`th join, counted from 1: each has one of its own.
pub(crate) fn file_of_join(path: &Path, n: u32) -> PathBuf {
    if n <= 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path
        .extension()
        .map(|e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem}-{n}{}", extension.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_incomplete_does_not_keep_the_name_of_the_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("room.webm");
        assert_eq!(set_aside(&path), "", "there is nothing yet");
        fs::write(&path, "half").expect("written");
        let said = set_aside(&path);
        assert!(said.ends_with("room.webm.incomplete"), "{said}");
        assert!(!path.exists() && path.with_extension("webm.incomplete").exists());
        assert_eq!(set_aside(Path::new("/dev/full")), "", "a device stays");
    }

    #[test]
    fn each_join_has_a_file_of_its_own() {
        let path = Path::new("/tmp/room.webm");
        assert_eq!(file_of_join(path, 1), path);
        assert_eq!(file_of_join(path, 2), Path::new("/tmp/room-2.webm"));
        assert_eq!(file_of_join(Path::new("room"), 3), Path::new("room-3"));
    }
}
