//! The floor, as those see it who do not have it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Member, open_node};

fn start_of(who: &Member, name: &str) -> Value {
    json!({ "presenter_name": name, "presenter_uri": name, "presenter_uuid": who.uuid })
}

#[tokio::test]
async fn a_presentation_begins_is_taken_over_and_ends() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let carol = node.join("Carol").await;
    let mut seen = carol.events().await;

    assert_eq!(
        alice.post(&alice.path("take_floor")).await.ok(),
        Value::Null
    );
    let row = seen.until("participant_update").await;
    assert_eq!(
        (&row["uuid"], &row["is_presenting"]),
        (&json!(alice.uuid), &json!("YES"))
    );
    assert_eq!(
        seen.until("presentation_start").await,
        start_of(&alice, "Alice")
    );
    let mut late = carol.fresh_events().await;
    assert_eq!(
        late.until("presentation_start").await,
        start_of(&alice, "Alice")
    );

    bob.post(&bob.path("take_floor")).await.ok();
    assert_eq!(
        seen.until("participant_update").await["is_presenting"],
        "NO"
    );
    assert_eq!(
        seen.until("presentation_start").await,
        start_of(&bob, "Bob")
    );
    bob.post(&bob.path("release_floor")).await.ok();
    seen.until("presentation_stop").await;

    alice.post(&alice.path("take_floor")).await.ok();
    seen.until("presentation_start").await;
    alice.post("release_token").await.ok();
    seen.until("presentation_stop").await;
    bob.post(&carol.path("take_floor"))
        .await
        .refused(403, "The floor is not yours");
}

#[tokio::test]
async fn the_presenter_is_not_told_of_itself() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let mut own = alice.events().await;

    alice.post(&alice.path("take_floor")).await.ok();

    own.until("participant_update").await;
    own.none_of("presentation_start", Duration::from_millis(300))
        .await;
}

#[tokio::test]
async fn who_is_denied_presentations_is_told_of_none_until_they_are_allowed() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut seen = bob.events().await;
    alice.post(&bob.path("denyrxpresentation")).await.ok();
    alice.post(&alice.path("take_floor")).await.ok();
    seen.until_some("participant_update", |row| row["is_presenting"] == "YES")
        .await;
    seen.none_of("presentation_start", Duration::from_millis(300))
        .await;

    alice.post(&bob.path("allowrxpresentation")).await.ok();
    seen.until("presentation_start").await;
    alice.post(&bob.path("denyrxpresentation")).await.ok();
    seen.until("presentation_stop").await;
}
