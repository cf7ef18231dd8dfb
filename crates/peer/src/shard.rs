//! One OS thread a core.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{runtime, sync::oneshot, task::JoinHandle};

use crate::{clock::Clock, path::MediaPath};

/// A set of OS threads, each running a current-thread tokio runtime.
///
/// Dropping it ends the threads and every task on them.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    next: AtomicUsize,
    threads: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// One of these threads. A caller and everything of it lives on one shard.
#[derive(Debug, Clone)]
pub struct Shard {
    handle: runtime::Handle,
    index: usize,
    clock: Arc<Clock>,
}

impl Shards {
    /// Starts `count` threads, at least one.
    pub fn new(count: usize) -> io::Result<Self> {
        let mut shards = Vec::new();
        let mut threads = Vec::new();
        for index in 0..count.max(1) {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let handle = runtime.handle().clone();
            let (stop, stopped) = oneshot::channel::<()>();
            let thread = thread::Builder::new()
                .name(format!("shard-{index}"))
                .spawn(move || {
                    // Ends on the signal as well as when `Shards` is gone without one.
                    let _ = runtime.block_on(stopped);
                })?;
            threads.push(Running {
                stop: Some(stop),
                thread: Some(thread),
            });
            shards.push(Shard {
                handle,
                index,
                clock: Arc::default(),
            });
        }
        Ok(Self {
            shards: shards.into_iter().collect(),
            next: AtomicUsize::new(0),
            threads,
        })
    }

    /// The next shard, round robin.
    pub fn next(&self) -> Shard {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.shards[turn % self.shards.len()].clone()
    }

    /// How many threads there are.
    pub fn count(&self) -> usize {
        self.shards.len()
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        for running in &mut self.threads {
            drop(running.stop.take());
        }
        for running in &mut self.threads {
            let Some(thread) = running.thread.take() else {
                continue;
            };
            // A shard may itself hold the last reference; it cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Shard {
    /// The tokio runtime the calling task runs on, as a shard: for tests and one-shot commands.
    pub fn current() -> Self {
        Self {
            handle: runtime::Handle::current(),
            index: 0,
            clock: Arc::default(),
        }
    }

    /// Runs `future` on this thread.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// The runtime of this thread.
    pub fn handle(&self) -> &runtime::Handle {
        &self.handle
    }

    /// Ticks for a path from now on.
    pub(crate) fn tick(&self, path: &Arc<MediaPath>) {
        self.clock.add(path, &self.handle);
    }

    /// Which of its set it is, from 0.
    pub fn index(&self) -> usize {
        self.index
    }
}
