//! Whole frames on their way to whoever decodes them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use media::{Frame, Kind};
use tokio::sync::mpsc;

use crate::recording::RecordingQueue;

/// A frame that came in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ArrivedFrame {
    /// Sound or picture.
    pub kind: Kind,
    /// The stream it belongs to.
    pub ssrc: u32,
    /// Its RTP timestamp.
    pub rtp_timestamp: u32,
    /// When all of it was there: the arrival of its packet for sound; for a picture, the moment from
    /// which it could be decoded.
    pub arrival: Instant,
    /// The frame.
    pub frame: Arc<Frame>,
}

/// Where frames go. Bounded; who finds it full leaves the frame out.
pub type FrameQueue = mpsc::Sender<ArrivedFrame>;

/// Somebody who takes frames.
#[derive(Debug, Clone)]
pub(crate) enum Taker {
    Recording(RecordingQueue),
    Frames(FrameQueue),
}

impl Taker {
    /// Hands it over; says whether there was room. Who takes nothing any more has ended, and says
    /// so itself.
    pub(crate) fn take(&self, arrived: &ArrivedFrame) -> bool {
        match self {
            Self::Recording(queue) => queue.frame(arrived),
            Self::Frames(queue) => !is_full(queue.try_send(arrived.clone())),
        }
    }

    /// Passes on how the sender's clocks relate, to whom it matters.
    pub(crate) fn sender_report(
        &self,
        kind: Kind,
        ssrc: u32,
        ntp: u64,
        rtp_timestamp: u32,
    ) -> bool {
        match self {
            Self::Recording(queue) => queue.sender_report(kind, ssrc, ntp, rtp_timestamp),
            Self::Frames(_) => true,
        }
    }

    /// Tells whether it puts packets of sound in order itself.
    pub(crate) fn plays(&self) -> bool {
        match self {
            Self::Recording(queue) => queue.plays(),
            Self::Frames(_) => false,
        }
    }

    /// Returns what is to be said when it has no room.
    pub(crate) fn when_full(&self) -> &'static str {
        match self {
            Self::Recording(queue) => queue.when_full(),
            Self::Frames(_) => "decoding is too slow for what comes in",
        }
    }

    /// Tells whether it goes on with the next key frame alone.
    pub(crate) fn wants_key_frame(&self) -> bool {
        match self {
            Self::Recording(queue) => queue.wants_key_frame(),
            Self::Frames(_) => false,
        }
    }
}

fn is_full<T>(sent: Result<(), mpsc::error::TrySendError<T>>) -> bool {
    matches!(sent, Err(mpsc::error::TrySendError::Full(_)))
}

/// When the latest packets came, by their timestamps.
///
/// A frame of sound is one packet, and while a lost one is waited for, the next ones wait too: they
/// were there all the same.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(VecDeque<(u32, Instant)>);

impl Arrivals {
    /// As many packets as may wait for a lost one, and more.
    const KEPT: usize = 64;

    pub(crate) fn note(&mut self, rtp_timestamp: u32, at: Instant) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back((rtp_timestamp, at));
    }

    pub(crate) fn of(&self, rtp_timestamp: u32) -> Option<Instant> {
        let found = self
            .0
            .iter()
            .rev()
            .find(|(known, _)| *known == rtp_timestamp);
        found.map(|(_, at)| *at)
    }
}
