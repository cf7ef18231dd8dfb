//! The jitter buffer of one stream of sound: packets in, in any order; one after another out, when
//! they are to be heard.
//!
//! Pure: it takes the time and never reads it. It neither stretches nor squeezes sound: what comes
//! too late is concealed, and what has piled up is dropped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::payload;

/// RTP clock rate of Opus, whatever it encodes (RFC 7587 §4.1).
const CLOCK_RATE: u64 = 48_000;

/// 20 ms, the room's tick, and how long a packet is taken to be until one has come.
const STEP: u64 = 960;

/// So much is gathered before playing begins; it is also what a drop leaves.
const TARGET: u64 = 2 * STEP;

/// The most that may lie ahead, what is played next included: beyond it sound is dropped at once.
const CEILING: u64 = 5 * STEP;

/// In a quiet moment a step is dropped when so much lay ahead all through [`WATCH`].
const NEEDLESS: u64 = 3 * STEP;

/// How long needless delay is watched before it is given back.
const WATCH: Duration = Duration::from_secs(5);

/// So much is concealed in a row; a longer gap is silence and a new start.
const LONGEST_CONCEALMENT: u64 = 3 * STEP;

/// A timestamp further than this from what is expected starts the buffer afresh.
const LONGEST_JUMP: u64 = CLOCK_RATE;

/// Packets held at most; the oldest is dropped to make room for a new one.
const CAPACITY: usize = 64;

/// What to play next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Decode this packet.
    Packet(Bytes),
    /// The packet is lost, but this one, its successor, may carry a copy of it
    /// (in-band FEC, RFC 7587 §3.3): decode that copy, and conceal if there is none.
    Recover(Bytes),
    /// The packet is lost or late: conceal one, as long as the last.
    Conceal,
    /// There is nothing to play.
    Nothing,
}

/// Counts of one buffer since its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounts {
    /// Packets that came after their time to be played.
    pub late: u64,
    /// Packets that were concealed, or recovered from the next one.
    pub concealed: u64,
    /// Samples that were made up, without anything to recover them from.
    pub concealed_samples: u64,
    /// Packets dropped because too much had piled up.
    pub dropped: u64,
}

/// The packets of one stream of Opus, in order of their timestamps.
///
/// Delay adapts by itself: when the next packet is not there in time, concealment is played *in
/// front of* it, so that everything after it has 20 ms more to arrive. What was never needed is
/// given back in a quiet moment.
#[derive(Debug)]
pub struct JitterBuffer {
    packets: BTreeMap<u64, Bytes>,
    /// Where playing stands, in extended RTP timestamp units; `None` while gathering.
    cursor: Option<u64>,
    /// The highest extended timestamp seen, to extend the next one.
    highest: Option<u64>,
    /// How long the last packet was, and so how long a missing one is taken to be.
    step: u64,
    concealed_in_a_row: u64,
    first_arrival: Option<Instant>,
    /// The least that lay ahead since the watch began.
    least: Option<(Instant, u64)>,
    counts: JitterCounts,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self {
            packets: BTreeMap::new(),
            cursor: None,
            highest: None,
            step: STEP,
            concealed_in_a_row: 0,
            first_arrival: None,
            least: None,
            counts: JitterCounts::default(),
        }
    }
}

impl JitterBuffer {
    /// Takes one packet.
    pub fn push(&mut self, now: Instant, rtp_timestamp: u32, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        let timestamp = self.extend(rtp_timestamp);
        if let Some(cursor) = self.cursor {
            if timestamp.abs_diff(cursor) > LONGEST_JUMP {
                self.restart();
            } else if timestamp < cursor {
                self.counts.late += 1;
                return;
            }
        }
        if self.packets.is_empty() && self.cursor.is_none() {
            self.first_arrival = Some(now);
        }
        self.packets.insert(timestamp, payload);
        if self.packets.len() > CAPACITY {
            self.packets.pop_first();
            self.counts.dropped += 1;
        }
    }

