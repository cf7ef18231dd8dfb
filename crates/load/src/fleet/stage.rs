//! One caller of the plan at work: it comes, talks in its turn, leaves, and comes again.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec;

use driver::{Caller, CallerSettings, Gauge, NodeAddress, Program, Shard, StopReason};
use media::Codec;
use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::warn;

use super::{Connections, Equipment};
use crate::generator::Lateness;
use crate::ledger::Ledger;
use crate::life::Life;
use crate::marks::{Mouth, Senses, Spoken, Voice};
use crate::plan::has_floor;
use crate::standing::Board;
use crate::{CallerRow, PlannedCaller, Role, Scenario};

/// How often callers tell their figures.
pub(crate) const FIGURES: Duration = Duration::from_secs(2);

/// Whoever is told to leave within this time of having come, and is not in yet, has not failed.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// Long enough to be without an end, and short enough for clocks.
const WITHOUT_END: Duration = Duration::from_secs(10 * 365 * 86_400);

/// When a caller is in the conference, counted from the start.
pub(crate) enum Stays {
    /// As planned.
    Planned(vec::IntoIter<Range<Duration>>),
    /// Until it is told to leave: each time for `stay`, or for as long as it goes well, and again
    /// after `away`.
    UntilTold {
        /// Whether it came before.
        again: bool,
        /// How long it stays each time; without an end if it does not leave by itself.
        stay: Option<Duration>,
        /// How long it is away in between, whyever it left.
        away: Duration,
    },
}

impl Stays {
    /// Returns the next one, as it is planned at this time.
    fn next(&mut self, at: Duration) -> Option<Range<Duration>> {
        match self {
            Self::Planned(stays) => stays.next(),
            Self::UntilTold { again, stay, away } => {
                let pause = if *again { *away } else { Duration::ZERO };
                *again = true;
                let from = at.saturating_add(pause);
                Some(from..from.saturating_add(stay.unwrap_or(WITHOUT_END)))
            }
        }
    }
}

/// What all callers have in common.
pub(super) struct Stage {
    pub(super) scenario: Scenario,
    pub(super) equipment: Equipment,
    pub(super) ledger: Ledger,
    pub(super) board: Board,
    pub(super) spoken: Spoken,
    pub(super) start: Instant,
}

/// One caller, from its first arrival to its last departure.
pub(super) async fn live(
    stage: Arc<Stage>,
    planned: PlannedCaller,
    mut stays: Stays,
    shard: Shard,
    lateness: Arc<Lateness>,
    mut stopped: watch::Receiver<Option<StopReason>>,
) {
    let mut life = Life::new(
        &planned,
        stage.row(&planned),
        stage.ledger.clone(),
        stage.board.clone(),
        stage.equipment.connections == Connections::PerCaller,
    );
    let mut came_before = false;
    while let Some(stay) = stays.next(stage.start.elapsed()) {
        if came_before {
            life.pauses();
        }
        came_before = true;
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
        let voice = self.voice(planned);
        let material = match planned.role {
            Role::Listener | Role::Churner => None,
            Role::Talker | Role::VideoSender if voice.is_some() => voice.map(Voice::material),
            Role::Talker => equipment.sound.as_ref(),
            Role::VideoSender => equipment.picture.as_ref(),
        };
        if let Some(material) = material {
            settings.video_codecs = material.video_codecs();
            settings.program = Program::Loop(Arc::clone(material));
        }
        settings.pin = scenario.pin.clone();
        settings.video = scenario.video;
        settings.network = equipment.network.clone();
        settings.network.impairment = planned.impairment;
        settings.network.inbound_impairment = planned.inbound_impairment;
        settings.leave_limit = equipment.leave_limit;
        settings.figures = Some(FIGURES);
        settings.gauge = Some(self.gauge(planned, lateness));
        if planned.is_decoded {
            // What is decoded must be what there is a decoder for.
            settings.video_codecs = vec![Codec::Vp8];
            settings.frames = self.frames(planned);
        }
        settings.seed = Some(planned.seed);
        Ok(settings)
    }

    /// Returns what a talker or video sender plays where there are marks.
    fn voice(&self, planned: &PlannedCaller) -> Option<&Voice> {
        match planned.role {
            Role::Talker | Role::VideoSender => self.equipment.voices.get(planned.place),
            Role::Listener | Role::Churner => None,
        }
    }

    /// Returns who is told of every frame that a caller sends.
    fn gauge(&self, planned: &PlannedCaller, lateness: &Arc<Lateness>) -> Arc<dyn Gauge> {
        match self.voice(planned) {
            Some(voice) => Arc::new(Mouth {
                lateness: Arc::clone(lateness),
                voice: voice.clone(),
                utterances: self.spoken.page(planned.conference, planned.place),
            }),
            None => Arc::clone(lateness) as Arc<dyn Gauge>,
        }
    }

    /// Returns where what a caller receives is decoded.
    fn frames(&self, planned: &PlannedCaller) -> Option<driver::FrameQueue> {
        let (ledger, spoken) = (self.ledger.clone(), self.spoken.clone());
        let voices = self.equipment.voices.len();
        Senses::begin(ledger, spoken, planned.conference, voices)
            .inspect_err(|error| warn!(%error, "nothing is decoded for a caller"))
            .ok()
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
                    let why = why.ok().and_then(|why| *why).unwrap_or(StopReason::Finished);
                    caller.stop(match life.is_on_its_way(Instant::now(), ON_ITS_WAY) {
                        true => StopReason::Interrupted,
                        false => why,
                    });
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
