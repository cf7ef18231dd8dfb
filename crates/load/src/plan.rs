//! Who comes when, and what each does: a pure function of the scenario.

use std::ops::Range;
use std::time::Duration;

use driver::Impairment;

use crate::{Role, Scenario};

/// All callers of a load test, or of one shard of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// In the order of their numbers.
    pub callers: Vec<PlannedCaller>,
    /// When everyone leaves, counted from the start; the same for every shard.
    pub end: Duration,
}

/// One caller.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedCaller {
    /// Its number in the whole test, from 0.
    pub number: usize,
    /// Which of the conferences it joins.
    pub conference: usize,
    /// Its place in that conference, from 0.
    pub place: usize,
    /// Which of the nodes it tries first.
    pub node: usize,
    /// What it does.
    pub role: Role,
    /// Its name in the roster.
    pub display_name: String,
    /// When it is in the conference, counted from the start; several times for a churner.
    pub stays: Vec<Range<Duration>>,
    /// Whether it decodes what it receives.
    pub is_decoded: bool,
    /// What is wrong with its link, towards the node.
    pub impairment: Option<Impairment>,
    /// What is wrong with its link from the node.
    pub inbound_impairment: Option<Impairment>,
    /// Seed of its chance.
    pub seed: u64,
}

impl Plan {
    /// Makes the plan of the whole test.
    pub fn new(scenario: &Scenario) -> Self {
        Self::shard(scenario, 0, 1)
    }

    /// Makes the plan of shard `index` of `count`: every caller is in exactly one.
    pub fn shard(scenario: &Scenario, index: usize, count: usize) -> Self {
        let all = scenario.callers();
        let last = scenario.ramp.arrival(all.saturating_sub(1), all);
        let end = last.saturating_add(scenario.hold);
        let callers = (0..all)
            .filter(|number| number % count.max(1) == index)
            .map(|number| PlannedCaller::new(scenario, number, end))
            .collect();
        Self { callers, end }
    }
}

impl PlannedCaller {
    fn new(scenario: &Scenario, number: usize, end: Duration) -> Self {
        let conferences = scenario.conferences.len().max(1);
        let (conference, place) = (number % conferences, number / conferences);
        let role = scenario.roles.of(place);
        let seed = scenario.seed_of(0, number as u64);
        let arrival = scenario.ramp.arrival(number, scenario.callers());
        let [impairment, inbound_impairment] = scenario.impairments_of(seed);
        Self {
            number,
            conference,
            place,
            // A conference meets callers of all nodes.
            node: (conference + place) % scenario.nodes.len().max(1),
            role,
            display_name: scenario
                .display_name
                .replace("{n}", &(number + 1).to_string()),
            stays: stays(scenario, role, arrival, end),
            is_decoded: scenario.is_decoded(number),
            impairment,
            inbound_impairment,
            seed,
        }
    }
}

