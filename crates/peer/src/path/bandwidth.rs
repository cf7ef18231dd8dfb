//! How much the way to the far end carries, found out from what the far end says of arrivals
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01), of losses, and of its own estimate (REMB).
//!
//! After the idea of draft-ietf-rmcat-gcc-02, for a sender whose rates are few and far apart: nothing
//! is assumed until packets queue up or are lost; what arrives meanwhile is what the way carries. From
//! then on the estimate grows by and by, more cautiously each time that it was too much.

use std::time::{Duration, Instant};

use super::feedback;

/// Packets whose fate is awaited; at 2.5 Mbit/s two seconds.
const KEPT: usize = 512;
/// Packets that take so much longer than the fastest did stand in a queue.
const QUEUE: Duration = Duration::from_millis(100);
/// A queue that stands for so long is more than a key frame that passes.
const STANDING: Duration = Duration::from_millis(600);
/// The fastest packet of so long, and of as long before, tells how long the way takes by itself.
const MEMORY: Duration = Duration::from_secs(30);
/// Losses are judged over so long, and so many packets.
const WINDOW: Duration = Duration::from_secs(1);
const ENOUGH: u32 = 50;
/// The share of losses that is too much, and the one below which more is tried. The draft (§6) takes a tenth for too
/// much, which is repaired here without anybody seeing it.
const TOO_MUCH: f64 = 0.2;
const LITTLE: f64 = 0.02;
/// What is lost so soon after a queue was found has not found room in it, and tells nothing new.
const OVERFLOW: Duration = Duration::from_secs(5);
/// What was reported longer ago is no news of a queue.
const NEWS: Duration = Duration::from_secs(1);
/// What is left of what arrived through a queue, so that it empties.
const CUT: f64 = 0.85;
/// Growth in a second.
const GROWTH: f64 = 0.08;
/// How long the estimate rests after a cut; twice as long after each that found the same.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(480);
/// Beyond this nothing is known to be too much.
const UNLIMITED: f64 = 20_000_000.0;
/// Least change that is told, while it grows.
const STEP: f64 = 1.05;
/// No estimate is less.
const LEAST: f64 = 30_000.0;

/// A packet under way.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    number: u16,
    bytes: u16,
    /// µs since the epoch; zero where there is none.
    at: u64,
}

/// What is known of the way to the far end.
#[derive(Debug)]
pub(super) struct Bandwidth {
    epoch: Instant,
    sent: Vec<Sent>,
    way: Way,
    queue: Standing,
    losses: Losses,
    /// Bits a second; nothing while nothing was too much.
    estimate: Option<f64>,
    /// The most that the far end wants (REMB), in bits a second.
    remb: Option<u64>,
    grown: Instant,
    cut: Option<Cut>,
    /// When a queue was found last, and when anything was reported.
    queued: Option<Instant>,
    reported: Instant,
    told: Option<u64>,
}

/// The last time that it was too much.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: Instant,
    to: f64,
    rest: Duration,
}

/// How long the fastest packets take, in µs between two clocks that have nothing in common.
#[derive(Debug, Default)]
struct Way {
    since: Option<Instant>,
    fastest: Option<i64>,
    before: Option<i64>,
}

/// What came through a queue that stands.
#[derive(Debug, Default)]
struct Standing {
    /// Arrival of the last packet, where there is a queue.
    last: Option<i64>,
    bytes: u64,
    micros: i64,
}

#[derive(Debug)]
struct Losses {
    since: Instant,
    lost: u32,
    all: u32,
    bytes: u64,
    /// Of the last window that had enough.
    share: f64,
}

