//! How each conference fares while a test runs, for whoever watches.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Histogram, Standing, Unit};

/// What is told of media covers the stretch under way and the whole one before it.
const STRETCH: Duration = Duration::from_secs(10);

/// The counts of one conference, written by all its callers.
#[derive(Debug)]
pub(crate) struct Tally {
    name: String,
    standing: [AtomicU64; Standing::ALL.len()],
    measured: Mutex<Measured>,
}

#[derive(Debug)]
struct Measured {
    joins: Histogram,
    since: Option<Instant>,
    now: Stretch,
    before: Stretch,
}

/// Sums over a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    received: u64,
    lost: u64,
    mos: f64,
    scores: u32,
}

/// How a conference fares.
#[derive(Debug, Clone, PartialEq)]
pub struct ConferenceSoFar {
    /// Its alias.
    pub name: String,
    /// How many of its callers stand where; those with none are left out.
    pub standing: Vec<(Standing, u64)>,
    /// The 95th percentile of the time to join, in seconds, since the start.
    pub join_p95: Option<f64>,
    /// Share of audio lost in the last ten to twenty seconds.
    pub audio_loss: Option<f64>,
    /// Mean of the MOS of the sound in the last ten to twenty seconds.
    pub mos: Option<f64>,
}

impl Tally {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            standing: Default::default(),
            measured: Mutex::new(Measured {
                joins: Histogram::new(Unit::Seconds),
                since: None,
                now: Stretch::default(),
                before: Stretch::default(),
            }),
        }
    }

    /// There is one more caller that has not come yet.
    pub(crate) fn adds(&self) {
        self.standing[Standing::Planned as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A caller that stood there stands here now.
    pub(crate) fn changes(&self, from: Standing, to: Standing) {
        self.standing[from as usize].fetch_sub(1, Ordering::Relaxed);
        self.standing[to as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A caller is in, so long after it had begun to join.
    pub(crate) fn joined(&self, total: Duration) {
        self.lock().joins.record(total.as_secs_f64());
    }

    /// A caller accounts for its packets of sound.
    pub(crate) fn received(&self, packets: u64, lost: u64, at: Instant) {
        let mut measured = self.lock();
        measured.turn(at);
        measured.now.received += packets;
        measured.now.lost += lost;
    }

    /// The sound of a caller was scored.
    pub(crate) fn scored(&self, mos: f64, at: Instant) {
        let mut measured = self.lock();
        measured.turn(at);
        measured.now.mos += mos;
        measured.now.scores += 1;
    }

    /// Returns how it fares.
    pub(crate) fn so_far(&self, now: Instant) -> ConferenceSoFar {
        let count = |standing: Standing| self.standing[standing as usize].load(Ordering::Relaxed);
        let standing = Standing::ALL
            .into_iter()
            .map(|standing| (standing, count(standing)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let mut measured = self.lock();
        measured.turn(now);
        let (now, before) = (measured.now, measured.before);
        let received = now.received + before.received;
        let lost = now.lost + before.lost;
        let scores = now.scores + before.scores;
        ConferenceSoFar {
            name: self.name.clone(),
            standing,
            join_p95: measured.joins.quantile(0.95),
            audio_loss: (received > 0).then(|| lost as f64 / (received + lost) as f64),
            mos: (scores > 0).then(|| (now.mos + before.mos) / f64::from(scores)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Measured> {
        // Sums stay sums whatever happened to whoever added to them last.
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured {
    /// Begins another stretch when the present one is over.
    fn turn(&mut self, at: Instant) {
        let since = *self.since.get_or_insert(at);
        let passed = at.saturating_duration_since(since);
        if passed < STRETCH {
            return;
        }
        self.before = match passed < STRETCH * 2 {
            true => self.now,
            false => Stretch::default(),
        };
        self.now = Stretch::default();
        self.since = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_told_of_the_last_seconds_and_joins_since_the_start() {
        let (tally, start) = (Tally::new("meet".to_owned()), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(tally.so_far(start).mos, None);
        tally.adds();
        tally.changes(Standing::Planned, Standing::In);
        tally.joined(Duration::from_millis(300));
        tally.received(90, 10, at(1));
        tally.scored(3.0, at(1));
        let told = tally.so_far(at(5));
        assert_eq!(told.standing, [(Standing::In, 1)]);
        assert_eq!((told.audio_loss, told.mos), (Some(0.1), Some(3.0)));

        // Within the stretch after it counts half, and then no more.
        tally.received(100, 0, at(12));
        tally.scored(4.0, at(12));
        let told = tally.so_far(at(13));
        assert_eq!((told.audio_loss, told.mos), (Some(0.05), Some(3.5)));
        tally.scored(4.0, at(23));
        let told = tally.so_far(at(24));
        assert_eq!((told.audio_loss, told.mos), (Some(0.0), Some(4.0)));
        let told = tally.so_far(at(90));
        assert_eq!((told.audio_loss, told.mos), (None, None));
        assert!(told.join_p95.is_some_and(|p95| (p95 - 0.3).abs() < 0.001));
    }
}
