//! Waking a peer's driver because there is something to send.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// Wakes the driver out of its sleep. Any number of nudges before it wakes count as one.
#[derive(Debug, Default)]
pub(crate) struct Nudge {
    pending: AtomicBool,
    driver: AtomicWaker,
}

impl Nudge {
    /// Wakes the driver; from any thread.
    pub(crate) fn nudge(&self) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.driver.wake();
        }
    }

    /// Ready once somebody has nudged since the last time it was ready.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        // The usual case first, and without a lock; then register, and look again.
        if self.pending.swap(false, Ordering::AcqRel) {
            return Poll::Ready(());
        }
        self.driver.register(cx.waker());
        if self.pending.swap(false, Ordering::AcqRel) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