impl Bandwidth {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            sent: Vec::new(),
            way: Way::default(),
            queue: Standing::default(),
            losses: Losses::new(now),
            estimate: None,
            remb: None,
            grown: now,
            cut: None,
            queued: None,
            reported: now,
            told: None,
        }
    }

    /// Takes note of a packet that is sent under a transport-wide number.
    pub(super) fn sent(&mut self, now: Instant, number: u16, bytes: usize) {
        if self.sent.is_empty() {
            self.sent = vec![Sent::default(); KEPT];
        }
        self.sent[usize::from(number) % KEPT] = Sent {
            number,
            bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
            at: micros(now.saturating_duration_since(self.epoch)).max(1),
        };
    }

    /// Reads what the far end says of arrivals. Returns the estimate, if it is to be told anew.
    pub(super) fn arrivals(&mut self, now: Instant, report: &[u8]) -> Option<u64> {
        self.reported = now;
        let (mut fastest, mut last, mut bytes) = (None, None, 0);
        let sent = &mut self.sent;
        let losses = &mut self.losses;
        feedback::read(report, |number, arrival| {
            let Some(packet) = sent.get_mut(usize::from(number) % KEPT) else {
                return;
            };
            if packet.number != number || packet.at == 0 {
                return;
            }
            losses.all += 1;
            let Some(arrival) = arrival else {
                // It may have been overtaken, and be reported yet.
                losses.lost += 1;
                return;
            };
            losses.bytes += u64::from(packet.bytes);
            bytes += u64::from(packet.bytes);
            let took = arrival - packet.at as i64;
            fastest = Some(fastest.map_or(took, |fastest: i64| fastest.min(took)));
            last = last.max(Some(arrival));
            packet.at = 0;
        });
        if let (Some(fastest), Some(last)) = (fastest, last) {
            let queued = self.way.takes(now, fastest);
            self.queue.passed(queued, last, bytes);
        }
        self.judge(now)
    }

    /// Takes note of the far end's own estimate (draft-alvestrand-rmcat-remb-03). Returns ours, if it is
    /// to be told anew.
    pub(super) fn remb(&mut self, bits: u64) -> Option<u64> {
        self.remb = Some(bits);
        self.tell(false)
    }

    /// Tells whether packets queue up, so that nothing should be sent that can be done without.
    pub(super) fn is_congested(&self, now: Instant) -> bool {
        self.queue.stands() && now.saturating_duration_since(self.reported) < NEWS
    }

    /// Tells whether losses are those of a queue that is known.
    fn overflows(&self, now: Instant) -> bool {
        let is_known = |at| now.saturating_duration_since(at) < OVERFLOW;
        self.queue.stands() || self.queued.is_some_and(is_known)
    }

    fn judge(&mut self, now: Instant) -> Option<u64> {
        if let Some(rate) = self.queue.rate() {
            self.queue.count_anew();
            self.queued = Some(now);
            return self.cut(now, rate * CUT);
        }
        if let Some((share, rate)) = self.losses.judge(now)
            && share > TOO_MUCH
            && !self.overflows(now)
        {
            let offered = rate / (1.0 - share).max(0.1);
            let now_is = self.estimate.unwrap_or(f64::MAX).min(offered);
            return self.cut(now, now_is * (1.0 - share / 2.0));
        }
        self.grow(now);
        self.tell(false)
    }

    fn cut(&mut self, now: Instant, to: f64) -> Option<u64> {
        let to = to.max(LEAST);
        // It takes a while until less is sent, and until that is reported.
        let is_same_cut = |cut: &Cut| now.saturating_duration_since(cut.at) < WINDOW;
        if let Some(cut) = self.cut.as_ref().filter(|cut| is_same_cut(cut))
            && to >= cut.to * 0.8
        {
            return None;
        }
        let rest = match self.cut {
            // Still the same time: whoever sends has not sent less yet.
            Some(cut) if now.saturating_duration_since(cut.at) < OVERFLOW => cut.rest,
            Some(cut) if (0.75..1.35).contains(&(to / cut.to)) => (cut.rest * 2).min(LONGEST_REST),
            _ => FIRST_REST,
        };
        self.estimate = Some(self.estimate.map_or(to, |estimate| estimate.min(to)));
        self.cut = Some(Cut { at: now, to, rest });
        self.grown = now;
        self.tell(true)
    }

    fn grow(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.grown).as_secs_f64();
        self.grown = now;
        let rests = |cut: Cut| now.saturating_duration_since(cut.at) < cut.rest;
        let is_free = !self.queue.stands() && self.losses.share < LITTLE;
        if is_free && !self.cut.is_some_and(rests) {
            let grown = self
                .estimate
                .map(|estimate| estimate * (1.0 + GROWTH * since.min(1.0)));
            self.estimate = grown.filter(|bits| *bits < UNLIMITED);
        }
    }

    fn available(&self) -> Option<u64> {
        let estimate = self.estimate.map(|bits| bits as u64);
        [estimate, self.remb].into_iter().flatten().min()
    }

    fn tell(&mut self, is_cut: bool) -> Option<u64> {
        let available = self.available().unwrap_or(UNLIMITED as u64);
        let told = self.told.unwrap_or(UNLIMITED as u64);
        let has_changed = available < told || available as f64 >= told as f64 * STEP;
        if !(has_changed || is_cut) {
            return None;
        }
        self.told = Some(available);
        Some(available)
    }
}

impl Way {
    /// Takes note of how long a packet took; returns how much longer that was than the fastest takes.
    fn takes(&mut self, now: Instant, took: i64) -> Duration {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= MEMORY {
            self.since = Some(now);
            self.before = self.fastest.take();
        }
        let fastest = self.fastest.map_or(took, |fastest| fastest.min(took));
        self.fastest = Some(fastest);
        let fastest = self.before.map_or(fastest, |before| before.min(fastest));
        Duration::from_micros(u64::try_from(took.saturating_sub(fastest)).unwrap_or(0))
    }
}

impl Standing {
    /// Takes note of packets of which the fastest stood in a queue for so long, and the last arrived then.
    fn passed(&mut self, queued: Duration, last: i64, bytes: u64) {
        if queued < QUEUE {
            *self = Self::default();
            return;
        }
        if let Some(before) = self.last {
            self.bytes += bytes;
            self.micros += (last - before).max(0);
        }
        self.last = Some(last);
    }

    /// Counts from here on; it stands all the same.
    fn count_anew(&mut self) {
        (self.bytes, self.micros) = (0, 0);
    }

    fn stands(&self) -> bool {
        self.last.is_some()
    }

    /// Returns the bits a second that came through, if the queue has stood for long.
    fn rate(&self) -> Option<f64> {
        let has_stood = self.micros >= STANDING.as_micros() as i64;
        has_stood.then(|| self.bytes as f64 * 8e6 / self.micros as f64)
    }
}

impl Losses {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            lost: 0,
            all: 0,
            bytes: 0,
            share: 0.0,
        }
    }

    /// Returns the share of a window that is over, and the bits a second that arrived in it.
    fn judge(&mut self, now: Instant) -> Option<(f64, f64)> {
        let took = now.saturating_duration_since(self.since);
        if took < WINDOW || self.all < ENOUGH {
            return None;
        }
        let share = f64::from(self.lost) / f64::from(self.all);
        let rate = self.bytes as f64 * 8.0 / took.as_secs_f64();
        *self = Self {
            share,
            ..Self::new(now)
        };
        Some((share, rate))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
