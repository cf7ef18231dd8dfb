//! Where a peer's events go.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::PeerEvent;

/// What may wait for whoever reads a peer's events.
const EVENT_CAPACITY: usize = 256;
/// Of these, what is kept free for events that do not repeat.
const EVENT_RESERVE: usize = 128;

/// Where a peer's events go.
#[derive(Debug, Clone)]
pub(crate) struct EventSink(Arc<Mutex<Option<mpsc::Sender<PeerEvent>>>>);

impl EventSink {
    /// A sink and the channel it fills.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<PeerEvent>) {
        let (sender, receiver) = mpsc::channel(EVENT_CAPACITY);
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    /// Reports something that happens once.
    pub(crate) fn send(&self, event: PeerEvent) {
        if let Some(sender) = &*self.lock()
            && let Err(mpsc::error::TrySendError::Full(event)) = sender.try_send(event)
        {
            tracing::warn!(?event, "nobody reads this peer's events; one is lost");
        }
    }

    /// Reports something that will be reported again; dropped when the reader is slow.
    pub(crate) fn send_repeating(&self, event: PeerEvent) {
        if let Some(sender) = &*self.lock()
            && sender.capacity() > EVENT_RESERVE
        {
            let _ = sender.try_send(event);
        }
    }

    /// Ends the channel.
    pub(crate) fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<PeerEvent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
