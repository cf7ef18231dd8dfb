//! A node that speaks the published guide of version 10.

use infinity::Profile;
use node::NodeSettings;
use serde_json::{Value, json};

use crate::support::{TestNode, settings, start};

async fn v10_node(conference: &str) -> TestNode {
    start(NodeSettings {
        profile: Profile::V10,
        ..settings(&[conference])
    })
    .await
}

fn fields(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn answers_have_the_fields_of_the_guide_and_no_others() {
    let node = v10_node("meet").await;
    let alice = node.join("Alice").await;

    let mut granted = fields(&alice.granted);
    granted.sort_unstable();
    assert_eq!(
        granted,
        [
            "analytics_enabled",
            "chat_enabled",
            "current_service_type",
            "display_name",
            "expires",
            "participant_uuid",
            "role",
            "service_type",
            "token",
            "version",
        ]
    );
    assert_eq!(
        alice.granted["version"],
        json!({ "version_id": "10", "pseudo_version": "25010.0.0" })
    );
    let refreshed = alice.post("refresh_token").await.ok();
    assert_eq!(fields(&refreshed).len(), 2, "{refreshed}");
    assert_eq!(
        alice.get("conference_status").await.ok(),
        json!({ "guests_muted": false, "locked": false })
    );
    let row = &alice.get("participants").await.ok()[0];
    assert_eq!(fields(row).len(), 20, "{row}");
    assert_eq!(row["is_muted"], "NO");
}

#[tokio::test]
async fn requests_of_later_versions_are_unknown() {
    let node = v10_node("meet").await;
    let alice = node.join("Alice").await;

    for path in [
        "calls/c/new_candidate",
        "calls/c/update",
        "calls/c/statistics",
        "transfer",
        "client_mute",
        "client_unmute",
        "video_muted",
        "video_unmuted",
        "buzz",
        "clearbuzz",
        "role",
        "overlaytext",
        "message",
        "take_floor",
        "release_floor",
    ] {
        alice
            .post(&alice.path(path))
            .await
            .refused(404, "Resource not found");
    }
    assert_eq!(alice.get("theme/").await.code, 404);
    assert_eq!(alice.post(&alice.path("spotlighton")).await.ok(), true);
    alice
        .post(&alice.path("calls/c/ack"))
        .await
        .refused(404, "Call not found");
}

#[tokio::test]
async fn events_are_spelt_as_in_the_guide() {
    let node = v10_node("meet").await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut events = bob.fresh_events().await;

    let burst = events.all_until("stage").await;
    let names: Vec<_> = burst.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(
        names[..2],
        ["conference_update", "participant_sync_begin"],
        "no hello"
    );
    assert_eq!(
        burst[0].data,
        json!({ "guests_muted": false, "locked": false })
    );
    alice
        .post_json(
            "message",
            &json!({ "type": "text/plain", "payload": "Hello World" }),
        )
        .await
        .ok();
    assert_eq!(events.until("message").await["payload"], "Hello World");
    alice.post("muteguests").await.ok();
    assert_eq!(
        events.until("conference_update").await,
        json!({ "guests_muted": true, "locked": false })
    );
}

#[tokio::test]
async fn pins_and_the_waiting_room_work_the_same() {
    let node = v10_node("meet,pin=1,guest_pin=none").await;

    let answer = node.request_token("meet", "Alice", None).await;
    assert_eq!(answer.body["result"]["pin"], "required");
    assert_eq!(answer.body["result"]["version"]["version_id"], "10");
    let guest = node.join_with("Guest", Some("none")).await;
    assert_eq!(guest.granted["current_service_type"], "waiting_room");
    let mut events = guest.events().await;
    node.join_with("Host", Some("1")).await;
    assert_eq!(
        events.until("participant_update").await["service_type"],
        "conference"
    );
}
