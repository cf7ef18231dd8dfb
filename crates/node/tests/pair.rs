//! Participants and the conference logic of the node in one thread, in virtual time: latency,
//! lost requests, lost replies, event streams cut, the node restarted. It has to end in agreement.

#[path = "pair/rosters_agree.rs"]
mod rosters_agree;
#[path = "pair/world.rs"]
mod world;

use std::time::Duration;

use infinity::Profile;
use world::{Misfortunes, Withheld, World};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn two_come_see_each_other_and_go() {
    let mut world = World::new(Profile::Modern, 2, 1);
    world.join_all();
    world.run_for(Duration::from_secs(5));
    world.check_agreement().expect("agreement");
    world.leave_all();
    world.check_farewell().expect("nothing left behind");
}

/// Lets a week pass with a misfortune every few minutes, and checks after every six hours that
/// three calm minutes are enough for everybody to agree.
fn a_week_passes(profile: Profile, seed: u64) {
    let mut world = World::new(profile, 4, seed);
    world.join_all();
    for _ in 0..28 {
        world.misfortunes = Misfortunes::every(Duration::from_secs(300));
        world.run_for(6 * HOUR - Duration::from_secs(360));
        world.misfortunes = Misfortunes::none();
        // The longest pause of a back-off, and the life of a token that nobody knows of.
        world.run_for(Duration::from_secs(180));
        world.begin_calm();
        world.run_for(Duration::from_secs(180));
        world
            .check_agreement()
            .expect("agreement after three calm minutes");
        world
            .check_calm()
            .expect("nothing happens while it is calm");
    }
    world.leave_all();
    world.check_farewell().expect("nothing left behind");
    let tally = world.tally();
    // A week in which nothing went wrong would prove nothing.
    assert!(
        tally.refreshes > 30_000 && tally.restarts > 50 && tally.cut_streams > 100,
        "{tally:?}"
    );
    assert!(
        tally.lost_requests > 100 && tally.lost_replies > 100,
        "{tally:?}"
    );
    // A lost reply, a cut stream, lost media: none of them costs a token, but for a handful of
    // times when everything comes together. Only a restart does, for each of the four.
    assert!(tally.joined_again <= 4 * tally.restarts + 40, "{tally:?}");
    #[expect(
        clippy::print_stdout,
        reason = "what happened in the week is what to look at"
    )]
    {
        println!("a week with a node of {profile:?}: {tally:?}");
    }
}

#[test]
fn a_week_with_a_modern_node_ends_in_agreement() {
    a_week_passes(Profile::Modern, 7);
}

#[test]
fn a_week_with_a_node_of_version_10_ends_in_agreement() {
    a_week_passes(Profile::V10, 8);
}

#[test]
fn a_day_in_other_worlds_ends_in_agreement_too() {
    for seed in 100..110 {
        let mut world = World::new(Profile::Modern, 3, seed);
        world.join_all();
        world.misfortunes = Misfortunes::every(Duration::from_secs(60));
        world.run_for(24 * HOUR);
        world.misfortunes = Misfortunes::none();
        world.run_for(Duration::from_secs(300));
        world
            .check_agreement()
            .unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        world.leave_all();
        world
            .check_farewell()
            .unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn who_never_refreshes_is_evicted_and_the_check_notices() {
    let mut world = World::new(Profile::Modern, 2, 2);
    world.withheld = Some(Withheld::Refresh);
    world.join_all();
    world.run_for(Duration::from_secs(30));
    world.begin_calm();
    world.run_for(Duration::from_secs(180));
    let why = world.check_calm().expect_err("an eviction goes unnoticed");
    assert!(why.contains("joined again"), "{why}");
}

#[test]
fn a_token_that_is_not_released_is_noticed() {
    let mut world = World::new(Profile::Modern, 2, 3);
    world.join_all();
    world.run_for(Duration::from_secs(5));
    world.withheld = Some(Withheld::Release);
    world.leave_all();
    let why = world
        .check_farewell()
        .expect_err("a token left behind goes unnoticed");
    assert!(why.contains("still there"), "{why}");
}

#[test]
fn a_roster_that_differs_is_noticed() {
    let mut world = World::new(Profile::Modern, 2, 4);
    world.join_all();
    world.run_for(Duration::from_secs(5));
    world.withheld = Some(Withheld::Events);
    world.leave(1);
    world.run_for(Duration::from_secs(5));
    world
        .check_agreement()
        .expect_err("a stale roster goes unnoticed");
}
