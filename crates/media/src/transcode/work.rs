//! The thread that makes promised frames.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use super::Shared;
use super::decoding::Decoding;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::picture::Picture;
use crate::video::{Encoded, VideoEncoder, VideoSettings};

/// How far ahead of whoever plays frames are made.
pub(super) const AHEAD: Duration = Duration::from_secs(10);

/// How far ahead of whoever came too early the work goes on, so that it is not late again at once.
const LEAP: Duration = Duration::from_secs(1);

/// How often the thread looks at what is wanted where nobody wakes it.
const REST: Duration = Duration::from_secs(1);

/// How often what is made may come too late before less is made.
const PATIENCE: u32 = 2;

pub(super) struct Work {
    shared: Arc<Shared>,
    encoder: Option<VideoEncoder>,
    settings: VideoSettings,
    /// The frame worked on last.
    last: Option<usize>,
    /// Frames whose pictures are inside the encoder.
    inside: VecDeque<usize>,
    /// How often frames came too late since less was made.
    late: u32,
    /// Frames that are too late already, and were given up for this time.
    given_up: Range<usize>,
    /// Of so many planned pictures, one is made.
    stride: usize,
}

impl Drop for Work {
    /// However it ends, nobody waits for what is not made.
    fn drop(&mut self) {
        for number in 0..self.shared.plan.len() {
            self.settle(number, None);
        }
    }
}

