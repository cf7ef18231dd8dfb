//! The model of the roster: whatever comes, goes and is cut, everybody ends with the node's roster.

use std::time::Duration;

use infinity::Profile;

use crate::world::{Withheld, World};

/// Lets things happen in a world of its own, waits until all that was sent has arrived, and
/// compares.
fn end_of(profile: Profile, seed: u64, withheld: Option<Withheld>) -> Result<usize, String> {
    let mut world = World::new(profile, 6, seed);
    world.withheld = withheld;
    world.come_and_go(60);
    // Longer than any pause before a stream is opened again.
    world.run_for(Duration::from_secs(60));
    world.check_rosters()?;
    Ok(world.present())
}

#[test]
fn two_hundred_worlds_end_in_the_roster_of_the_node() {
    let mut crowded = 0;
    for seed in 0..200 {
        let profile = [Profile::Modern, Profile::V10][seed as usize % 2];
        let present = end_of(profile, seed, None)
            .unwrap_or_else(|why| panic!("seed {seed} with a node of {profile:?}: {why}"));
        crowded += usize::from(present > 1);
    }
    // Worlds that end empty would prove little.
    assert!(
        crowded > 150,
        "{crowded} worlds of 200 end with more than one"
    );
}

#[test]
fn who_does_not_listen_to_departures_is_noticed() {
    for deaf_to in [Withheld::Deletes, Withheld::SyncEnds] {
        let noticed = (0..40).filter(|seed| end_of(Profile::Modern, *seed, Some(deaf_to)).is_err());
        let noticed = noticed.count();
        assert!(
            noticed > 10,
            "{deaf_to:?} is noticed in {noticed} worlds of 40"
        );
    }
}
