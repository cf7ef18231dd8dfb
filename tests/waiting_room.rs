//! The waiting room: who sits there says so, is let in by a host, and is heard only then; or gives up.

use crate::support::{
    A_CLIP, Observer, PracticeNode, Process, SOON, Stage, announce, turn, wait_for,
};

/// A conference whose guests wait for a host.
const WITH_GUESTS: [&str; 2] = ["--conference", "meet,pin=4711,guest_pin=none"];

/// Starts a participant in `meet`.
fn guest(node: &PracticeNode, more: &[&str]) -> Process {
    Process::start(&node.join(more))
}

#[tokio::test]
async fn who_waits_in_vain_ends_with_a_code_of_its_own_whoever_loses_patience_first() {
    let patient = PracticeNode::start(&WITH_GUESTS).await;
    let short = [&WITH_GUESTS[..], &["--waiting-room-seconds", "1"]].concat();
    let impatient = PracticeNode::start(&short).await;
    for (node, more) in [(&patient, &["--waiting-room", "1"][..]), (&impatient, &[])] {
        let mut guest = guest(node, more);
        guest.until_state("waiting_room").await;
        guest.ended(SOON).await.expect_one_line(7, "waiting room");
        Observer::join(node, "meet", Some("4711"))
            .await
            .expect_alone()
            .await;
    }
}

#[tokio::test]
async fn a_guest_is_let_in_by_the_arrival_of_a_host() {
    let node = PracticeNode::start(&WITH_GUESTS).await;
    let mut guest = guest(&node, &[]);
    guest.until_state("waiting_room").await;
    let host = Observer::join(&node, "meet", Some("4711")).await;
    guest.until_state("in_conference").await;
    guest.terminated().await.expect(0, "");
    host.expect_alone().await;
}

#[tokio::test]
async fn who_came_to_a_locked_conference_is_let_in_when_it_is_unlocked() {
    let node = PracticeNode::start(&[]).await;
    let host = Observer::join(&node, "meet", None).await;
    host.command("lock").await;
    let mut late = guest(&node, &[]);
    late.until_state("waiting_room").await;
    host.command("unlock").await;
    late.until_state("in_conference").await;
    late.terminated().await.expect(0, "");
    host.expect_alone().await;
}

#[tokio::test]
async fn who_is_let_in_by_name_is_heard_from_the_first_word_on() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let host = Observer::join(&stage.node, "meet", None).await;
    host.command("lock").await;
    let mut announcer = announce(&stage.node.http, &[]);
    announcer.until_state("waiting_room").await;
    let waiting = wait_for("the announcer in the roster", SOON, async || {
        let rows = host.others().await;
        let row = rows
            .iter()
            .find(|row| row["service_type"] == "waiting_room")?;
        Some(row["uuid"].as_str()?.to_owned())
    })
    .await;
    host.command(&format!("participants/{waiting}/unlock"))
        .await;
    announcer.ended(A_CLIP).await.expect(0, "");
    let judged = stage.recorded().await.judged();
    assert!(judged.is_heard_and_seen(), "{judged:?}");
}
