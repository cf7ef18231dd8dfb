//! A caller that decodes what it receives.

use std::thread;
use std::time::Instant;

use driver::FrameQueue;
use media::{Kind, MediaError};
use tokio::sync::mpsc;
use tracing::warn;

use super::hearing::Hearing;
use super::sight::Sight;
use super::{Spoken, is_voice};
use crate::Counter;
use crate::ledger::Ledger;

/// How many frames may wait to be decoded: some five seconds. More are left out, and that is said.
const QUEUE: usize = 512;

/// How often what was decoded is summed up.
pub(super) const SPAN: std::time::Duration = std::time::Duration::from_secs(2);

/// How much later something is heard than its frame was due at the sender, besides all that happens
/// on the way: a live caller sends a packet of sound when its last sample was spoken, and the encoder
/// looks ahead (RFC 6716 §2). A file is sent as if it had been spoken before.
pub(super) const BEFORE_SENDING: std::time::Duration = std::time::Duration::from_micros(26_500);

/// What a caller who decodes has in common with its hearing and its sight: where it is, who speaks
/// there, and where results go.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) ledger: Ledger,
    pub(super) spoken: Spoken,
    pub(super) conference: usize,
}

impl Place {
    /// Returns when a mark that was found had been sent. One that nobody sent is counted as stray,
    /// one of another process is nobody's business.
    pub(super) fn moment(
        &self,
        kind: Kind,
        voice: usize,
        count: u32,
        found: Instant,
    ) -> Option<Instant> {
        let utterances = self.spoken.of(self.conference, voice)?;
        let moment = utterances.moment(kind, count, found);
        let counter = match (moment, kind) {
            (None, _) => Counter::MarksStray,
            (Some(_), Kind::Audio) => Counter::MarksHeard,
            (Some(_), Kind::Video) => Counter::MarksSeen,
        };
        self.ledger.count(counter, 1, found);
        moment
    }
}

/// Decodes on a thread of its own, so that no caller waits for it.
#[derive(Debug)]
pub(crate) struct Senses;

impl Senses {
    /// Begins to decode for a caller in this conference. Ends when all clones of the queue are gone.
    ///
    /// # Errors
    /// When there is no decoder or no thread.
    pub(crate) fn begin(
        ledger: Ledger,
        spoken: Spoken,
        conference: usize,
        voices: usize,
    ) -> Result<FrameQueue, MediaError> {
        let place = Place {
            ledger,
            spoken,
            conference,
        };
        let voices = (0..voices).filter(|voice| is_voice(*voice)).count();
        let (mut hearing, mut sight) = (Hearing::new(voices)?, Sight::new()?);
        let (queue, mut frames) = mpsc::channel::<driver::ArrivedFrame>(QUEUE);
        let decoding = thread::Builder::new().name("decode".to_owned());
        let started = decoding.spawn(move || {
            while let Some(arrived) = frames.blocking_recv() {
                match arrived.kind {
                    Kind::Audio => hearing.take(&arrived, &place, &sight),
                    Kind::Video => sight.take(&arrived, &place),
                }
            }
        });
        if let Err(error) = started {
            warn!(%error, "no thread to decode on: nothing is said about what this caller received");
        }
        Ok(queue)
    }
}
