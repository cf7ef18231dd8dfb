//! The generator watching itself and its callers, for whoever watches the test.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::generator::{self, GeneratorFigures, GeneratorLimits, Lateness, Usage, share_of_cores};
use crate::ledger::{Ledger, SoFar};
use crate::standing::{Board, Standing};
use crate::{Counter, Generator, Histogram, Unit, metric};

/// How far a load test has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// All that was measured so far.
    pub so_far: SoFar,
    /// Since the start.
    pub at: Duration,
    /// When everyone leaves; zero where that is not known.
    pub end: Duration,
    /// How many callers stand where; those with none are left out.
    pub standing: Vec<(Standing, u64)>,
    /// The 95th percentile of the time to join, in seconds.
    pub join_p95: Option<f64>,
    /// Share of audio lost, on average.
    pub audio_loss: Option<f64>,
    /// Mean of the MOS of the sound.
    pub mos: Option<f64>,
    /// Failures so far.
    pub failures: u64,
    /// Refusals for want of room so far.
    pub capacity: u64,
    /// Share of its cores the generator used during the last second.
    pub cpu: f64,
    /// How late frames were sent during the last second, the 99th percentile, in seconds.
    pub late_p99: Option<f64>,
}

/// Looks at the generator, again and again.
pub(super) struct Watch {
    ledger: Ledger,
    board: Board,
    lateness: Vec<Arc<Lateness>>,
    timers: Arc<Lateness>,
    end: Duration,
    began: (Instant, Usage),
    last: (Instant, Usage),
    late: Histogram,
    timer: Histogram,
    most: Usage,
    most_callers: u64,
}

impl Watch {
    pub(super) fn new(
        ledger: Ledger,
        board: Board,
        lateness: Vec<Arc<Lateness>>,
        timers: Arc<Lateness>,
        end: Duration,
    ) -> Self {
        let began = (Instant::now(), Usage::now());
        Self {
            ledger,
            board,
            lateness,
            timers,
            end,
            began,
            last: began,
            late: Histogram::new(Unit::Seconds),
            timer: Histogram::new(Unit::Seconds),
            most: began.1,
            most_callers: 0,
        }
    }

    pub(super) fn look(&mut self) -> Progress {
        let (now, usage) = (Instant::now(), Usage::now());
        let cpu = share_of_cores(self.last, (now, usage));
        self.last = (now, usage);
        self.most.rss = self.most.rss.max(usage.rss);
        self.most.descriptors = self.most.descriptors.max(usage.descriptors);
        let standing: Vec<_> = Standing::ALL
            .into_iter()
            .map(|standing| (standing, self.board.count(standing)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let there = standing
            .iter()
            .filter(|(standing, _)| !matches!(standing, Standing::Planned | Standing::Left))
            .map(|(_, count)| count)
            .sum();
        self.most_callers = self.most_callers.max(there);
        let mut late = Histogram::new(Unit::Seconds);
        for lateness in &self.lateness {
            late.merge(&lateness.take());
        }
        let timer = self.timers.take();
        self.late.merge(&late);
        self.timer.merge(&timer);

        let at = self.ledger.at(now);
        let mut measured = self.ledger.lock();
        measured.add(&metric::GENERATOR_LATE, &late, at);
        measured.add(&metric::GENERATOR_TIMER, &timer, at);
        measured.record(&metric::GENERATOR_CPU, cpu, at);
        let by_name = standing
            .iter()
            .map(|(standing, count)| (standing.name().to_owned(), *count))
            .collect::<BTreeMap<_, _>>();
        measured.callers_by_state(by_name, at);
        let figure = |metric| measured.histogram(metric);
        Progress {
            so_far: SoFar::of(&self.ledger),
            at,
            end: self.end,
            join_p95: figure(&metric::JOIN_TOTAL).and_then(|times| times.quantile(0.95)),
            audio_loss: figure(&metric::AUDIO_LOSS).and_then(Histogram::mean),
            mos: figure(&metric::AUDIO_MOS).and_then(Histogram::mean),
            failures: measured.failures().values().sum(),
            capacity: measured.capacity().values().sum(),
            standing,
            cpu,
            late_p99: late.quantile(0.99),
        }
    }

    pub(super) fn sum_up(self, limits: &GeneratorLimits) -> Generator {
        let received = self.ledger.lock().counter(Counter::PacketsReceived);
        let drops = self.board.socket_drops();
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let figures = GeneratorFigures {
            cpu: share_of_cores(self.began, self.last),
            late: self.late,
            timer: self.timer,
            descriptors: share(self.most.descriptors, self.most.most_descriptors),
            socket_drops: share(drops, received + drops),
            rss: self.most.rss,
            memory: generator::memory(),
        };
        let cpu = self.last.1.cpu.saturating_sub(self.began.1.cpu);
        Generator {
            cores: generator::cores() as u32,
            callers: u32::try_from(self.most_callers).unwrap_or(u32::MAX),
            cpu_seconds: cpu.as_secs_f64(),
            memory: figures.rss,
            descriptors: self.most.descriptors,
            socket_drops: drops,
            exceeded: figures.complaints(limits),
            ..generator::machine()
        }
    }
}
