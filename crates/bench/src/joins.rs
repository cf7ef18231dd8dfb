//! Joins through the whole engine: how fast, how long each, at what cost to either side.

use std::time::{Duration, Instant};

use crate::{
    engine::{BothCpu, CONFERENCES, Call, Crowd, Joined, Part, PracticeNode},
    measure::Outcome,
    run::Failure,
};

/// How long what flows without anybody joining is measured, and how long after the last has come.
const FLOWING: Duration = Duration::from_secs(2);
const SETTLING: Duration = Duration::from_secs(1);
/// How often callers tell how many events they had, where that is asked for.
const FIGURES: Duration = Duration::from_millis(500);

/// How callers join.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joins {
    pub(crate) callers: usize,
    /// How many begin in a second.
    pub(crate) rate: u32,
    pub(crate) own_connections: bool,
    pub(crate) call: Call,
    /// Over how many conferences they are spread.
    pub(crate) conferences: usize,
}

/// Lets callers join, and measures what that took of both sides, with and without what flows
/// meanwhile for those who are in already.
pub(crate) fn run(joins: &Joins) -> Result<Outcome, Failure> {
    let counts_events = joins.conferences == 1;
    let node = PracticeNode::start()?;
    let mut crowd = Crowd::new()?;
    let before = BothCpu::now(&node)?;
    let begun = Instant::now();
    for at in 0..joins.callers {
        let due = begun + Duration::from_secs(1) * at as u32 / joins.rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let part = Part {
            conference: at % joins.conferences.clamp(1, CONFERENCES),
            call: joins.call,
            material: None,
            video_codec: media::Codec::Vp8,
            figures: counts_events.then_some(FIGURES),
        };
        crowd.add(&node, &part, joins.own_connections)?;
    }
    let (mut joined, failures) = crowd.join();
    let all_in = Instant::now();
    let spent = BothCpu::now(&node)?.since(before);
    std::thread::sleep(SETTLING);
    let still = BothCpu::now(&node)?;
    std::thread::sleep(FLOWING);
    let flowed = BothCpu::now(&node)?.since(still);

    let count = joined.len().max(1) as f64;
    let mut outcome = Outcome::default();
    let mut took: Vec<f64> = joined
        .iter()
        .map(|one| one.took.as_secs_f64() * 1000.0)
        .collect();
    outcome.set_percentiles("join", &mut took);
    let last = joined.iter().map(|one| one.at).max().unwrap_or(all_in);
    let wall = last.saturating_duration_since(begun).as_secs_f64();
    outcome.set("joins_per_second", joined.len() as f64 / wall);
    let present = present(&joined, all_in);
    for (side, spent, flowed) in [
        ("callers", spent.callers, flowed.callers),
        ("node", spent.node, flowed.node),
    ] {
        // Of one participant in a second.
        let flows = flowed.as_secs_f64() / FLOWING.as_secs_f64() / count;
        let of_joins = spent.as_secs_f64() - flows * present.as_secs_f64();
        outcome.set(&format!("{side}_cpu"), spent.as_secs_f64() * 1000.0 / count);
        outcome.set(&format!("{side}_net"), of_joins * 1000.0 / count);
        outcome.set(&format!("{side}_flows"), flows * 100.0);
    }
    if counts_events {
        let (events, bytes) = all_events(&crowd, &mut joined)?;
        outcome.set("events", events as f64);
        outcome.set("event_bytes", bytes as f64);
        outcome.set("wall", wall);
    }
    crowd.leave(joined);
    outcome.set("failures", failures as f64);
    Ok(outcome)
}

/// Counts all events and their bytes, once nobody has any more to read.
fn all_events(crowd: &Crowd, joined: &mut [Joined]) -> Result<(u64, u64), Failure> {
    let mut before = (0, 0);
    loop {
        let (now, mut all) = (Instant::now(), (0, 0));
        for one in &mut *joined {
            let figures = crowd.figures(&mut one.caller, now);
            let figures = figures.ok_or("a caller told no figures")?;
            all.0 += figures.events;
            all.1 += figures.event_bytes;
        }
        // Pings still come, one for each now and then.
        if all.0 - before.0 <= joined.len() as u64 {
            return Ok(all);
        }
        before = all;
    }
}

/// How long participants were in, all together, up to `until`.
fn present(joined: &[Joined], until: Instant) -> Duration {
    joined
        .iter()
        .map(|one| until.saturating_duration_since(one.at))
        .sum()
}
