//! All callers of a plan at work, and the generator watching itself.

use std::pin::pin;
use std::time::{Duration, Instant};

use driver::StopReason;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use crate::{Measurements, Plan, Scenario};

mod company;
mod equipment;
mod lookout;
mod stage;

pub(crate) use company::Company;
pub use equipment::{Connections, Equipment};
pub use lookout::Progress;
pub(crate) use stage::{FIGURES, Stays};

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
    let end = plan.end;
    let mut company = Company::new(scenario.clone(), equipment, start, end, None);
    let (stopping, stopped) = watch::channel(None);
    for mut planned in plan.callers {
        let stays = Stays::Planned(std::mem::take(&mut planned.stays).into_iter());
        company.send(planned, stays, stopped.clone());
    }
    drop(stopped);

    let mut stop = pin!(stop);
    let (mut reason, mut cut_short) = (None, None);
    let mut looks = looks();
    while !company.is_empty() {
        tokio::select! {
            () = company.one_left() => {}
            _ = looks.tick() => told(&company.look()),
            why = &mut stop, if reason.is_none() => {
                reason = Some(why);
                cut_short = cut(why, start.elapsed(), end);
                stopping.send_replace(Some(why));
            }
        }
    }
    told(&company.look());
    Ended {
        measurements: company.close(shard, cut_short),
        stopped: reason,
    }
}

/// Says what was lost by stopping at `at`: nothing, once everyone was leaving anyway.
fn cut(why: StopReason, at: Duration, end: Duration) -> Option<String> {
    let by = match why {
        StopReason::Interrupted => "interrupted",
        StopReason::Terminated => "told to end (SIGTERM)",
        _ => "stopped",
    };
    let (at, end) = (at.as_secs_f64(), end.as_secs_f64());
    (at < end).then(|| format!("{by} after {at:.0} of {end:.0} s"))
}

/// Returns the moments at which the generator looks at itself.
pub(crate) fn looks() -> Interval {
    let mut looks = interval_at(tokio::time::Instant::now() + LOOK, LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    looks
}
