//! A silent, black or wrong node makes the very check fail that `standin demo` and the story of hearing pass.

use serde_json::Value;

use crate::support::{A_CLIP, Ended, Process, turn};

async fn demo(arguments: &[&str]) -> Ended {
    let _turn = turn().await;
    let directory = tempfile::tempdir().unwrap();
    let keep = [
        "demo",
        "--json",
        "--directory",
        directory.path().to_str().unwrap(),
    ];
    Process::start(&[&keep, arguments].concat())
        .ended(A_CLIP)
        .await
}

fn verdict(ended: &Ended) -> (bool, bool) {
    let verdict: Value = ended.last_json();
    (
        verdict["heard"].as_bool().unwrap(),
        verdict["seen"].as_bool().unwrap(),
    )
}

#[tokio::test]
async fn without_a_fault_the_demonstration_is_heard_and_seen() {
    let ended = demo(&[]).await;
    ended.expect(0, "");
    assert_eq!(verdict(&ended), (true, true), "{ended:#?}");
}

#[tokio::test]
async fn a_silent_node_is_not_heard() {
    let ended = demo(&["--fault", "silent"]).await;
    ended.expect(1, "not heard");
    assert_eq!(verdict(&ended), (false, true), "{ended:#?}");
}

#[tokio::test]
async fn a_black_node_is_not_seen() {
    let ended = demo(&["--fault", "black"]).await;
    ended.expect(1, "not seen");
    assert_eq!(verdict(&ended), (true, false), "{ended:#?}");
}

#[tokio::test]
async fn the_wrong_clip_is_neither() {
    let ended = demo(&["--fault", "wrong-clip"]).await;
    ended.expect(1, "not heard");
    assert_eq!(verdict(&ended), (false, false), "{ended:#?}");
}
