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
async fn a_call_that_is_ended_in_the_middle_was_cut_short() {
    let _turn = turn().await;
    // Three seconds into each call; the listener's own end comes the same way.
    let node = PracticeNode::start(&["--fault", "peer-disconnect"]).await;
    let observer = Observer::join(&node, "meet", None).await;
    let listener = crate::support::Process::start(&[
        "join",
        "--json",
        "--node",
        &node.http,
        "--conference",
        "meet",
    ]);
    observer.until_others(1).await;

    let ended = announce(&node.http, &[]).ended(A_CLIP).await;
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.err.contains("standin: "),
        "no reason is given: {ended:#?}"
    );
    drop(listener);
}

#[tokio::test]
async fn a_node_that_dies_in_the_middle_was_not_heard() {
    let _turn = turn().await;
    let stage = Stage::set(&[]).await;
    let mut announcer = announce(&stage.node.http, &[]);
    announcer.until_notice("clip_started", A_CLIP).await;
    stage.node.killed().await;

    let ended = announcer.ended(A_CLIP).await;
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:#?}");
    assert!(
        ended.err.contains("standin: "),
        "no reason is given: {ended:#?}"
    );
}
