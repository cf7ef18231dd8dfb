//! Misfortunes on purpose, seen from outside. Those that need only time are in `logic`.

use std::time::{Duration, Instant};

use node::Fault;
use serde_json::json;

use crate::support::{DEADLINE, faulty_node, open_node};

#[tokio::test]
async fn events_cut_cuts_in_the_middle_of_a_line() {
    let node = faulty_node(Fault::EventsCut).await;
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;

    let ending = tokio::time::timeout(DEADLINE, events.next())
        .await
        .expect("in time");

    let error = ending.expect_err("it is cut, not ended");
    assert!(error.contains("participant_update"), "{error}");
    alice.events().await;
}

#[tokio::test]
async fn refresh_403_refuses_every_refresh_and_survives_a_client_that_hammers() {
    let node = faulty_node(Fault::Refresh403).await;
    let alice = node.join("Alice").await;

    for _ in 0..100 {
        alice
            .post("refresh_token")
            .await
            .refused(403, "Invalid token");
    }
    alice.get("participants").await.ok();
}

#[tokio::test]
async fn slow_answers_are_slow() {
    let slow = faulty_node(Fault::SlowAnswers).await;
    let start = Instant::now();
    slow.join("Alice").await;
    assert!(start.elapsed() >= Duration::from_secs(2));

    let quick = open_node().await;
    let start = Instant::now();
    quick.join("Alice").await;
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn no_sdp_answers_a_call_without_any() {
    let node = faulty_node(Fault::NoSdp).await;
    let alice = node.join("Alice").await;

    let answer = alice
        .post_json(
            &alice.path("calls"),
            &json!({ "call_type": "WEBRTC", "sdp": "v=0" }),
        )
        .await
        .ok();

    assert_eq!(answer["sdp"], "");
    assert!(answer["call_uuid"].is_string());
}
