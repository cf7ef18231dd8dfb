//! What a caller sees: decoded, with its marks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use driver::ArrivedFrame;
use media::marks::{VOICES, read_mark};
use media::{Codec, Kind, MediaError, Picture, VideoDecoder};

use super::senses::{Place, SPAN};
use crate::{Counter, metric};

/// How long pictures speak for the sound that comes beside them.
const BESIDE: Duration = Duration::from_secs(1);

/// Luma that varies less than this (standard deviation, of 255) is one colour.
const ONE_COLOUR: f64 = 3.0;

/// The eyes of one caller.
#[derive(Debug)]
pub(super) struct Sight {
    decoder: VideoDecoder,
    /// How long the latest marked pictures of each voice were under way, and when they came.
    delays: [VecDeque<(Instant, Duration)>; VOICES],
    /// Pictures decoded since the last sum, how many of one colour, and when it was.
    seen: u32,
    blank: u32,
    summed: Option<Instant>,
}

impl Sight {
    pub(super) fn new() -> Result<Self, MediaError> {
        Ok(Self {
            decoder: VideoDecoder::new(Codec::Vp8)?,
            delays: Default::default(),
            seen: 0,
            blank: 0,
            summed: None,
        })
    }

    /// Takes in a frame.
    pub(super) fn take(&mut self, arrived: &ArrivedFrame, place: &Place) {
        let now = arrived.arrival;
        let decoded = arrived
            .frame
            .encoded()
            .ok()
            .and_then(|encoded| self.decoder.decode(&encoded).ok());
        match decoded {
            Some(Some(picture)) => {
                self.seen += 1;
                self.blank += u32::from(is_one_colour(&picture));
                if let Some(mark) = read_mark(&picture) {
                    self.mark(mark.voice, mark.count, now, place);
                }
            }
            // Not meant to be shown.
            Some(None) => {}
            None => place.ledger.count(Counter::DecodeErrors, 1, now),
        }
        self.sum_up(now, place);
    }

    fn mark(&mut self, voice: usize, count: u32, now: Instant, place: &Place) {
        let Some(sent) = place.moment(Kind::Video, voice, count, now) else {
            return;
        };
        let delay = now.saturating_duration_since(sent);
        place.ledger.record_time(&metric::VIDEO_DELAY, delay, now);
        // A voice whose mark was read is one of those there are.
        let delays = &mut self.delays[voice % VOICES];
        while delays
            .front()
            .is_some_and(|(came, _)| now.saturating_duration_since(*came) > BESIDE)
        {
            delays.pop_front();
        }
        delays.push_back((now, delay));
    }

    /// Returns how long pictures of a voice were under way around `now`: their median.
    pub(super) fn delay(&self, voice: usize, now: Instant) -> Option<Duration> {
        let beside = self.delays[voice % VOICES]
            .iter()
            .filter(|(came, _)| now.saturating_duration_since(*came) <= BESIDE);
        let mut delays: Vec<_> = beside.map(|(_, delay)| *delay).collect();
        delays.sort();
        delays.get(delays.len() / 2).copied()
    }

    fn sum_up(&mut self, now: Instant, place: &Place) {
        let since = *self.summed.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < SPAN {
            return;
        }
        self.summed = Some(now);
        let (seen, blank) = (
            std::mem::take(&mut self.seen),
            std::mem::take(&mut self.blank),
        );
        let rate = f64::from(seen) / elapsed.as_secs_f64();
        place.ledger.record(&metric::VIDEO_DECODED_FPS, rate, now);
        if seen > 0 {
            let share = f64::from(blank) / f64::from(seen);
            place.ledger.record(&metric::VIDEO_BLANK, share, now);
        }
    }
}

fn is_one_colour(picture: &Picture) -> bool {
    // Some thousand pixels tell as much as all of them.
    let step = (picture.luma().len() / 4096).max(1) | 1;
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for luma in picture.luma().iter().step_by(step) {
        let luma = f64::from(*luma);
        count += 1.0;
        sum += luma;
        squares += luma * luma;
    }
    let mean = sum / f64::max(count, 1.0);
    squares / f64::max(count, 1.0) - mean * mean < ONE_COLOUR * ONE_COLOUR
}
