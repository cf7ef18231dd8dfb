//! Seeded random worlds against a small reference model: what must hold whatever happens.
//!
//! A failing seed is printed with the assertion; run it alone by setting `SEED`.

use std::collections::BTreeMap;

use participant::{Input, LeaveReason, Output};
use world::World;

#[path = "random/model.rs"]
mod model;
#[path = "random/node.rs"]
mod node;
#[path = "random/world.rs"]
mod world;

#[test]
fn what_must_hold_holds_in_ten_thousand_worlds() {
    let mut counts = BTreeMap::<_, usize>::new();
    let seeds = match std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..10_000,
    };
    let is_complete = seeds.end - seeds.start > 1;
    for seed in seeds {
        for (name, count) in World::new(seed).run() {
            *counts.entry(name).or_default() += count;
        }
    }
    if is_complete {
        // Worlds in which nothing happens would prove nothing.
        for name in [
            "request_token",
            "refresh_token",
            "release_token",
            "calls",
            "ack",
            "update",
        ] {
            let count = counts.get(name).copied().unwrap_or_default();
            assert!(count > 100, "only {count} times {name}: {counts:?}");
        }
    }
}

/// Returns the first request of a participant that was told to join.
fn first_request(world: &mut World) -> Output {
    world.participant.handle_input(world.now, Input::Join);
    world.participant.poll_output().expect("a request")
}

#[test]
#[should_panic(expected = "two token requests at once")]
fn the_model_notices_two_token_requests_at_once() {
    let mut world = World::new(0);
    let request = first_request(&mut world);
    world.model.check(world.now, &request);
    world.model.check(world.now, &request);
}

#[test]
#[should_panic(expected = "never released")]
fn the_model_notices_a_token_that_is_not_given_back() {
    let mut world = World::new(0);
    world.input(Input::Join);
    world.reply(true);
    world.model.settle(world.now);
}

#[test]
#[should_panic(expected = "an output after the end")]
fn the_model_notices_an_output_after_the_end() {
    let mut world = World::new(0);
    world.input(Input::Leave(LeaveReason::Stopped));
    let request = first_request(&mut World::new(0));
    world.model.check(world.now, &request);
}
