//! All callers of a plan at work, and the generator watching itself.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::StopReason;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at};
use tracing::warn;

use crate::generator::{self, Lateness};
use crate::ledger::Ledger;
use crate::standing::Board;
use crate::{Measurements, Plan, Scenario};

mod equipment;
mod lookout;
mod stage;

pub use equipment::{Connections, Equipment};
pub use lookout::Progress;
use lookout::Watch;
use stage::{Stage, live};

/// How often the generator looks at itself, and whoever watches is told.
const LOOK: Duration = Duration::from_secs(1);

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
