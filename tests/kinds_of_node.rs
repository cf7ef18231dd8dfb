//! The same clip is heard and seen whatever kind of node it goes through.

use crate::support::{A_CLIP, PracticeNode, Stage, announce, turn};

async fn is_heard_and_seen(node: &[&str]) {
    let _turn = turn().await;
    let stage = Stage::set(node).await;
    stage.announce().await.expect(0, "");
    let judgement = stage.recorded().await.judged();
    assert!(judgement.is_heard_and_seen(), "{node:?}: {judgement:#?}");
}

#[tokio::test]
async fn that_begins_dtls_only_after_ack() {
    is_heard_and_seen(&["--fault", "late-dtls"]).await;
}

#[tokio::test]
async fn of_version_10_which_knows_no_trickle() {
    is_heard_and_seen(&["--profile", "v10"]).await;
}

#[tokio::test]
async fn of_version_10_which_begins_dtls_only_after_ack() {
    is_heard_and_seen(&["--profile", "v10", "--fault", "late-dtls"]).await;
}

#[tokio::test]
async fn that_loses_its_event_streams() {
    is_heard_and_seen(&["--fault", "events-cut"]).await;
}

#[tokio::test]
async fn over_https() {
    let _turn = turn().await;
    let stage = Stage::around(PracticeNode::start(&[]).await).await;
    announce(&stage.node.https, &["--insecure"])
        .ended(A_CLIP)
        .await
        .expect(0, "");
    let judgement = stage.recorded().await.judged();
    assert!(judgement.is_heard_and_seen(), "{judgement:#?}");
}
