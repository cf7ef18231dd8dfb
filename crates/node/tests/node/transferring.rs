//! Going from one conference to another with a one-time token.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Member, TestNode, settings, start, text};

const CONFERENCES: [&str; 3] = [
    "meet,pin=1,guest_pin=none",
    "board,alias=board@example.com,pin=2,guest_pin=3",
    "full,limit=1",
];

async fn use_token(node: &TestNode, alias: &str, body: &Value) -> Answer {
    let url = format!("{}/request_token", node.conference(alias));
    Answer::of(node.client.post(url).json(body)).await
}

fn to_board(role: &str, pin: Value) -> Value {
    json!({ "role": role, "conference_alias": "Board@example.com", "pin": pin })
}

async fn host_and_guest(node: &TestNode) -> (Member, Member) {
    (
        node.join_with("Host", Some("1")).await,
        node.join_with("Guest", Some("none")).await,
    )
}

#[tokio::test]
async fn who_is_transferred_goes_there_with_a_token_that_is_good_once() {
    let node = start(settings(&CONFERENCES)).await;
    let (host, guest) = host_and_guest(&node).await;
    let mut told = guest.events().await;
    let chair = node.join_to("board", "Chair", Some("2")).await;
    let mut seen = chair.events().await;

    let transfer = guest.path("transfer");
    let answer = host
        .post_json(&transfer, &to_board("host", json!("2")))
        .await;
    assert_eq!(answer.ok(), true);
    let refer = told.until("refer").await;
    assert_eq!(refer["alias"], "Board@example.com");
    let body = json!({ "display_name": "Guest no more", "token": refer["token"] });
    let granted = use_token(&node, "Board@example.com", &body).await.ok();

    assert_eq!(granted["role"], "HOST", "no PIN was given");
    assert_eq!(granted["current_service_type"], "conference");
    let row = seen.until("participant_create").await;
    assert_eq!(
        (&row["uuid"], &row["role"]),
        (&granted["participant_uuid"], &json!("chair"))
    );
    assert_ne!(granted["token"], refer["token"]);
    use_token(&node, "board", &body)
        .await
        .refused(403, "Invalid token");
}

#[tokio::test]
async fn a_guest_by_transfer_is_a_guest_and_the_token_may_stand_in_the_header() {
    let node = start(settings(&CONFERENCES)).await;
    let (host, guest) = host_and_guest(&node).await;
    let mut told = guest.events().await;

    let by_host_pin = to_board("guest", json!("2"));
    host.post_json(&guest.path("transfer"), &by_host_pin)
        .await
        .ok();
    let token = text(&told.until("refer").await["token"]);
    let url = format!("{}/request_token", node.conference("board"));
    let request = node.client.post(&url).header("token", &token);
    let granted = Answer::of(request.json(&json!({ "display_name": "G" })))
        .await
        .ok();
    assert_eq!(granted["role"], "GUEST");
    assert_eq!(
        granted["current_service_type"], "waiting_room",
        "no host is there yet"
    );

    // A token is good where it was issued alone, and what is no token is none.
    host.post_json(&guest.path("transfer"), &to_board("guest", json!("3")))
        .await
        .ok();
    let token = told.until("refer").await["token"].clone();
    for (alias, token) in [("meet", &token), ("board", &json!("made up"))] {
        use_token(
            &node,
            alias,
            &json!({ "display_name": "G", "token": token }),
        )
        .await
        .refused(403, "Invalid token");
    }
    use_token(
        &node,
        "board",
        &json!({ "display_name": "G", "token": token }),
    )
    .await
    .ok();
}

#[tokio::test]
async fn a_transfer_that_cannot_be_is_refused_and_nobody_is_told() {
    let node = start(settings(&CONFERENCES)).await;
    let (host, guest) = host_and_guest(&node).await;
    let mut told = guest.events().await;
    let transfer = guest.path("transfer");

    for pin in [Value::Null, json!("none"), json!("3"), json!("4")] {
        host.post_json(&transfer, &to_board("host", pin))
            .await
            .refused(403, "Invalid PIN");
    }
    for pin in [Value::Null, json!("4")] {
        host.post_json(&transfer, &to_board("guest", pin))
            .await
            .refused(403, "Invalid PIN");
    }
    let nowhere = json!({ "role": "guest", "conference_alias": "nowhere" });
    host.post_json(&transfer, &nowhere)
        .await
        .refused(404, "Neither conference nor gateway found");
    guest
        .post_json(&host.path("transfer"), &to_board("guest", json!("3")))
        .await
        .refused(403, "Host privileges are required");
    host.post_json(
        "participants/nobody/transfer",
        &to_board("guest", json!("3")),
    )
    .await
    .refused(404, "Participant not found");
    for body in [json!({}), to_board("king", json!("2"))] {
        assert_eq!(host.post_json(&transfer, &body).await.code, 400, "{body}");
    }

    told.none_of("refer", Duration::from_millis(300)).await;
    host.post_json(&transfer, &to_board("guest", json!("3")))
        .await
        .ok();
    told.until("refer").await;
}

#[tokio::test]
async fn a_token_that_finds_no_room_is_not_used_up_and_who_does_not_listen_is_not_reached() {
    let node = start(settings(&CONFERENCES)).await;
    let (host, guest) = host_and_guest(&node).await;
    let first = node.join_to("full", "First", None).await;
    let to_full = json!({ "role": "host", "conference_alias": "full" });

    let unheard = host.post_json(&guest.path("transfer"), &to_full).await;
    assert_eq!(unheard.ok(), false, "no event stream is open");
    let mut told = guest.events().await;
    host.post_json(&guest.path("transfer"), &to_full).await.ok();
    let body = json!({ "display_name": "Second", "token": told.until("refer").await["token"] });
    use_token(&node, "full", &body)
        .await
        .refused(503, "Participant limit reached");
    first.post("release_token").await.ok();
    use_token(&node, "full", &body).await.ok();
}
