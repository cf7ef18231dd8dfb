//! The node's end of one event stream.

use std::time::{Duration, Instant};

use bytes::Bytes;
use infinity::ParticipantUuid;
use tokio::sync::mpsc;

use super::event_stream::Rendered;

/// So many events may wait for one client to read them. When it is full the stream is ended: the
/// client comes back and gets the whole roster, which is less than what it missed.
pub(super) const EVENTS_WAITING: usize = 1024;

/// The node's end of one event stream.
pub(super) struct Listener {
    pub(super) who: ParticipantUuid,
    sender: mpsc::Sender<Bytes>,
    opened: Instant,
    sent: u64,
    last: Option<(&'static str, Instant)>,
}

/// How an event stream stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenerOverview {
    pub(super) open_for: Duration,
    /// Events sent on it, those of the first roster aside.
    pub(super) sent: u64,
    /// Events that its client has not read yet.
    pub(super) waiting: usize,
    /// The last event sent on it, and how long ago.
    pub(super) last: Option<(&'static str, Duration)>,
}

impl Listener {
    /// Opens a stream; what is sent comes out of the receiver.
    pub(super) fn open(who: ParticipantUuid, now: Instant) -> (Self, mpsc::Receiver<Bytes>) {
        let (sender, receiver) = mpsc::channel(EVENTS_WAITING);
        let listener = Self {
            who,
            sender,
            opened: now,
            sent: 0,
            last: None,
        };
        (listener, receiver)
    }

    /// Sends an event. Returns `false` when the client reads too slowly, or has gone.
    pub(super) fn send(&mut self, now: Instant, event: &Rendered) -> bool {
        if self.sender.try_send(event.text.clone()).is_err() {
            return false;
        }
        self.sent += 1;
        self.last = Some((event.name, now));
        true
    }

    pub(super) fn overview(&self, now: Instant) -> ListenerOverview {
        ListenerOverview {
            open_for: now.saturating_duration_since(self.opened),
            sent: self.sent,
            waiting: EVENTS_WAITING - self.sender.capacity(),
            last: self
                .last
                .map(|(name, at)| (name, now.saturating_duration_since(at))),
        }
    }
}