impl Scenario {
    /// Returns the seed of one caller's chance, among all callers of a worker.
    pub(crate) fn seed_of(&self, worker: u64, number: u64) -> u64 {
        // Mixed, so that neighbours do not have neighbouring chance (SplitMix64's increment).
        self.seed
            .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_add(worker.wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }

    /// Returns what is wrong with the link of a caller with this seed, to the node and from it.
    pub(crate) fn impairments_of(&self, seed: u64) -> [Option<Impairment>; 2] {
        let mut random = fastrand::Rng::with_seed(seed);
        let is_impaired = random.f64() < self.impaired_share;
        // What is lost one way says nothing of the other.
        [(self.impairment, seed), (self.inbound_impairment, !seed)].map(|(impairment, seed)| {
            let is_poor = is_impaired && !impairment.is_none();
            is_poor.then_some(Impairment { seed, ..impairment })
        })
    }
}

/// Returns when a caller who arrives at `arrival` is there.
fn stays(
    scenario: &Scenario,
    role: Role,
    arrival: Duration,
    end: Duration,
) -> Vec<Range<Duration>> {
    if role != Role::Churner {
        return vec![arrival..end];
    }
    let mut stays = Vec::new();
    let mut from = arrival;
    // A churner that would be gone before it is in does not come any more.
    while from < end && !scenario.stay.is_zero() {
        let until = from.saturating_add(scenario.stay).min(end);
        stays.push(from..until);
        from = until.saturating_add(scenario.away);
    }
    stays
}

/// Says whether a talker at `place` among `talkers` has the floor at this time since the start.
pub(crate) fn has_floor(
    turn: Option<Duration>,
    place: usize,
    talkers: usize,
    at: Duration,
) -> bool {
    match turn {
        Some(turn) if !turn.is_zero() && talkers > 1 => {
            (at.as_nanos() / turn.as_nanos()) % talkers as u128 == place as u128
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use driver::NodeAddress;

    use super::*;
    use crate::{Ramp, Roles};

    /// A scenario of any size and shape.
    fn any(random: &mut fastrand::Rng) -> Scenario {
        let node = |n: u8| NodeAddress::Url(format!("http://127.0.0.{n}").parse().expect("a URL"));
        let conference = |n: usize| format!("load-{n}").parse().expect("an alias");
        let mut scenario = Scenario::new(
            (1..=random.u8(1..4)).map(node).collect(),
            (0..random.usize(1..6)).map(conference).collect(),
        );
        scenario.participants = random.usize(3..40);
        scenario.roles = Roles {
            talkers: random.usize(0..2),
            video_senders: random.usize(0..2),
            churners: random.usize(0..2),
        };
        scenario.ramp = [
            Ramp::Rate { per_second: 20.0 },
            Ramp::Spike,
            Ramp::Steps {
                callers: random.usize(1..9),
                every: Duration::from_secs(2),
            },
            Ramp::Soak {
                over: Duration::from_secs(30),
            },
        ][random.usize(0..4)];
        scenario.impairment.loss = 0.02;
        scenario.inbound_impairment.delay = Duration::from_millis(20);
        scenario.impaired_share = 0.5;
        scenario.seed = random.u64(..);
        scenario
    }

    #[test]
    fn the_union_of_the_shards_is_the_whole() {
        for seed in 0..200 {
            let scenario = any(&mut fastrand::Rng::with_seed(seed));
            let whole = Plan::new(&scenario);
            let mut union = Vec::new();
            for index in 0..4 {
                let shard = Plan::shard(&scenario, index, 4);
                assert_eq!(shard.end, whole.end, "seed {seed}");
                union.extend(shard.callers);
            }
            union.sort_by_key(|caller| caller.number);
            assert_eq!(union, whole.callers, "seed {seed}");
            // The control: without one caller it is not the whole, and another cut is another.
            union.pop();
            assert_ne!(union, whole.callers, "seed {seed}");
            if whole.callers.len() > 4 {
                let of_five = Plan::shard(&scenario, 0, 5);
                assert_ne!(of_five, Plan::shard(&scenario, 0, 4), "seed {seed}");
            }
        }
    }

    #[test]
    fn another_seed_is_another_plan_and_the_same_seed_the_same() {
        let mut scenario = any(&mut fastrand::Rng::with_seed(3));
        let plan = Plan::new(&scenario);
        assert_eq!(Plan::new(&scenario), plan);
        scenario.seed += 1;
        assert_ne!(Plan::new(&scenario), plan);
    }

    #[test]
    fn conferences_are_filled_evenly_with_every_role() {
        let mut scenario = any(&mut fastrand::Rng::with_seed(1));
        scenario.roles = Roles {
            talkers: 2,
            video_senders: 0,
            churners: 1,
        };
        let plan = Plan::new(&scenario);
        for conference in 0..scenario.conferences.len() {
            let there: Vec<_> = plan
                .callers
                .iter()
                .filter(|caller| caller.conference == conference)
                .collect();
            assert_eq!(there.len(), scenario.participants);
            let with = |role| there.iter().filter(|caller| caller.role == role).count();
            assert_eq!((with(Role::Talker), with(Role::Churner)), (2, 1));
        }
    }

    #[test]
    fn a_churner_comes_back_until_the_end() {
        let mut scenario = any(&mut fastrand::Rng::with_seed(1));
        (scenario.stay, scenario.away) = (Duration::from_secs(4), Duration::from_secs(2));
        let seconds = |n| Duration::from_secs(n);
        let stays = stays(&scenario, Role::Churner, seconds(1), seconds(15));
        assert_eq!(
            stays,
            [
                seconds(1)..seconds(5),
                seconds(7)..seconds(11),
                seconds(13)..seconds(15)
            ]
        );
    }

    #[test]
    fn one_talker_at_a_time_has_the_floor() {
        let turn = Some(Duration::from_secs(5));
        for second in 0..60 {
            let at = Duration::from_secs(second);
            let talking: Vec<_> = (0..3).filter(|n| has_floor(turn, *n, 3, at)).collect();
            assert_eq!(talking, [(second / 5 % 3) as usize]);
        }
        assert!((0..3).all(|n| has_floor(None, n, 3, Duration::ZERO)));
    }
}