    /// Returns what to play next; `quiet` says that what was played last was silence.
    ///
    /// Call again with what it yields decoded, until a tick is full.
    pub fn next(&mut self, now: Instant, quiet: bool) -> Next {
        let Some(cursor) = self.cursor.or_else(|| self.begin(now)) else {
            return Next::Nothing;
        };
        let cursor = self.shed(now, cursor, quiet);
        let Some((&first, payload)) = self.packets.first_key_value() else {
            return self.underrun();
        };
        // A gap smaller than a step is closed by playing on: there is nothing to put into it.
        if first < cursor + self.step || self.concealed_in_a_row >= LONGEST_CONCEALMENT {
            let payload = payload.clone();
            self.packets.pop_first();
            self.step = packet_samples(&payload);
            self.cursor = Some(first + self.step);
            self.concealed_in_a_row = 0;
            return Next::Packet(payload);
        }
        self.counts.concealed += 1;
        self.concealed_in_a_row += self.step;
        self.cursor = Some(cursor + self.step);
        if first < cursor + 2 * self.step {
            Next::Recover(payload.clone())
        } else {
            self.counts.concealed_samples += self.step;
            Next::Conceal
        }
    }

    /// Returns how much sound lies ahead.
    pub fn delay(&self) -> Duration {
        Duration::from_micros(self.held() * 1_000_000 / CLOCK_RATE)
    }

    /// Returns the counts since the beginning.
    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// Starts to play when enough is there, or when it has waited long enough for more.
    fn begin(&mut self, now: Instant) -> Option<u64> {
        let (&first, _) = self.packets.first_key_value()?;
        let target = Duration::from_micros(TARGET * 1_000_000 / CLOCK_RATE);
        let waited = self
            .first_arrival
            .is_some_and(|since| now.saturating_duration_since(since) >= target);
        if self.held() < TARGET && !waited {
            return None;
        }
        self.cursor = Some(first);
        self.concealed_in_a_row = 0;
        self.least = None;
        Some(first)
    }

    /// Returns how much sound lies ahead, holes not counted.
    fn held(&self) -> u64 {
        self.packets
            .values()
            .map(|payload| packet_samples(payload))
            .sum()
    }

    /// Gives delay back: at once what lies beyond the ceiling (a burst after a stall), and in a
    /// quiet moment what was not needed for some seconds. Returns where playing now stands.
    fn shed(&mut self, now: Instant, cursor: u64, quiet: bool) -> u64 {
        let held = self.held();
        let (since, least) = self
            .least
            .map_or((now, held), |(at, least)| (at, least.min(held)));
        self.least = Some((since, least));
        let needless = least >= NEEDLESS && now.saturating_duration_since(since) >= WATCH;
        let goal = match held {
            _ if held > CEILING => TARGET,
            _ if quiet && needless => held - STEP,
            _ => {
                if !needless && now.saturating_duration_since(since) >= WATCH {
                    self.least = None;
                }
                return cursor;
            }
        };
        self.least = None;
        let mut cursor = cursor;
        while self.held() > goal {
            // One packet alone may be longer than the goal: it stays.
            if self.packets.len() < 2 {
                break;
            }
            self.packets.pop_first();
            self.counts.dropped += 1;
            cursor = self
                .packets
                .first_key_value()
                .map_or(cursor, |(&first, _)| first);
        }
        self.cursor = Some(cursor);
        cursor
    }

    /// Nothing is there: conceals for a while without moving on, then gathers anew.
    fn underrun(&mut self) -> Next {
        if self.concealed_in_a_row >= LONGEST_CONCEALMENT {
            // The sender paused (DTX, mute) or vanished.
            self.cursor = None;
            return Next::Nothing;
        }
        self.concealed_in_a_row += self.step;
        self.counts.concealed += 1;
        self.counts.concealed_samples += self.step;
        Next::Conceal
    }

    fn restart(&mut self) {
        self.packets.clear();
        self.cursor = None;
        self.concealed_in_a_row = 0;
    }

    /// Extends a 32-bit timestamp by the nearest wrap-around (RFC 3550 §A.1, in spirit).
    fn extend(&mut self, rtp_timestamp: u32) -> u64 {
        // The first lies well above zero, so that earlier ones can still follow it.
        let highest = *self
            .highest
            .get_or_insert((1 << 40) + u64::from(rtp_timestamp));
        let ahead = rtp_timestamp.wrapping_sub(highest as u32) as i32;
        let extended = highest.saturating_add_signed(i64::from(ahead));
        if extended > highest || u64::from(ahead.unsigned_abs()) > LONGEST_JUMP {
            self.highest = Some(extended);
        }
        extended
    }
}

/// Returns how many samples at 48 kHz an Opus packet decodes to; one that makes no sense moves the
/// cursor by a step.
pub fn packet_samples(packet: &[u8]) -> u64 {
    payload::opus::duration(packet).map_or(STEP, |duration| {
        duration.as_micros() as u64 * CLOCK_RATE / 1_000_000
    })
}

#[cfg(test)]
mod tests;