impl Work {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            settings: shared.settings,
            shared,
            encoder: None,
            last: None,
            inside: VecDeque::new(),
            late: 0,
            given_up: 0..0,
            stride: 1,
        }
    }

    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        if let Err(error) = self.make_all(&shared) {
            let path = shared.film.path.display();
            tracing::error!(%error, "{path}: transcoding ends; what is missing is left out");
            let _ = shared.trouble.set(error.to_string());
        }
    }

    fn make_all(&mut self, shared: &Shared) -> Result<(), MediaError> {
        let mut decoding = Decoding::new(&shared.film)?;
        let mut held: Option<(Duration, Picture)> = None;
        loop {
            if shared.stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            if shared.missed.swap(false, Ordering::Relaxed) {
                self.come_late(shared.wanted.load(Ordering::Relaxed));
            }
            let Some(number) = self.next() else {
                self.flush()?;
                return Ok(());
            };
            if self.is_far_ahead(number) {
                thread::park_timeout(REST);
                continue;
            }
            let wanted = shared.plan[number].shown;
            if self.last.is_none_or(|last| last + 1 != number) {
                // Something else is decoded next, and a decoder at the far end begins anew.
                self.flush()?;
                if held.as_ref().is_none_or(|(shown, _)| *shown > wanted) {
                    held = None;
                    decoding.go_to(wanted)?;
                }
            }
            self.last = Some(number);
            let found = loop {
                match held.take().or_else(|| decoding.next()) {
                    Some((shown, _)) if shown < wanted => {}
                    Some((shown, picture)) if shown == wanted => break Some(picture),
                    later => {
                        held = later;
                        break None;
                    }
                }
            };
            match found {
                Some(picture) if self.is_made(number) => self.make(number, picture)?,
                _ => self.settle(number, None),
            }
        }
    }

    /// Returns the frame to be made next: the first one that is missing from what was asked for last
    /// on, and around.
    fn next(&self) -> Option<usize> {
        let count = self.shared.plan.len();
        let wanted = self.shared.wanted.load(Ordering::Relaxed).min(count - 1);
        let begin = match self.given_up.contains(&wanted) {
            true => self.given_up.end % count,
            false => wanted,
        };
        let is_missing = |number: &usize| {
            self.shared.made[*number].get().is_none() && !self.inside.contains(number)
        };
        (begin..count).chain(0..begin).find(is_missing)
    }

    /// Tells whether `number` is played so much later that it need not be made yet.
    fn is_far_ahead(&self, number: usize) -> bool {
        let plan = &self.shared.plan;
        let wanted = self.shared.wanted.load(Ordering::Relaxed);
        let (from, to) = (plan[wanted.min(plan.len() - 1)].shown, plan[number].shown);
        let ahead = match to.checked_sub(from) {
            Some(ahead) => ahead,
            None => (self.shared.film.duration + to).saturating_sub(from),
        };
        ahead > AHEAD
    }

    /// Tells whether `number` is among those that are made: all, unless that takes too long.
    fn is_made(&self, number: usize) -> bool {
        number.is_multiple_of(self.stride) || self.shared.plan[number].is_key
    }

    /// Takes note that `number` was not there in time. What is due right after it would be late as
    /// well; the work goes on behind that.
    fn come_late(&mut self, number: usize) {
        if self.given_up.contains(&number) {
            return;
        }
        let plan = &self.shared.plan;
        let number = number.min(plan.len() - 1);
        let time = plan[number].shown + LEAP;
        self.given_up = number..plan.partition_point(|planned| planned.shown < time);
        self.late += 1;
        if self.late < PATIENCE {
            return;
        }
        self.late = 0;
        let shared = &self.shared;
        if self.stride == 1 {
            tracing::warn!(
                "{}: encoding it as {} takes longer than playing it: every second picture is left out; \
                 choose a smaller picture, or convert the file before",
                shared.film.path.display(),
                shared.codec
            );
            self.stride = 2;
        } else if self.settings.width.min(self.settings.height) >= 160 {
            let half = |side: usize| side / 4 * 2;
            self.settings.width = half(self.settings.width);
            self.settings.height = half(self.settings.height);
            self.settings.bit_rate = (self.settings.bit_rate / 2).max(100_000);
            // The next encoder is smaller.
            self.last = None;
        }
    }

    fn make(&mut self, number: usize, mut picture: Picture) -> Result<(), MediaError> {
        let shown = self.shared.plan[number].shown;
        let (width, height) = (self.settings.width, self.settings.height);
        if (picture.width(), picture.height()) != (width, height) {
            picture = picture.scaled(width, height);
        }
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            // It begins with a key frame.
            none => none.insert(VideoEncoder::new(self.shared.codec, self.settings)?),
        };
        self.inside.push_back(number);
        // An encoder that holds pictures back makes the frame of the oldest one now.
        let (held, oldest) = (encoder.held(), self.inside[0]);
        let is_key = self.inside.len() as u64 > held && self.shared.plan[oldest].is_key;
        let encoded = encoder.encode(&picture, shown, is_key)?;
        let is_left_out = encoded.is_empty() && held == 0;
        self.keep(encoded)?;
        if is_left_out {
            self.settle(number, None);
        }
        Ok(())
    }

    /// Has the encoder give what is inside; the next frame is a key frame of a new one.
    fn flush(&mut self) -> Result<(), MediaError> {
        if let Some(encoder) = self.encoder.take() {
            let rest = encoder.finish()?;
            self.keep(rest)?;
            for number in std::mem::take(&mut self.inside) {
                self.settle(number, None);
            }
        }
        self.last = None;
        Ok(())
    }

    fn keep(&mut self, encoded: Vec<Encoded>) -> Result<(), MediaError> {
        for encoded in encoded {
            let plan = &self.shared.plan;
            let found = plan.binary_search_by_key(&encoded.media_time, |planned| planned.shown);
            if let Ok(number) = found {
                let frame = encoded.packetize(self.shared.codec, plan[number].duration)?;
                self.settle(number, Some(frame));
            }
        }
        Ok(())
    }

    /// Says what became of a frame, unless that is known.
    fn settle(&mut self, number: usize, frame: Option<Frame>) {
        self.inside.retain(|inside| *inside != number);
        if self.shared.made[number].set(frame.map(Arc::new)).is_ok() {
            let mut made = self
                .shared
                .progress
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *made += 1;
            self.shared.progressed.notify_all();
        }
    }
}
