//! Where what comes in waits for whoever records it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use media::Kind;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::arrived::ArrivedFrame;

/// How many frames and reports may wait for the disk: some ten seconds of sound and picture.
///
/// When the queue is full, what comes is left out of the recording, and counted.
const QUEUE: usize = 1024;

/// Something to record, or to place what is recorded by.
#[derive(Debug)]
pub(crate) enum Recordable {
    /// A whole frame.
    Frame(ArrivedFrame),
    /// The sender related its streams' clocks.
    SenderReport {
        kind: Kind,
        ssrc: u32,
        ntp: u64,
        rtp_timestamp: u32,
    },
}

/// The queue of a recording. It is finished once all clones are gone.
#[derive(Debug, Clone)]
pub(crate) struct RecordingQueue {
    queue: mpsc::Sender<Recordable>,
    wants_key: Arc<AtomicBool>,
    when_full: &'static str,
    plays: bool,
}

impl RecordingQueue {
    /// Makes one, with what is to be said of whoever lets it become full.
    pub(crate) fn new(when_full: &'static str) -> (Self, mpsc::Receiver<Recordable>) {
        let (queue, taken) = mpsc::channel(QUEUE);
        let queue = Self {
            queue,
            wants_key: Arc::default(),
            when_full,
            plays: false,
        };
        (queue, taken)
    }

    /// Makes one for whoever plays sound, with a jitter buffer of its own: packets of sound come as
    /// they came, since by the time a missing one is given up it has long been made up for.
    pub(crate) fn playing(when_full: &'static str) -> (Self, mpsc::Receiver<Recordable>) {
        let (queue, taken) = Self::new(when_full);
        (
            Self {
                plays: true,
                ..queue
            },
            taken,
        )
    }

    /// Tells whether sound is to come as it came.
    pub(crate) fn plays(&self) -> bool {
        self.plays
    }

    /// Returns where whoever takes from it says that it wants a key frame.
    pub(crate) fn wants_key(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wants_key)
    }

    /// Returns what is to be said when it is full.
    pub(crate) fn when_full(&self) -> &'static str {
        self.when_full
    }

    /// Hands a frame over; says whether there was room.
    pub(crate) fn frame(&self, arrived: &ArrivedFrame) -> bool {
        self.put(Recordable::Frame(arrived.clone()))
    }

    /// Passes on how a sender's clocks relate; says whether there was room.
    pub(crate) fn sender_report(
        &self,
        kind: Kind,
        ssrc: u32,
        ntp: u64,
        rtp_timestamp: u32,
    ) -> bool {
        self.put(Recordable::SenderReport {
            kind,
            ssrc,
            ntp,
            rtp_timestamp,
        })
    }

    /// Tells whether the recording goes on with the next key frame.
    pub(crate) fn wants_key_frame(&self) -> bool {
        self.wants_key.load(Ordering::Relaxed)
    }

    fn put(&self, recordable: Recordable) -> bool {
        // A recording that has ended has said so itself.
        !matches!(self.queue.try_send(recordable), Err(TrySendError::Full(_)))
    }
}
