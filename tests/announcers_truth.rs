//! An announcement that was not heard says so, and why.

use crate::support::{A_CLIP, Observer, PracticeNode, Stage, announce, turn};

/// Hosts have a PIN, guests need none.
const WITH_GUESTS: &str = "meet,pin=4711,guest_pin=none";
const HOST_PIN: &str = "4711";

#[tokio::test]
async fn a_muted_guest_is_not_heard() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", WITH_GUESTS]).await;
    let stage = Stage::with_host(node, HOST_PIN).await;
    let host = Observer::join(&stage.node, "meet", Some(HOST_PIN)).await;
    host.command("muteguests").await;

    stage.announce().await.expect_one_line(1, "muted");
    host.until_others(1).await;
}

#[tokio::test]
async fn a_guest_that_nobody_mutes_is_heard() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", WITH_GUESTS]).await;
    let stage = Stage::with_host(node, HOST_PIN).await;

    stage.announce().await.expect(0, "");
    let judgement = stage.recorded().await.judged();
    assert!(judgement.is_heard_and_seen(), "{judgement:#?}");
}

#[tokio::test]
async fn nobody_hears_in_an_empty_room() {
    let node = PracticeNode::start(&[]).await;
    // In the roster, but without media: it does not count as a listener.
    let observer = Observer::join(&node, "meet", None).await;

    announce(&node.http, &[])
        .ended(A_CLIP)
        .await
        .expect_one_line(1, "nobody else");
    observer.expect_alone().await;
}

#[tokio::test]
async fn nobody_hears_from_the_waiting_room() {
    let node = PracticeNode::start(&["--conference", WITH_GUESTS]).await;

    announce(&node.http, &["--waiting-room", "2"])
        .ended(A_CLIP)
        .await
        .expect_one_line(7, "waiting room");
    Observer::join(&node, "meet", Some(HOST_PIN))
        .await
        .expect_alone()
        .await;
}

#[tokio::test]
async fn an_announcement_that_a_host_ends_in_the_middle_was_cut_short() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let host = Observer::join(&stage.node, "meet", None).await;
    let mut announcer = announce(&stage.node.http, &[]);
    announcer.until_notice("clip_started", A_CLIP).await;
    let rows = host.others().await;
    let own = rows.iter().find(|row| row["display_name"] == "Announcer");
    let uuid = own.and_then(|row| row["uuid"].as_str()).expect("its row");
    host.command(&format!("participants/{uuid}/disconnect"))
        .await;

    let ended = announcer.ended(A_CLIP).await;
    ended.expect_one_line(5, "cut short");
    host.until_others(1).await;
}

#[tokio::test]
async fn an_announcement_whose_only_listener_left_was_not_heard() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let mut announcer = announce(&stage.node.http, &[]);
    announcer.until_notice("clip_started", A_CLIP).await;
    stage.listener.terminated().await.expect(0, "");

    announcer
        .ended(A_CLIP)
        .await
        .expect_one_line(1, "left while the clip played");
}

#[tokio::test]
async fn a_node_that_dies_in_the_middle_was_not_heard() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let mut announcer = announce(&stage.node.http, &[]);
    announcer.until_notice("clip_started", A_CLIP).await;
    stage.node.killed().await;

    let ended = announcer.ended(A_CLIP).await;
    ended.expect_one_line(1, "not heard");
}
