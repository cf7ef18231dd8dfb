//! The event stream and the roster.

use serde_json::{Value, json};

use crate::support::{Answer, open_node};

#[tokio::test]
async fn a_stream_begins_with_the_whole_roster_in_its_bracket() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;

    let burst = alice.fresh_events().await.all_until("stage").await;

    let names: Vec<_> = burst.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "hello",
            "conference_update",
            "participant_sync_begin",
            "participant_create",
            "participant_create",
            "participant_sync_end",
            "stage"
        ]
    );
    assert_eq!(burst[2].data, Value::Null);
    assert_eq!(burst[3].data["uuid"], alice.uuid);
    assert_eq!(burst[4].data["uuid"], bob.uuid);
    assert_eq!(burst[6].data, json!([]));
    let mut ids: Vec<_> = burst.iter().map(|event| &event.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), burst.len(), "each has an id of its own");
}

#[tokio::test]
async fn who_comes_and_goes_is_told_to_the_others() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;

    let bob = node.join("Bob").await;
    let row = events.until("participant_create").await;
    assert_eq!(
        (&row["display_name"], &row["uuid"]),
        (&json!("Bob"), &json!(bob.uuid))
    );
    assert_eq!(
        alice.get("participants").await.ok()[1],
        row,
        "both say the same"
    );

    bob.post("release_token").await.ok();
    assert_eq!(events.until("participant_delete").await["uuid"], bob.uuid);
    assert_eq!(
        alice
            .get("participants")
            .await
            .ok()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_second_stream_on_one_token_is_tolerated() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let mut first = alice.events().await;
    let mut second = alice.events().await;

    let bob = node.join("Bob").await;

    for events in [&mut first, &mut second] {
        assert_eq!(events.until("participant_create").await["uuid"], bob.uuid);
    }
    drop(first);
    bob.post("release_token").await.ok();
    assert_eq!(second.until("participant_delete").await["uuid"], bob.uuid);
}

#[tokio::test]
async fn a_stream_may_take_the_token_from_the_header() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let request = node
        .client
        .get(format!("{}/events", node.conference("meet")));

    let response = request
        .header("token", &alice.token)
        .send()
        .await
        .expect("an answer");

    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn no_stream_without_a_token() {
    let node = open_node().await;
    let events = format!("{}/events", node.conference("meet"));

    Answer::of(node.client.get(&events))
        .await
        .refused(403, "Invalid token");
    Answer::of(node.client.get(format!("{events}?token=made-up")))
        .await
        .refused(403, "Invalid token");
}

#[tokio::test]
async fn a_chat_message_reaches_the_others() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut events = bob.events().await;

    let sent = json!({ "type": "text/plain", "payload": "Größe: 7\nand \"more\"" });
    assert_eq!(alice.post_json("message", &sent).await.ok(), true);

    assert_eq!(
        events.until("message_received").await,
        json!({
            "origin": "Alice",
            "uuid": alice.uuid,
            "type": "text/plain",
            "payload": "Größe: 7\nand \"more\"",
        })
    );
}
