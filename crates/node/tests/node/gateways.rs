//! Calls through a gateway, and telephone keys, as those notice them who are there.

use std::time::Duration;

use node::{Fault, NodeSettings};
use serde_json::{Value, json};

use crate::support::{Answer, Member, TestNode, open_node, settings, start, text};

async fn node_with_gateways() -> TestNode {
    start(NodeSettings {
        // A call is wanted here, and not its media.
        faults: Fault::NoSdp.into(),
        ..settings(&[
            "meet,pin=1,guest_pin=none",
            "bob,alias=bob@example.com,gateway=sip:bob@example.com",
            "echo,gateway=echo@example.com",
            "no,gateway=reject@example.com",
            "never,gateway=timeout@example.com",
        ])
    })
    .await
}

async fn call(who: &Member) -> String {
    let offer = json!({ "call_type": "WEBRTC", "sdp": "v=0" });
    let answer = who.post_json(&who.path("calls"), &offer).await.ok();
    who.path(&format!("calls/{}/dtmf", text(&answer["call_uuid"])))
}

fn far_end(rows: &Value) -> Value {
    let mut rows = rows.as_array().expect("rows").iter();
    let row = rows.find(|row| row["call_direction"] == "out");
    row.expect("a far end").clone()
}

/// Whether a stage shows that somebody speaks.
fn speaks(uuid: &Value) -> impl Fn(&Value) -> bool {
    let wanted = uuid.clone();
    move |stage| {
        let mut entries = stage.as_array().expect("entries").iter();
        entries.any(|one| one["participant_uuid"] == wanted && one["vad"] == 100)
    }
}

#[tokio::test]
async fn a_gateway_call_is_one_callers_and_its_far_ends() {
    let node = node_with_gateways().await;
    let alice = node.join_to("bob", "Alice", None).await;
    let mut told = alice.events().await;

    assert_eq!(
        (&alice.granted["service_type"], &alice.granted["role"]),
        (&json!("gateway"), &json!("HOST"))
    );
    let rows = alice.get("participants").await.ok();
    let far = far_end(&rows);
    assert_eq!(
        (&far["service_type"], &far["uri"], &far["protocol"]),
        (
            &json!("connecting"),
            &json!("sip:bob@example.com"),
            &json!("sip")
        )
    );
    let answered = told
        .until_some("participant_update", |row| row["uuid"] == far["uuid"])
        .await;
    assert_eq!(
        (&answered["service_type"], &answered["has_media"]),
        (&json!("gateway"), &json!(true))
    );
    told.until_some("stage", speaks(&far["uuid"])).await;

    let carol = node.join_to("bob%40example.com", "Carol", None).await;
    let others = carol.get("participants").await.ok();
    assert_eq!(others.as_array().map(Vec::len), Some(2), "{others}");
    assert!(
        !others.to_string().contains(&alice.uuid),
        "a call of her own"
    );
    assert_ne!(far_end(&others)["uuid"], far["uuid"]);
    let body = json!({ "role": "GUEST", "destination": "dave", "protocol": "sip" });
    alice
        .post_json("dial", &body)
        .await
        .refused(403, "Not in a gateway call");

    alice.post("release_token").await.ok();
    alice
        .get("participants")
        .await
        .refused(403, "Invalid token");
    carol.get("participants").await.ok();
}

#[tokio::test]
async fn who_is_rejected_or_hung_up_on_is_told_so() {
    let node = node_with_gateways().await;
    let alice = node.join_to("no", "Alice", None).await;
    let mut told = alice.events().await;
    let names: Vec<_> = told
        .all_until_end()
        .await
        .into_iter()
        .map(|event| (event.name, event.data["reason"].clone()))
        .collect();
    let failed = ("disconnect".to_owned(), json!("Gateway dial out failed"));
    assert_eq!(names.last(), Some(&failed), "{names:?}");
    alice
        .post("refresh_token")
        .await
        .refused(403, "Invalid token");

    let bob = node.join_to("bob", "Bob", None).await;
    let mut told = bob.events().await;
    let far = far_end(&bob.get("participants").await.ok());
    let hang_up = format!("participants/{}/disconnect", text(&far["uuid"]));
    bob.post(&hang_up).await.ok();
    let reason = told.until("disconnect").await;
    assert_eq!(reason["reason"], "API initiated participant disconnect");
}

