//! Callers that come and go as a master says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::StopReason;
use tokio::sync::watch;

use super::statistics::Statistics;
use crate::fleet::{Company, Stays};
use crate::{Equipment, Measurements, PlannedCaller, Progress, Role, Scenario};

/// How long a test is taken to be, for plots over time, if the master does not say.
const USUAL: Duration = Duration::from_secs(3600);

/// Tells one caller to leave.
type Leave = watch::Sender<Option<StopReason>>;

/// The callers of one test.
pub(super) struct Crew {
    company: Company,
    scenario: Scenario,
    worker: u64,
    sent: usize,
    /// By role, in the order in which they came.
    callers: BTreeMap<Role, Vec<Leave>>,
    /// How many of each role were sent so far.
    serials: BTreeMap<Role, usize>,
}

impl Crew {
    /// A crew without callers, of the worker of this number.
    pub(super) fn new(
        scenario: Scenario,
        equipment: Equipment,
        worker: u64,
        run_time: Option<Duration>,
        statistics: Arc<Statistics>,
    ) -> Self {
        let company = Company::new(
            scenario.clone(),
            equipment,
            Instant::now(),
            run_time.unwrap_or(USUAL),
            Some(statistics),
        );
        Self {
            company,
            scenario,
            worker,
            sent: 0,
            callers: BTreeMap::new(),
            serials: BTreeMap::new(),
        }
    }

    /// Sends callers and lets them leave, until there are so many of each role; those of a role
    /// who came last leave first.
    pub(super) fn set(&mut self, wanted: &BTreeMap<Role, usize>) {
        let absent: Vec<Role> = self.callers.keys().copied().collect();
        for role in absent.into_iter().filter(|role| !wanted.contains_key(role)) {
            self.set_role(role, 0);
        }
        for (role, count) in wanted {
            self.set_role(*role, *count);
        }
    }

    fn set_role(&mut self, role: Role, count: usize) {
        while self.callers.get(&role).map_or(0, Vec::len) < count {
            let leave = self.sends(role);
            self.callers.entry(role).or_default().push(leave);
        }
        if let Some(callers) = self.callers.get_mut(&role) {
            for leave in callers.drain(count..) {
                leave.send_replace(Some(StopReason::Finished));
            }
        }
    }

    /// Lets everyone leave.
    pub(super) fn leave(&mut self) {
        self.set(&BTreeMap::new());
    }

    fn sends(&mut self, role: Role) -> Leave {
        let serial = self.serials.entry(role).or_default();
        let planned = caller(&self.scenario, self.worker, self.sent, role, *serial);
        *serial += 1;
        self.sent += 1;
        let stays = Stays::UntilTold {
            again: false,
            stay: (role == Role::Churner).then_some(self.scenario.stay),
            away: self.scenario.away,
        };
        let (leave, told) = watch::channel(None);
        self.company.send(planned, stays, told);
        leave
    }

    /// Says whether everyone has left.
    pub(super) fn is_empty(&self) -> bool {
        self.company.is_empty()
    }

    /// Waits until one more has left for good.
    pub(super) async fn one_left(&mut self) {
        self.company.one_left().await;
    }

    /// Looks at the generator, and says how far the test has come.
    pub(super) fn look(&mut self) -> Progress {
        Progress {
            // Nobody but the master knows it.
            end: Duration::ZERO,
            ..self.company.look()
        }
    }

    /// Ends it, and returns all that was measured.
    pub(super) fn close(self) -> Measurements {
        self.company.close(0)
    }
}

/// Returns the caller that is the worker's `number`-th, and the `serial`-th of its role.
fn caller(
    scenario: &Scenario,
    worker: u64,
    number: usize,
    role: Role,
    serial: usize,
) -> PlannedCaller {
    let conferences = scenario.conferences.len().max(1);
    // Workers begin with different conferences, so that together they fill them evenly.
    let turn = usize::try_from(worker).unwrap_or(0).wrapping_add(serial);
    let (conference, place) = (turn % conferences, serial / conferences);
    let seed = scenario.seed_of(worker, number as u64);
    PlannedCaller {
        number,
        conference,
        place,
        node: (conference + place) % scenario.nodes.len().max(1),
        role,
        display_name: scenario
            .display_name
            .replace("{n}", &format!("{}.{}", worker + 1, number + 1)),
        stays: Vec::new(),
        impairment: scenario.impairment_of(seed),
        seed,
    }
}

#[cfg(test)]
mod tests {
    use driver::NodeAddress;

    use super::*;

    #[test]
    fn workers_fill_conferences_evenly_with_callers_of_different_names() {
        let node = NodeAddress::Url("http://127.0.0.1".parse().expect("a URL"));
        let conferences = (1..=3).map(|n| format!("load-{n}").parse().expect("an alias"));
        let mut scenario = Scenario::new(vec![node], conferences.collect());
        scenario.impairment.loss = 0.1;
        scenario.impaired_share = 0.5;
        let mut callers = Vec::new();
        for worker in 0..3 {
            for n in 0..4 {
                callers.push(caller(&scenario, worker, n, Role::Talker, n));
            }
        }
        for conference in 0..3 {
            let there = callers.iter().filter(|one| one.conference == conference);
            assert_eq!(there.count(), 4);
        }
        let mut names: Vec<_> = callers.iter().map(|one| &one.display_name).collect();
        assert_eq!(names[5], "Load 2.2");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), callers.len());
        let impaired = callers.iter().filter(|one| one.impairment.is_some());
        assert!((1..12).contains(&impaired.count()), "half of them");
        assert_eq!(callers[3], caller(&scenario, 0, 3, Role::Talker, 3));
    }
}
