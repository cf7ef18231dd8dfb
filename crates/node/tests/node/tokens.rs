//! Tokens over HTTP: life, refreshes in flight, expiry.

use std::time::Duration;

use node::NodeSettings;
use serde_json::json;

use crate::support::{Answer, open_node, settings, start, text};

#[tokio::test]
async fn a_token_looks_like_one() {
    let node = open_node().await;

    let alice = node.join("Alice").await;

    assert_eq!(alice.token.len(), 250);
    assert!(
        alice.token.ends_with('='),
        "as real ones do, for who forgets to percent-encode"
    );
    assert_eq!(alice.granted["expires"], "120");
}

#[tokio::test]
async fn a_refresh_gives_a_new_token_and_the_old_one_is_good_for_what_is_on_its_way() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    let refreshed = alice.post("refresh_token").await.ok();

    let fresh = text(&refreshed["token"]);
    assert_ne!(fresh, alice.token);
    assert_eq!(
        (&refreshed["expires"], &refreshed["role"]),
        (&json!("120"), &json!("HOST"))
    );
    alice.get("participants").await.ok();
    let participants = format!("{}/participants", node.conference("meet"));
    Answer::of(node.client.get(participants).header("token", fresh))
        .await
        .ok();
}

#[tokio::test]
async fn two_refreshes_in_flight_leave_one_good_token_whichever_answer_is_last() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    let (one, other) = tokio::join!(alice.post("refresh_token"), alice.post("refresh_token"));

    let (one, other) = (one.ok(), other.ok());
    assert_eq!(one["token"], other["token"]);
    assert_ne!(text(&one["token"]), alice.token);
    // The control: a refresh with the new one, in no flight with those, gives a third.
    let refresh = |token: &str| {
        let url = format!("{}/refresh_token", node.conference("meet"));
        Answer::of(node.client.post(url).header("token", token))
    };
    let third = refresh(&text(&one["token"])).await.ok();
    assert_ne!(third["token"], one["token"]);
}

#[tokio::test]
async fn a_client_that_hammers_is_survived() {
    let node = open_node().await;
    let mut alice = node.join("Alice").await;

    for _ in 0..200 {
        alice.token = text(&alice.post("refresh_token").await.ok()["token"]);
    }

    alice.get("participants").await.ok();
}

#[tokio::test]
async fn a_client_that_asks_again_and_again_for_what_is_refused_changes_nothing() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut seen_by_bob = bob.events().await;
    alice.post("release_token").await.ok();
    seen_by_bob.until("participant_delete").await;

    // As the web client does: without a pause, until what it had would have expired.
    for _ in 0..300 {
        alice
            .post("refresh_token")
            .await
            .refused(403, "Invalid token");
    }

    bob.post("lock").await.ok();
    let next = seen_by_bob.all_until("conference_update").await;
    let strange = next
        .iter()
        .find(|event| event.name.starts_with("participant"));
    assert_eq!(strange, None, "nobody came of it, and nobody went");
    bob.post("refresh_token").await.ok();
}

#[tokio::test]
async fn who_does_not_refresh_is_evicted_and_told_so() {
    let node = start(NodeSettings {
        token_life: Duration::from_secs(1),
        ..settings(&["meet"])
    })
    .await;
    let alice = node.join("Alice").await;
    let mut seen_by_alice = alice.events().await;
    let mut bob = node.join("Bob").await;
    let mut seen_by_bob = bob.events().await;
    let mut refresh = tokio::time::interval(Duration::from_millis(300));

    let gone = loop {
        tokio::select! {
            gone = seen_by_bob.until("participant_delete") => break gone,
            _ = refresh.tick() => bob.token = text(&bob.post("refresh_token").await.ok()["token"]),
        }
    };

    assert_eq!(gone["uuid"], alice.uuid);
    let all = seen_by_alice.all_until_end().await;
    let last = all.last().expect("a last word");
    assert_eq!(
        (last.name.as_str(), &last.data["reason"]),
        ("disconnect", &json!("Timer expired awaiting token refresh"))
    );
    alice
        .post("refresh_token")
        .await
        .refused(403, "Invalid token");
}
