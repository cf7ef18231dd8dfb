//! Writes what is heard and seen into a WebM file, on a thread where the disk may be slow.

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
    writing: JoinHandle<Result<(), MediaError>>,
}

impl Recording {
    /// Begins a recording; its time zero is `start`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(crate) fn begin(
        runtime: &Handle,
        path: &Path,
        audio: Option<Codec>,
        video: Option<Codec>,
        start: Instant,
    ) -> Result<Self, MediaError> {
        let mut recorder = Recorder::create(path, audio, video)?;
        let (queue, mut frames) = mpsc::channel(QUEUE);
        let writing = runtime.spawn_blocking(move || {
            let mut placement = Placement::new(start);
            while let Some(recordable) = frames.blocking_recv() {
                write(&mut recorder, &mut placement, &recordable)?;
            }
            recorder.finish().map(drop)
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
    /// When something could not be written; what was written until then stays.
    pub(crate) async fn finish(self) -> Result<(), String> {
        drop(self.queue);
        match self.writing.await {
            Ok(written) => written.map_err(|error| error.to_string()),
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
    fn each_join_has_a_file_of_its_own() {
        let path = Path::new("/tmp/room.webm");
        assert_eq!(file_of_join(path, 1), path);
        assert_eq!(file_of_join(path, 2), Path::new("/tmp/room-2.webm"));
        assert_eq!(file_of_join(Path::new("room"), 3), Path::new("room-3"));
    }
}
