//! What a caller hears: decoded, with its silence and its marks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use driver::ArrivedFrame;
use media::marks::{FINDER_RATE, SoundMarks};
use media::{Kind, MediaError, OpusDecoder};

use super::senses::{BEFORE_SENDING, Place, SPAN};
use super::sight::Sight;
use crate::{Counter, metric};

/// Ticks of the RTP clock of Opus (RFC 7587 §4.1) for each sample at the finder's rate.
const TICKS: i64 = 48_000 / FINDER_RATE as i64;

/// Silent is what is below this (root mean square, −60 dBFS).
const SILENT: f32 = 1e-3;

/// So many packets in a row are made up for when they are missing; a longer gap is a gap.
const MOST_CONCEALED: i64 = 5;

/// Samples of one packet.
const PACKET: i64 = FINDER_RATE as i64 / 50;

/// How long a mark's first burst lasts: what came within it says when it was heard.
const BURST: i64 = FINDER_RATE as i64 * 128 / 1000;

/// How long it is remembered when packets came.
const REMEMBERED: usize = 150;

/// The ears of one caller.
#[derive(Debug)]
pub(super) struct Hearing {
    decoder: OpusDecoder,
    marks: SoundMarks,
    ssrc: Option<u32>,
    /// The timestamp expected next, without wraps.
    expected: i64,
    /// Where packets begin, in samples, and when they came.
    came: VecDeque<(i64, Instant)>,
    /// Samples decoded since the last sum, how many of them in silent packets, and when it was.
    heard: u64,
    silent: u64,
    summed: Option<Instant>,
}

impl Hearing {
    pub(super) fn new(voices: usize) -> Result<Self, MediaError> {
        Ok(Self {
            decoder: OpusDecoder::at_rate(FINDER_RATE, 1)?,
            marks: SoundMarks::new(voices),
            ssrc: None,
            expected: 0,
            came: VecDeque::new(),
            heard: 0,
            silent: 0,
            summed: None,
        })
    }

    /// Takes in a packet; `sight` knows how long pictures were under way.
    pub(super) fn take(&mut self, arrived: &ArrivedFrame, place: &Place, sight: &Sight) {
        let at = self.place_of(arrived);
        let missing = (at - self.expected) / TICKS / PACKET;
        let Ok(packet) = arrived.frame.encoded() else {
            return;
        };
        if (1..=MOST_CONCEALED).contains(&missing) {
            for n in 0..missing {
                let begins = (self.expected / TICKS) + n * PACKET;
                let next = (n + 1 == missing).then_some(&packet[..]);
                if let Ok(samples) = self.decoder.conceal(next) {
                    self.marks.push(begins, samples);
                }
            }
        }
        let begins = at / TICKS;
        match self.decoder.decode(&packet) {
            Ok(samples) => {
                let power = samples.iter().map(|s| s * s).sum::<f32>();
                let count = samples.len();
                self.heard += count as u64;
                if (power / count.max(1) as f32).sqrt() < SILENT {
                    self.silent += count as u64;
                }
                self.expected = at + count as i64 * TICKS;
                self.marks.push(begins, samples);
            }
            Err(_) => {
                self.expected = at + PACKET * TICKS;
                place
                    .ledger
                    .count(Counter::DecodeErrors, 1, arrived.arrival);
            }
        }
        if self.came.len() == REMEMBERED {
            self.came.pop_front();
        }
        self.came.push_back((begins, arrived.arrival));
        while let Some(mark) = self.marks.poll() {
            self.mark(mark.voice, mark.count, mark.at, place, sight);
        }
        self.sum_up(arrived.arrival, place);
    }

    /// Returns the packet's timestamp without wraps.
    fn place_of(&mut self, arrived: &ArrivedFrame) -> i64 {
        if self.ssrc.replace(arrived.ssrc) != Some(arrived.ssrc) {
            // Far from all that was before, so that nothing is made up for in between.
            self.expected += 1 << 33;
            let here = i64::from(arrived.rtp_timestamp);
            self.expected += (here - self.expected).rem_euclid(1 << 32);
            self.came.clear();
        }
        let step = arrived.rtp_timestamp.wrapping_sub(self.expected as u32) as i32;
        self.expected + i64::from(step)
    }

    fn mark(&self, voice: usize, count: u32, at: i64, place: &Place, sight: &Sight) {
        let Some(heard) = self.moment(at) else { return };
        let Some(said) = place.moment(Kind::Audio, voice, count, heard) else {
            return;
        };
        let under_way = heard.saturating_duration_since(said);
        let delay = under_way + BEFORE_SENDING;
        place.ledger.record_time(&metric::AUDIO_DELAY, delay, heard);
        let Some(picture) = sight.delay(voice, heard) else {
            return;
        };
        let skew = under_way.abs_diff(picture);
        place.ledger.record_time(&metric::AV_SKEW, skew, heard);
        let side = match under_way > picture {
            true => &metric::AV_SOUND_LATE,
            false => &metric::AV_SOUND_EARLY,
        };
        place.ledger.record_time(side, skew, heard);
    }

    /// Returns when the sample `at` was heard, were each packet played as soon as it came. Packets
    /// come now a little sooner and now a little later; those of the burst agree on their median.
    fn moment(&self, at: i64) -> Option<Instant> {
        let covering = self
            .came
            .iter()
            .filter(|(begins, _)| begins + PACKET > at && *begins < at + BURST);
        let mut begun: Vec<Instant> = covering
            .filter_map(|(begins, came)| match begins - at {
                before @ ..=0 => came.checked_add(samples(-before)),
                after => came.checked_sub(samples(after)),
            })
            .collect();
        begun.sort();
        begun.get(begun.len() / 2).copied()
    }

    fn sum_up(&mut self, now: Instant, place: &Place) {
        let since = *self.summed.get_or_insert(now);
        if now.saturating_duration_since(since) < SPAN {
            return;
        }
        self.summed = Some(now);
        let (heard, silent) = (
            std::mem::take(&mut self.heard),
            std::mem::take(&mut self.silent),
        );
        if heard > 0 {
            let share = silent as f64 / heard as f64;
            place.ledger.record(&metric::AUDIO_SILENCE, share, now);
        }
    }
}

fn samples(count: i64) -> Duration {
    Duration::from_nanos(count.unsigned_abs() * 1_000_000_000 / u64::from(FINDER_RATE))
}
