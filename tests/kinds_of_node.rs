//! The same clip is heard and seen whatever kind of node it goes through.

use serde_json::Value;

use crate::support::{A_CLIP, Ended, PracticeNode, Stage, announce, turn};

/// Announces the clip through such a node; returns what the announcer printed.
async fn is_heard_and_seen(node: &[&str]) -> Ended {
    let _turn = turn().await;
    let stage = Stage::set(node).await;
    let announced = stage.announce().await;
    announced.expect(0, "");
    let judgement = stage.recorded().await.judged();
    assert!(judgement.is_heard_and_seen(), "{node:?}: {judgement:#?}");
    announced
}

/// Returns when a step of joining was reached, in seconds.
fn reached(announced: &Ended, step: &str) -> f64 {
    let of_step = |line: &String| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["step"] == step).then(|| line["after"].as_f64())?
    };
    announced
        .out
        .iter()
        .find_map(of_step)
        .unwrap_or_else(|| panic!("no {step}: {announced:#?}"))
}

#[tokio::test]
async fn that_begins_dtls_only_after_ack() {
    let announced = is_heard_and_seen(&["--fault", "late-dtls"]).await;
    assert!(
        reached(&announced, "dtls") > reached(&announced, "ack"),
        "{announced:#?}"
    );
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