#[tokio::test]
async fn keys_reach_the_far_end_of_a_gateway_call_and_it_plays_them() {
    let node = node_with_gateways().await;
    let alice = node.join_to("echo", "Alice", None).await;
    let mut told = alice.events().await;
    let far = far_end(&alice.get("participants").await.ok());
    let dtmf = call(&alice).await;
    let keys = json!({ "digits": "1234#" });

    alice
        .post_json(&dtmf, &keys)
        .await
        .refused(403, "The far end has not answered");
    told.until_some("participant_update", |row| row["has_media"] == true)
        .await;
    for bad in ["", "12 34", "1x", "\u{661}"] {
        let answer = alice.post_json(&dtmf, &json!({ "digits": bad })).await;
        assert_eq!(answer.code, 400, "{bad:?}");
    }
    // An echo says nothing of itself, and what was refused was not played.
    told.none_of("stage", Duration::from_millis(400)).await;
    assert_eq!(alice.post_json(&dtmf, &keys).await.ok(), true);
    told.until_some("stage", speaks(&far["uuid"])).await;

    let bob = node.join_to("echo", "Bob", None).await;
    bob.post_json(&dtmf, &keys)
        .await
        .refused(404, "Participant not found");
}

#[tokio::test]
async fn a_call_to_a_conference_takes_no_keys() {
    let node = node_with_gateways().await;
    let host = node.join_with("Host", Some("1")).await;
    let dtmf = call(&host).await;

    host.post_json(&dtmf, &json!({ "digits": "1" }))
        .await
        .refused(403, "Not a gateway call");
    host.post_json(&dtmf, &json!({ "digits": "one" }))
        .await
        .body
        .get("result")
        .expect("refused for its digits before anything else");
}

#[tokio::test]
async fn keys_pressed_towards_a_participant_are_heard_from_it() {
    let node = node_with_gateways().await;
    let host = node.join_with("Host", Some("1")).await;
    let guest = node.join_with("Guest", Some("none")).await;
    let mut seen = guest.events().await;
    let dial = json!({ "role": "GUEST", "destination": "sip:far", "protocol": "sip" });
    let far = host.post_json("dial", &dial).await.ok()[0].clone();
    let dtmf = format!("participants/{}/dtmf", text(&far));
    let keys = json!({ "digits": "0123456789*#ABCDabcd" });

    host.post_json(&dtmf, &keys)
        .await
        .refused(403, "The far end has not answered");
    seen.until_some("participant_update", |row| {
        row["service_type"] == "conference"
    })
    .await;
    guest
        .post_json(&dtmf, &keys)
        .await
        .refused(403, "Host privileges are required");
    assert_eq!(
        host.post_json(&dtmf, &json!({ "digits": "+1" })).await.code,
        400
    );
    seen.none_of("stage", Duration::from_millis(400)).await;
    assert_eq!(host.post_json(&dtmf, &keys).await.ok(), true);
    seen.until_some("stage", speaks(&far)).await;

    // To somebody who is here with a client of this API there is no other way yet.
    let answer = host.post_json(&guest.path("dtmf"), &keys).await;
    assert_eq!(answer.ok(), true);
    host.post_json("participants/nobody/dtmf", &keys)
        .await
        .refused(404, "Participant not found");
}

#[tokio::test]
async fn an_alias_that_is_no_gateway_is_none() {
    let node = open_node().await;

    let granted = node.join("Alice").await.granted;

    assert_eq!(granted["service_type"], "conference");
    node.request_token("bob", "Alice", None)
        .await
        .refused(404, "Neither conference nor gateway found");
}

#[tokio::test]
async fn callers_who_are_not_let_in_leave_no_call_behind() {
    let node = node_with_gateways().await;
    let url = format!("{}/request_token", node.conference("bob"));

    // More than a gateway has calls at a time.
    for _ in 0..250 {
        let answer = Answer::of(node.client.post(&url).body("nonsense")).await;
        assert_eq!(answer.code, 400);
    }

    node.join_to("bob", "Alice", None).await;
}
