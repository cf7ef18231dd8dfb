//! Where what is heard and seen goes, beside files: programs, loudspeakers, nowhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::Codec;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::recording::RecordingQueue;

mod program;
pub(crate) mod sound;
mod speaker;
mod spec;

use program::{Process, Work};
pub use spec::{Form, SinkSpec};

/// How long a program may take to end by itself once it has got everything.
const PATIENCE: Duration = Duration::from_secs(2);

/// What happened to a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkNews {
    /// It takes what comes.
    Began,
    /// It takes nothing any more; in words for a person.
    Ended(String),
    /// It is begun again after this pause.
    Restarting(Duration),
}

/// A sink at work.
#[derive(Debug)]
pub(crate) struct Sink {
    queue: RecordingQueue,
    process: Arc<Process>,
    working: JoinHandle<()>,
}

impl Sink {
    /// Begins to pass on what comes in over a call, which began at `start`.
    pub(crate) fn begin(
        runtime: &Handle,
        spec: &SinkSpec,
        codecs: [Option<Codec>; 2],
        start: Instant,
        tell: impl Fn(SinkNews) + Send + 'static,
    ) -> Self {
        let when_full = "a sink is too slow for what comes in";
        let (queue, mut taken) = if spec.plays() {
            RecordingQueue::playing(when_full)
        } else {
            RecordingQueue::new(when_full)
        };
        let process = Arc::new(Process::default());
        let working = match spec.clone() {
            SinkSpec::Null => {
                runtime.spawn_blocking(move || while taken.blocking_recv().is_some() {})
            }
            SinkSpec::Speaker { device } => {
                runtime.spawn_blocking(move || speaker::run(device.as_deref(), taken, &tell))
            }
            SinkSpec::Program {
                command,
                form,
                restart,
            } => {
                let work = Work {
                    command,
                    form,
                    restart,
                    codecs,
                    start,
                    process: Arc::clone(&process),
                    wants_key: queue.wants_key(),
                };
                runtime.spawn_blocking(move || work.run(taken, &tell))
            }
        };
        Self {
            queue,
            process,
            working,
        }
    }

    /// Returns where to put what is to be passed on.
    pub(crate) fn queue(&self) -> RecordingQueue {
        self.queue.clone()
    }

    /// Ends it; waits until it has ended, which it does in any case.
    pub(crate) async fn finish(self) {
        let Self {
            queue,
            process,
            mut working,
        } = self;
        drop(queue);
        for kill in [Process::terminate, Process::kill] {
            if tokio::time::timeout(PATIENCE, &mut working).await.is_ok() {
                return;
            }
            kill(&process);
        }
        if tokio::time::timeout(PATIENCE, working).await.is_err() {
            warn!("a sink does not end");
        }
    }
}
