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

#[tokio::test]
async fn a_request_that_is_left_out_is_not_there_and_the_others_are() {
    let node = faulty_node("without=participants/mute".parse().expect("a fault")).await;
    let alice = node.join("Alice").await;

    let mute = alice.post(&alice.path("mute")).await;

    mute.refused(404, "Resource not found");
    alice.post(&alice.path("unmute")).await.ok();
}

#[tokio::test]
async fn an_event_that_is_left_out_is_never_sent() {
    let node = faulty_node("without=event/conference_update".parse().expect("a fault")).await;
    let alice = node.join("Alice").await;
    let mut events = alice.fresh_events().await;

    alice.post("lock").await.ok();
    node.join("Bob").await;

    let came = events.all_until("participant_create").await;
    let came = [came, events.all_until("participant_create").await].concat();
    assert!(
        came.iter().any(|event| event.data["display_name"] == "Bob"),
        "{came:?}"
    );
    assert!(
        came.iter().all(|event| event.name != "conference_update"),
        "{came:?}"
    );
}
