//! All callers of a plan at work, and the generator watching itself.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::{
    Caller, CallerSettings, HttpClient, Material, Network, NodeAddress, Program, Shard, Shards,
    StopReason,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, sleep_until};
use tracing::warn;

use crate::generator::{self, GeneratorFigures, GeneratorLimits, Lateness, Usage};
use crate::ledger::Ledger;
use crate::life::Life;
use crate::plan::has_floor;
use crate::standing::{Board, Standing};
use crate::{
    CallerRow, Counter, Generator, Histogram, Measurements, Plan, PlannedCaller, Role, Scenario,
    Unit, metric,
};

/// How often callers tell their figures.
const FIGURES: Duration = Duration::from_secs(2);

/// How often the generator looks at itself, and whoever watches is told.
const LOOK: Duration = Duration::from_secs(1);

/// How HTTP connections are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connections {
    /// Each caller has its own, as callers do.
    #[default]
    PerCaller,
    /// All callers share one pool, which spares the generator and the node handshakes.
    Shared,
}

/// What callers are made of, besides the scenario.
#[derive(Debug)]
pub struct Equipment {
    /// Whom callers believe to be the node.
    pub client: HttpClient,
    /// How HTTP connections are used.
    pub connections: Connections,
    /// What talkers play; silence without.
    pub sound: Option<Arc<Material>>,
    /// What video senders play, sound included; a slate without.
    pub picture: Option<Arc<Material>>,
    /// How media uses the network.
    pub network: Network,
    /// What the generator can take.
    pub limits: GeneratorLimits,
    /// How long hanging up and releasing the token may take.
    pub leave_limit: Duration,
    /// The threads that callers run on.
    pub shards: Arc<Shards>,
}

/// How far a load test has come.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Since the start.
    pub at: Duration,
    /// When everyone leaves.
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

/// What became of a fleet.
#[derive(Debug)]
pub struct Ended {
    /// All that was measured.
    pub measurements: Measurements,
    /// Why it ended before its time.
    pub stopped: Option<StopReason>,
}

/// Runs the callers of `plan` from `start` on, until its end or until `stop`. Then all hang up and
/// release their tokens. `shard` is this plan's index among its siblings.
pub async fn run(
    scenario: &Scenario,
    plan: Plan,
    shard: u32,
    equipment: Equipment,
    start: Instant,
    stop: impl Future<Output = StopReason>,
    mut told: impl FnMut(&Progress),
) -> Ended {
    let ledger = Ledger::new(start, plan.end);
    let board = Board::new(plan.callers.len());
    let shards: Vec<_> = (0..equipment.shards.count())
        .map(|_| equipment.shards.next())
        .collect();
    let lateness: Vec<_> = shards
        .iter()
        .map(|_| Arc::new(Lateness::default()))
        .collect();
    let timers = Arc::new(Lateness::default());
    let trying: Vec<_> = shards
        .iter()
        .map(|shard| generator::try_timers(shard, Arc::clone(&timers)))
        .collect();
    let mut watch = Watch::new(
        ledger.clone(),
        board.clone(),
        lateness.clone(),
        timers,
        plan.end,
    );
    let stage = Arc::new(Stage {
        scenario: scenario.clone(),
        equipment,
        ledger: ledger.clone(),
        board: board.clone(),
        start,
    });

    let (stopping, stopped) = watch::channel(None);
    let mut callers = JoinSet::new();
    for planned in plan.callers {
        let on = planned.number % shards.len();
        let life = live(
            Arc::clone(&stage),
            planned,
            shards[on].clone(),
            Arc::clone(&lateness[on]),
            stopped.clone(),
        );
        callers.spawn_on(life, shards[on].handle());
    }
    drop(stopped);

    let mut stop = pin!(stop);
    let mut reason = None;
    let mut looks = interval_at(tokio::time::Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            ended = callers.join_next() => match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    warn!(%error, "a caller of the load test ended by itself");
                    ledger.failed("defect of the load tester");
                }
                None => break,
            },
            _ = looks.tick() => told(&watch.look()),
            why = &mut stop, if reason.is_none() => {
                reason = Some(why);
                stopping.send_replace(Some(why));
            }
        }
    }
    for task in trying {
        task.abort();
    }
    told(&watch.look());
    let generator = watch.sum_up(&stage.equipment.limits);
    let mut measurements = ledger.lock().clone();
    measurements.generator(shard, generator);
    Ended {
        measurements,
        stopped: reason,
    }
}

/// What all callers have in common.
struct Stage {
    scenario: Scenario,
    equipment: Equipment,
    ledger: Ledger,
    board: Board,
    start: Instant,
}

