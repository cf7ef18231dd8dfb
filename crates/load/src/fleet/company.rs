//! Callers at work together, on their threads and watched, whoever says when each comes and goes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::{Shard, StopReason};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::warn;

use super::lookout::Watch;
use super::stage::{Stage, Stays, live};
use super::{Equipment, Progress};
use crate::generator::{self, Lateness};
use crate::ledger::{Ledger, Onlooker};
use crate::marks::Spoken;
use crate::standing::Board;
use crate::{Measurements, PlannedCaller, Scenario};

/// Callers that share a stage, and the generator watched meanwhile.
pub(crate) struct Company {
    stage: Arc<Stage>,
    /// Where callers run, and how late frames leave there.
    shards: Vec<(Shard, Arc<Lateness>)>,
    callers: JoinSet<()>,
    trying: Vec<JoinHandle<()>>,
    watch: Watch,
}

impl Company {
    /// A company without callers. `end` is when everyone leaves, counted from `start`.
    pub(crate) fn new(
        scenario: Scenario,
        equipment: Equipment,
        start: Instant,
        end: Duration,
        onlooker: Option<Arc<dyn Onlooker>>,
    ) -> Self {
        let ledger = Ledger::new(start, end, &scenario.conferences, onlooker);
        let board = Board::default();
        let shards: Vec<_> = (0..equipment.shards.count())
            .map(|_| (equipment.shards.next(), Arc::new(Lateness::default())))
            .collect();
        let timers = Arc::new(Lateness::default());
        let trying = shards
            .iter()
            .map(|(shard, _)| generator::try_timers(shard, Arc::clone(&timers)))
            .collect();
        let lateness = shards.iter().map(|(_, late)| Arc::clone(late)).collect();
        let watch = Watch::new(ledger.clone(), board.clone(), lateness, timers, end);
        let stage = Stage {
            scenario,
            equipment,
            ledger,
            board,
            spoken: Spoken::default(),
            start,
        };
        Self {
            stage: Arc::new(stage),
            shards,
            callers: JoinSet::new(),
            trying,
            watch,
        }
    }

    /// Sends another caller, which comes and goes as `stays` says until `stopped` tells it to leave.
    pub(crate) fn send(
        &mut self,
        planned: PlannedCaller,
        stays: Stays,
        stopped: watch::Receiver<Option<StopReason>>,
    ) {
        self.stage.board.adds();
        self.stage.ledger.tally(planned.conference).adds();
        // There is at least one: a process has threads.
        let (shard, lateness) = &self.shards[planned.number % self.shards.len()];
        let life = live(
            Arc::clone(&self.stage),
            planned,
            stays,
            shard.clone(),
            Arc::clone(lateness),
            stopped,
        );
        self.callers.spawn_on(life, shard.handle());
    }

    /// Says whether all callers are gone for good.
    pub(crate) fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }

    /// Waits until one more caller is gone for good.
    pub(crate) async fn one_left(&mut self) {
        if let Some(Err(error)) = self.callers.join_next().await {
            warn!(%error, "a caller of the load test ended by itself");
            self.stage.ledger.failed("defect of the load tester");
        }
    }

    /// Looks at the generator, and says how far it has come.
    pub(crate) fn look(&mut self) -> Progress {
        self.watch.look()
    }

    /// Ends it, and returns all that was measured. `shard` is its number among its siblings;
    /// `cut_short` says by what and when it was told to stop before its time.
    pub(crate) fn close(mut self, shard: u32, cut_short: Option<String>) -> Measurements {
        for task in self.trying.drain(..) {
            task.abort();
        }
        let mut generator = self.watch.sum_up(&self.stage.equipment.limits);
        generator.cut_short = cut_short;
        let mut measurements = self.stage.ledger.lock().clone();
        measurements.generator(shard, generator);
        measurements
    }
}
