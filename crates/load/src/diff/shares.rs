//! What is counted, as shares of what it is counted among: two runs have not done equally much.

use std::collections::BTreeSet;

use super::{Compared, Spread, judge};
use crate::metric::Better;
use crate::{Counter, Measurements, RunResult};

/// How many packets are lost together, as in a full queue: so many count as one.
const BURST: f64 = 4.0;

/// A share: its name, what it is of, which way it is better, and how many come together.
type Share = (&'static str, fn(&Measurements) -> (u64, u64), Better, f64);

const SHARES: [Share; 9] = [
    (
        "joins.ok / joins",
        |all| (all.counter(Counter::JoinsOk), joins(all)),
        Better::Higher,
        1.0,
    ),
    (
        "failures / joins",
        |all| (all.failures().values().sum(), joins(all)),
        Better::Lower,
        1.0,
    ),
    (
        "no room / joins",
        |all| (all.capacity().values().sum(), joins(all)),
        Better::Lower,
        1.0,
    ),
    (
        "tokens.kept / joins",
        |all| (all.counter(Counter::TokensKept), joins(all)),
        Better::Lower,
        1.0,
    ),
    (
        "events.lost / joins",
        |all| (all.counter(Counter::EventStreamsLost), joins(all)),
        Better::Lower,
        1.0,
    ),
    (
        "requests.failed / requests",
        |all| of(all, Counter::RequestsFailed, Counter::RequestsOk),
        Better::Lower,
        1.0,
    ),
    (
        "refreshes.failed / refreshes",
        |all| of(all, Counter::RefreshesFailed, Counter::RefreshesOk),
        Better::Lower,
        1.0,
    ),
    (
        "packets.lost / packets",
        |all| of(all, Counter::PacketsLost, Counter::PacketsReceived),
        Better::Lower,
        BURST,
    ),
    (
        "packets.resent / packets",
        |all| of(all, Counter::PacketsResent, Counter::PacketsSent),
        Better::Lower,
        BURST,
    ),
];

fn joins(all: &Measurements) -> u64 {
    all.counter(Counter::JoinsAttempted)
}

/// The one, as a share of both together.
fn of(all: &Measurements, one: Counter, other: Counter) -> (u64, u64) {
    let part = all.counter(one);
    (part, part.saturating_add(all.counter(other)))
}

/// Every share of both runs, and every reason of failures.
pub(super) fn compared(before: &RunResult, after: &RunResult, tolerance: f64) -> Vec<Compared> {
    let (old, new) = (&before.measurements, &after.measurements);
    let compare = |what: String, share: &dyn Fn(&Measurements) -> (u64, u64), better, bunch| {
        let spread = |all: &Measurements| {
            let (part, whole) = share(all);
            Spread::of_share(part, whole, bunch)
        };
        let (before, after) = (spread(old), spread(new));
        let judgement = judge(before, after, better, tolerance)?;
        Some(Compared {
            what,
            judgement,
            before,
            after,
        })
    };
    let mut all: Vec<Compared> = SHARES
        .iter()
        .filter_map(|(what, share, better, bunch)| {
            compare((*what).to_owned(), share, *better, *bunch)
        })
        .collect();
    let reasons: BTreeSet<&String> = old.failures().keys().chain(new.failures().keys()).collect();
    all.extend(reasons.into_iter().filter_map(|reason| {
        let share = |all: &Measurements| {
            let count = all.failures().get(reason).copied();
            (count.unwrap_or_default(), joins(all))
        };
        compare(format!("failures: {reason}"), &share, Better::Lower, 1.0)
    }));
    all
}
