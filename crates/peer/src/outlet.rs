//! The way out: from senders, on any thread, to the peer's driver.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use rtc::interceptor::Packet;

use crate::nudge::Nudge;

/// About two seconds of video; what does not fit is discarded, as late media is worth nothing.
const CAPACITY: usize = 512;

/// Packets on their way out. One lock and one wake a frame, however many packets it has.
#[derive(Debug)]
pub(crate) struct Outlet {
    queue: Mutex<Vec<(Instant, Packet)>>,
    waiting: AtomicBool,
    open: AtomicBool,
    nudge: Arc<Nudge>,
    discarded: AtomicU64,
}

impl Outlet {
    /// An outlet that is shut until the connection is there.
    pub(crate) fn new(nudge: Arc<Nudge>) -> Self {
        Self {
            queue: Mutex::default(),
            waiting: AtomicBool::new(false),
            open: AtomicBool::new(false),
            nudge,
            discarded: AtomicU64::new(0),
        }
    }

    /// Whether packets are taken.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Takes packets from now on, or no more.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
        if !open {
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }

    /// Puts packets in, all or none, and wakes the driver.
    pub(crate) fn push(&self, packets: impl ExactSizeIterator<Item = Packet>) -> bool {
        let count = packets.len();
        let now = Instant::now();
        {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.is_open() || queue.len() + count > CAPACITY {
                self.discarded.fetch_add(count as u64, Ordering::Relaxed);
                return false;
            }
            queue.extend(packets.map(|packet| (now, packet)));
        }
        self.waiting.store(true, Ordering::Release);
        self.nudge.nudge();
        true
    }

    /// Moves everything that waits to `taken`.
    pub(crate) fn take(&self, taken: &mut Vec<(Instant, Packet)>) {
        if self.waiting.swap(false, Ordering::AcqRel) {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if taken.is_empty() {
                std::mem::swap(&mut *queue, taken);
            } else {
                taken.append(&mut queue);
            }
        }
    }

    /// Counts packets that were not even put in.
    pub(crate) fn discard(&self, count: usize) {
        self.discarded.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Packets thrown away so far.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }
}
