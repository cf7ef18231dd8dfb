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

/// Each worker has so many numbers for its callers, and so many workers have numbers of their own.
const MOST_CALLERS: usize = 1_000_000;
const MOST_WORKERS: usize = 4096;

/// Tells one caller to leave.
type Leave = watch::Sender<Option<StopReason>>;

/// The callers of one test.
pub(super) struct Crew {
    company: Company,
    scenario: Scenario,
    worker: u64,
    sent: usize,
    /// By role, in the order in which they came.
    callers: BTreeMap<Role, Vec<Member>>,
}

/// A caller that is to be there.
struct Member {
    conference: usize,
    leave: Leave,
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
            let member = self.sends(role);
            self.callers.entry(role).or_default().push(member);
        }
        if let Some(callers) = self.callers.get_mut(&role) {
            for member in callers.drain(count..) {
                member.leave.send_replace(Some(StopReason::Finished));
            }
        }
    }

    /// Lets everyone leave.
    pub(super) fn leave(&mut self) {
        self.set(&BTreeMap::new());
    }

    fn sends(&mut self, role: Role) -> Member {
        let there = |conference: usize, role: Role| {
            let members = self.callers.get(&role).map_or(&[][..], Vec::as_slice);
            members
                .iter()
                .filter(|member| member.conference == conference)
                .count()
        };
        let all = |conference| {
            self.callers
                .keys()
                .map(|role| there(conference, *role))
                .sum()
        };
        let conferences = self.scenario.conferences.len().max(1);
        let loads = (0..conferences).map(|n| (there(n, role), all(n))).collect();
        let (conference, place) = emptiest(loads, self.worker);
        let planned = caller(
            &self.scenario,
            self.worker,
            self.sent,
            role,
            (conference, place),
        );
        self.sent += 1;
        let stays = Stays::UntilTold {
            again: false,
            stay: (role == Role::Churner).then_some(self.scenario.stay),
            away: self.scenario.away,
        };
        let (leave, told) = watch::channel(None);
        self.company.send(planned, stays, told);
        Member { conference, leave }
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
        let worker = u32::try_from(self.worker).unwrap_or(u32::MAX);
        // A master says when a test ends: none is cut short.
        self.company.close(worker, None)
    }
}

/// Returns the conference with the fewest callers of a role, then with the fewest of all, and how
/// many of the role there are. Workers begin with different ones, so that together they fill them
/// evenly.
fn emptiest(loads: Vec<(usize, usize)>, worker: u64) -> (usize, usize) {
    let first = usize::try_from(worker).unwrap_or(0) % loads.len().max(1);
    (0..loads.len())
        .map(|n| (first + n) % loads.len())
        .min_by_key(|conference| loads[*conference])
        .map_or((0, 0), |conference| (conference, loads[conference].0))
}

/// Returns the worker's caller of this number, in this conference and at this place of it.
fn caller(
    scenario: &Scenario,
    worker: u64,
    number: usize,
    role: Role,
    (conference, place): (usize, usize),
) -> PlannedCaller {
    let seed = scenario.seed_of(worker, number as u64);
    let [impairment, inbound_impairment] = scenario.impairments_of(seed);
    let before = usize::try_from(worker).unwrap_or(0) % MOST_WORKERS * MOST_CALLERS;
    PlannedCaller {
        // So that results of several workers can be put together.
        number: before + number % MOST_CALLERS,
        conference,
        place,
        node: (conference + place) % scenario.nodes.len().max(1),
        role,
        display_name: scenario
            .display_name
            .replace("{n}", &format!("{}.{}", worker + 1, number + 1)),
        stays: Vec::new(),
        // Workers share conferences without telling each other who has which place, and so whose a mark is.
        is_decoded: false,
        impairment,
        inbound_impairment,
        seed,
    }
}

#[cfg(test)]
mod tests {
    use driver::NodeAddress;

    use super::*;

    #[test]
    fn workers_fill_conferences_evenly() {
        for conferences in 1..5 {
            let mut all = vec![0; conferences];
            for worker in 0..4 {
                let mut of_worker = vec![(0, 0); conferences];
                // Five listeners, then three talkers.
                for count in [5, 3] {
                    of_worker.iter_mut().for_each(|load| load.0 = 0);
                    for _ in 0..count {
                        let (conference, place) = emptiest(of_worker.clone(), worker);
                        assert_eq!(place, of_worker[conference].0);
                        of_worker[conference].0 += 1;
                        of_worker[conference].1 += 1;
                        all[conference] += 1;
                    }
                    let of_role = of_worker.iter().map(|load| load.0);
                    let spread = of_role.clone().max().zip(of_role.min());
                    assert!(spread.is_some_and(|(most, least)| most - least <= 1));
                }
            }
            let spread = all.iter().max().zip(all.iter().min());
            assert!(
                spread.is_some_and(|(most, least)| most - least <= 2),
                "{all:?}"
            );
        }
        assert_eq!(emptiest(vec![], 3), (0, 0));
    }

    #[test]
    fn callers_of_different_workers_have_different_names_and_chance() {
        let node = NodeAddress::Url("http://127.0.0.1".parse().expect("a URL"));
        let conference = "load-1".parse().expect("an alias");
        let mut scenario = Scenario::new(vec![node], vec![conference]);
        scenario.impairment.loss = 0.1;
        scenario.impaired_share = 0.5;
        let mut callers = Vec::new();
        for worker in 0..3 {
            for n in 0..4 {
                callers.push(caller(&scenario, worker, n, Role::Talker, (0, n)));
            }
        }
        assert_eq!(callers[5].display_name, "Load 2.2");
        assert_eq!(callers[5].number, 1_000_001);
        let mut names: Vec<_> = callers.iter().map(|one| &one.display_name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), callers.len());
        let mut seeds: Vec<_> = callers.iter().map(|one| one.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), callers.len());
        let impaired = callers.iter().filter(|one| one.impairment.is_some());
        assert!((1..12).contains(&impaired.count()), "half of them");
        assert_eq!(callers[3], caller(&scenario, 0, 3, Role::Talker, (0, 3)));
    }
}
