//! What was measured of a participant of a service, for its operator's metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use driver::{Figures, Gauge, JoinTimes, NoticeKind, PeerStats, Report, State};
use media::Kind;

use super::standing::Reason;

/// What was measured of a participant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// When the steps of the last join were reached.
    pub(crate) steps: JoinTimes,
    /// How often it was begun anew, by what it was begun anew for.
    pub(crate) restarts: BTreeMap<Reason, u64>,
    /// What the far end said last of our sound and of our picture.
    pub(crate) reports: [Option<Report>; 2],
    /// What the last figures were, and when.
    pub(crate) figures: Option<(Instant, Box<Figures>)>,
    /// Bits a second since the figures before: sound in, picture in, sound out, picture out.
    pub(crate) bit_rates: Option<[f64; 4]>,
    /// The level of what was heard since the figures before, from 0 to 1.
    pub(crate) audio_level: Option<f64>,
    /// How late frames left.
    pub(crate) lateness: Arc<Lateness>,
}

impl Measured {
    /// Takes note of what the caller tells.
    pub(super) fn notice(&mut self, now: Instant, kind: &NoticeKind) {
        match kind {
            NoticeKind::State(State::Joining(_)) => {
                self.steps = JoinTimes::default();
                self.reports = [None; 2];
                self.figures = None;
                self.bit_rates = None;
                self.audio_level = None;
            }
            NoticeKind::State(State::Rejoining { .. }) => {
                self.restarted(Reason::ConferenceLost);
            }
            NoticeKind::Step(step, after) => {
                self.steps.note(*step, *after);
            }
            NoticeKind::Report(report) => {
                let lane = match report.kind {
                    Kind::Audio => 0,
                    Kind::Video => 1,
                };
                self.reports[lane] = Some(*report);
            }
            NoticeKind::Figures(figures) => {
                let before = self.figures.replace((now, figures.clone()));
                self.audio_level = before.as_ref().and_then(|(_, before)| {
                    let (heard, before) = (figures.heard?, before.heard?);
                    Some(heard.level_since(&before))
                });
                self.bit_rates = before.and_then(|(then, before)| {
                    let seconds = now.saturating_duration_since(then).as_secs_f64();
                    let (new, old) = (bytes(&figures.call), bytes(&before.call));
                    let rate = |i: usize| new[i].saturating_sub(old[i]) as f64 * 8.0 / seconds;
                    (seconds > 0.0).then(|| std::array::from_fn(rate))
                });
            }
            _ => {}
        }
    }

    /// It is begun anew.
    pub(super) fn restarted(&mut self, reason: Reason) {
        *self.restarts.entry(reason).or_default() += 1;
    }
}

fn bytes(call: &PeerStats) -> [u64; 4] {
    [
        call.inbound_audio.bytes_received,
        call.inbound_video.bytes_received,
        call.outbound_audio.bytes_sent,
        call.outbound_video.bytes_sent,
    ]
}

/// How late frames left, over all joins.
#[derive(Debug, Default)]
pub(crate) struct Lateness {
    frames: AtomicU64,
    micros: AtomicU64,
}

impl Gauge for Lateness {
    fn sent(&self, late: Duration) {
        let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Lateness {
    /// Returns how many frames left, and how many seconds late altogether.
    pub(crate) fn sums(&self) -> (u64, f64) {
        let seconds = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        (self.frames.load(Ordering::Relaxed), seconds)
    }
}

#[cfg(test)]
mod tests {
    use driver::JoinStep;

    use super::*;

    #[test]
    fn steps_are_those_of_the_last_join_and_restarts_are_counted_by_reason() {
        let now = Instant::now();
        let node = "http://127.0.0.1".parse().expect("a URL");
        let mut measured = Measured::default();
        let step = NoticeKind::Step(JoinStep::Token, Duration::from_millis(20));
        measured.notice(now, &step);
        let lost = NoticeKind::State(State::Rejoining {
            reason: String::new(),
            pause: Duration::ZERO,
        });
        measured.notice(now, &lost);
        measured.notice(now, &lost);
        assert_eq!(measured.steps.iter().count(), 1);
        measured.notice(now, &NoticeKind::State(State::Joining(node)));
        assert_eq!(measured.steps.iter().count(), 0);
        assert_eq!(measured.restarts[&Reason::ConferenceLost], 2);
    }

    #[test]
    fn lateness_adds_up() {
        let lateness = Lateness::default();
        lateness.sent(Duration::from_millis(2));
        lateness.sent(Duration::from_millis(3));
        assert_eq!(lateness.sums(), (2, 0.005));
    }
}