/// One caller, from its first arrival to its last departure.
async fn live(
    stage: Arc<Stage>,
    planned: PlannedCaller,
    shard: Shard,
    lateness: Arc<Lateness>,
    mut stopped: watch::Receiver<Option<StopReason>>,
) {
    let mut life = Life::new(
        planned.number,
        stage.row(&planned),
        stage.ledger.clone(),
        stage.board.clone(),
        stage.equipment.connections == Connections::PerCaller,
    );
    for (count, stay) in planned.stays.iter().enumerate() {
        if count > 0 {
            life.pauses();
        }
        let from = stage.start + stay.start;
        tokio::select! {
            () = sleep_until(from.into()) => {}
            _ = stopped.wait_for(Option::is_some) => break,
        }
        let settings = match stage.settings(&planned, &lateness) {
            Ok(settings) => settings,
            Err(error) => {
                warn!(%error, "no HTTP client for another caller");
                stage.ledger.failed("defect of the load tester");
                break;
            }
        };
        let until = stage.start + stay.end;
        life.begins(Instant::now());
        let caller = driver::start(&shard, settings);
        stage
            .accompany(&planned, caller, until, &mut life, &mut stopped)
            .await;
        if stopped.borrow().is_some() {
            break;
        }
    }
    life.finish();
}

impl Stage {
    fn node(&self, planned: &PlannedCaller) -> &NodeAddress {
        // Checked: a scenario has nodes, and a plan names one of them.
        &self.scenario.nodes[planned.node % self.scenario.nodes.len()]
    }

    fn row(&self, planned: &PlannedCaller) -> CallerRow {
        let node = match self.node(planned) {
            NodeAddress::Url(url) => match (url.host_str(), url.port_or_known_default()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                _ => url.to_string(),
            },
            NodeAddress::Domain(domain) => domain.clone(),
        };
        CallerRow {
            conference: self.scenario.conferences[planned.conference].to_string(),
            role: planned.role.name().to_owned(),
            node,
            ..CallerRow::default()
        }
    }

    fn settings(
        &self,
        planned: &PlannedCaller,
        lateness: &Arc<Lateness>,
    ) -> Result<CallerSettings, driver::TlsError> {
        let (scenario, equipment) = (&self.scenario, &self.equipment);
        let client = match equipment.connections {
            Connections::PerCaller => equipment.client.with_own_connections()?,
            Connections::Shared => equipment.client.clone(),
        };
        let mut settings = CallerSettings::new(
            client,
            self.node(planned).clone(),
            scenario.conferences[planned.conference].clone(),
            planned.display_name.clone(),
        );
        let material = match planned.role {
            Role::Talker => &equipment.sound,
            Role::VideoSender => &equipment.picture,
            Role::Listener | Role::Churner => &None,
        };
        if let Some(material) = material {
            settings.video_codecs = material.video_codecs();
            settings.program = Program::Loop(Arc::clone(material));
        }
        settings.pin = scenario.pin.clone();
        settings.video = scenario.video;
        settings.network = equipment.network.clone();
        settings.network.impairment = planned.impairment;
        settings.leave_limit = equipment.leave_limit;
        settings.figures = Some(FIGURES);
        settings.gauge = Some(lateness.clone());
        settings.seed = Some(planned.seed);
        Ok(settings)
    }

    /// Follows a caller to the end of its stay.
    async fn accompany(
        &self,
        planned: &PlannedCaller,
        mut caller: Caller,
        until: Instant,
        life: &mut Life,
        stopped: &mut watch::Receiver<Option<StopReason>>,
    ) {
        let turn = self
            .scenario
            .turn
            .filter(|turn| !turn.is_zero() && planned.role == Role::Talker);
        let mut next_turn = self.take_turn(planned, turn, &caller);
        let mut leaving = false;
        loop {
            let (turning, due) = (next_turn.is_some(), next_turn.unwrap_or(until));
            tokio::select! {
                notice = caller.notice() => match notice {
                    Some(notice) => life.notice(&notice),
                    None => break,
                },
                () = sleep_until(until.into()), if !leaving => {
                    leaving = true;
                    caller.stop(StopReason::Finished);
                }
                () = sleep_until(due.into()), if turning && !leaving => {
                    next_turn = self.take_turn(planned, turn, &caller);
                }
                why = stopped.wait_for(Option::is_some), if !leaving => {
                    leaving = true;
                    // Whoever ran the test is gone with its sender: leave all the same.
                    let why = why.ok().and_then(|why| *why);
                    caller.stop(why.unwrap_or(StopReason::Finished));
                }
            }
        }
        let outcome = caller.join().await;
        life.ended(Instant::now(), &outcome);
    }

    /// Lets a talker talk or not. Returns when to look again.
    fn take_turn(
        &self,
        planned: &PlannedCaller,
        turn: Option<Duration>,
        caller: &Caller,
    ) -> Option<Instant> {
        let turn = turn?;
        let at = self.start.elapsed();
        let talkers = self.scenario.roles.talkers;
        caller.talk(has_floor(Some(turn), planned.place, talkers, at));
        let turns = at.as_secs_f64() / turn.as_secs_f64();
        Some(self.start + turn.mul_f64(turns.floor() + 1.0))
    }
}

/// Looks at the generator, again and again.
struct Watch {
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
    fn new(
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

    fn look(&mut self) -> Progress {
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

    fn sum_up(self, limits: &GeneratorLimits) -> Generator {
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

/// Returns which share of the cores the process used between two moments.
fn share_of_cores(before: (Instant, Usage), after: (Instant, Usage)) -> f64 {
    let elapsed = after.0.saturating_duration_since(before.0).as_secs_f64();
    let used = after.1.cpu.saturating_sub(before.1.cpu).as_secs_f64();
    if elapsed > 0.0 {
        (used / elapsed / generator::cores()).min(1.0)
    } else {
        0.0
    }
}
