//! Joins through the whole engine: how fast, how long each, at what cost.

use std::time::{Duration, Instant};

use crate::{
    engine::{CONFERENCES, Crowd, Part, PracticeNode},
    measure::{Cpu, Outcome},
    run::Failure,
};

/// Lets `count` callers with sound and picture join, so many a second.
pub(crate) fn run(count: usize, rate: u32, own_connections: bool) -> Result<Outcome, Failure> {
    let node = PracticeNode::start()?;
    let mut crowd = Crowd::new()?;
    let (cpu, node_cpu) = (Cpu::now()?, node.cpu()?);
    let begun = Instant::now();
    for at in 0..count {
        let due = begun + Duration::from_secs(1) * at as u32 / rate;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let part = Part {
            conference: at % CONFERENCES,
            material: None,
            video: true,
            video_codec: media::Codec::Vp8,
        };
        crowd.add(&node, &part, own_connections)?;
    }
    let (callers, took, failures) = crowd.join();
    let wall = begun.elapsed();
    let spent = Cpu::now()?.since(&cpu);
    let node_spent = node.cpu()?.saturating_sub(node_cpu);
    crowd.leave(callers);
    let mut outcome = Outcome::default();
    let joined = took.len() as f64;
    let mut took: Vec<f64> = took.iter().map(|t| t.as_secs_f64() * 1000.0).collect();
    outcome.set_percentiles("join", &mut took);
    outcome.set("joins_per_second", joined / wall.as_secs_f64());
    outcome.set("join_cpu", spent.as_secs_f64() * 1000.0 / joined.max(1.0));
    outcome.set(
        "node_cpu",
        node_spent.as_secs_f64() * 1000.0 / joined.max(1.0),
    );
    outcome.set("failures", failures as f64);
    Ok(outcome)
}
