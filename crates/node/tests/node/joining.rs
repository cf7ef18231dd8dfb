//! Coming in: PINs, roles, the waiting room, going out.

use serde_json::json;

use crate::support::{open_node, settings, start};

const PIN_WANTED: &str = "required";

#[tokio::test]
async fn everyone_is_a_host_where_there_is_no_pin() {
    let node = open_node().await;

    let alice = node.join("Alice").await;

    assert_eq!(alice.granted["role"], "HOST");
    assert_eq!(alice.granted["display_name"], "Alice");
    assert_eq!(alice.granted["current_service_type"], "conference");
}

#[tokio::test]
async fn pins_decide_the_role() {
    let node = start(settings(&["meet,pin=1234,guest_pin=5678"])).await;

    assert_eq!(
        node.join_with("Host", Some("1234")).await.granted["role"],
        "HOST"
    );
    assert_eq!(
        node.join_with("Guest", Some("5678")).await.granted["role"],
        "GUEST"
    );
    node.request_token("meet", "Eve", Some("0000"))
        .await
        .refused(403, "Invalid PIN");
}

#[tokio::test]
async fn without_a_pin_the_answer_says_which_are_wanted() {
    let both = start(settings(&["meet,pin=1,guest_pin=2"])).await;
    let hosts_alone = start(settings(&["meet,pin=1,guest_pin=none"])).await;

    let answer = both.request_token("meet", "Alice", None).await;
    assert_eq!(
        (answer.code, &answer.body["status"]),
        (403, &json!("success"))
    );
    let version = json!({ "version_id": "39", "pseudo_version": "77524.0.0" });
    assert_eq!(
        answer.body["result"],
        json!({ "pin": PIN_WANTED, "guest_pin": PIN_WANTED, "version": version })
    );

    let answer = hosts_alone.request_token("meet", "Alice", None).await;
    assert_eq!(answer.code, 403);
    assert_eq!(answer.body["result"]["guest_pin"], "none");
}

#[tokio::test]
async fn a_guest_without_pin_waits_for_the_host_and_is_let_in_by_it() {
    let node = start(settings(&["meet,pin=1234,guest_pin=none"])).await;
    let guest = node.join_with("Guest", Some("none")).await;
    assert_eq!(guest.granted["role"], "GUEST");
    assert_eq!(guest.granted["current_service_type"], "waiting_room");
    let mut events = guest.fresh_events().await;
    assert_eq!(events.until("conference_update").await["started"], false);
    assert_eq!(
        events.until("participant_create").await["service_type"],
        "waiting_room"
    );

    let host = node.join_with("Host", Some("1234")).await;

    events
        .until_some("participant_create", |row| {
            row["uuid"] == host.uuid.as_str()
        })
        .await;
    assert_eq!(events.until("conference_update").await["started"], true);
    let row = events
        .until_some("participant_update", |row| {
            row["uuid"] == guest.uuid.as_str()
        })
        .await;
    assert_eq!(row["service_type"], "conference");
    let late = node.join_with("Late guest", Some("none")).await;
    assert_eq!(late.granted["current_service_type"], "conference");
}

#[tokio::test]
async fn who_waits_cannot_talk() {
    let node = start(settings(&["meet,pin=1234,guest_pin=none"])).await;
    let guest = node.join_with("Guest", Some("none")).await;

    let answer = guest
        .post_json(
            "message",
            &json!({ "type": "text/plain", "payload": "psst" }),
        )
        .await;

    answer.refused(403, "Not in the conference yet");
}

#[tokio::test]
async fn a_body_may_be_absent_and_fields_unknown() {
    let node = open_node().await;
    let request_token = format!("{}/request_token", node.conference("meet"));

    for body in [
        "",
        "{}",
        r#"{"display_name":"A","sso_token":"none","breakout_rooms":true,"token":"none"}"#,
    ] {
        let response = node
            .client
            .post(&request_token)
            .body(body)
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), 200, "{body}");
    }
    let response = node
        .client
        .post(&request_token)
        .body("{")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn who_releases_its_token_is_gone() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut seen_by_bob = bob.events().await;
    let mut own = alice.events().await;

    assert_eq!(alice.post("release_token").await.ok(), true);

    assert_eq!(
        seen_by_bob.until("participant_delete").await,
        json!({ "uuid": alice.uuid })
    );
    let rest: Vec<_> = own
        .all_until_end()
        .await
        .into_iter()
        .map(|event| event.name)
        .collect();
    assert!(
        !rest.contains(&"disconnect".to_owned()),
        "nobody threw her out: {rest:?}"
    );
    alice
        .post("refresh_token")
        .await
        .refused(403, "Invalid token");
}

#[tokio::test]
async fn a_beacon_with_the_token_in_the_query_releases_it() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut events = bob.events().await;

    let url = format!(
        "{}/release_token?token={}",
        node.conference("meet"),
        alice.token.replace('=', "%3D")
    );
    let response = node
        .client
        .post(url)
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await;

    assert_eq!(response.expect("an answer").status(), 200);
    assert_eq!(events.until("participant_delete").await["uuid"], alice.uuid);
}
