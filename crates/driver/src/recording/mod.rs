//! Writes what is heard and seen to files, on a thread where the disk may be slow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use media::{RecordNews, Recorder};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

mod feed;
mod queue;

pub(crate) use feed::{Feed, Lane};
pub(crate) use queue::{Recordable, RecordingQueue};

/// A recording that is being written.
#[derive(Debug)]
pub(crate) struct Recording {
    queue: RecordingQueue,
    writing: JoinHandle<Result<(), String>>,
}

impl Recording {
    /// Begins a recording; its time zero is `start`. What happens to it is told to `tell`.
    pub(crate) fn begin(
        runtime: &Handle,
        recorder: Recorder,
        start: Instant,
        tell: impl Fn(RecordNews) + Send + 'static,
    ) -> Self {
        let (queue, frames) = RecordingQueue::new("the disk is too slow for the recording");
        let wants_key = queue.wants_key();
        let writing =
            runtime.spawn_blocking(move || write(recorder, start, frames, &wants_key, &tell));
        Self { queue, writing }
    }

    /// Returns where to put what is to be recorded.
    pub(crate) fn queue(&self) -> RecordingQueue {
        self.queue.clone()
    }

    /// Completes the file; waits until nobody holds the queue any more.
    ///
    /// # Errors
    /// When something could not be written, now or before.
    pub(crate) async fn finish(self) -> Result<(), String> {
        drop(self.queue);
        match self.writing.await {
            Ok(written) => written,
            Err(error) => Err(error.to_string()),
        }
    }
}

fn write(
    recorder: Recorder,
    start: Instant,
    mut frames: mpsc::Receiver<Recordable>,
    wants_key: &AtomicBool,
    tell: &impl Fn(RecordNews),
) -> Result<(), String> {
    let mut feed = Feed::new(recorder, start);
    while let Some(recordable) = frames.blocking_recv() {
        let news = feed.take(recordable);
        wants_key.store(feed.wants_key_frame(), Ordering::Relaxed);
        news.into_iter().for_each(tell);
    }
    let (news, finished) = feed.finish();
    news.into_iter().for_each(tell);
    finished.map_err(|error| format!("the recording is not complete: {error}"))
}
