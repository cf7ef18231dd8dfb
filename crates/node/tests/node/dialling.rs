//! Dialling out, as another participant sees it.

use serde_json::{Value, json};

use crate::support::{Member, settings, start};

fn to(destination: &str) -> Value {
    json!({ "role": "GUEST", "destination": destination, "protocol": "sip" })
}

async fn dial(host: &Member, destination: &str) -> Vec<Value> {
    let uuids = host.post_json("dial", &to(destination)).await.ok();
    uuids.as_array().expect("an array").clone()
}

#[tokio::test]
async fn a_far_end_is_connecting_and_then_in_the_conference() {
    let node = start(settings(&["meet,pin=1,guest_pin=none"])).await;
    let host = node.join_with("Host", Some("1")).await;
    let guest = node.join_with("Guest", Some("none")).await;
    let mut seen = guest.events().await;

    let uuids = dial(&host, "bea@example.com").await;

    assert_eq!(uuids.len(), 1);
    let row = seen.until("participant_create").await;
    assert_eq!(
        json!([
            row["uuid"],
            row["service_type"],
            row["call_direction"],
            row["protocol"],
            row["role"],
            row["uri"]
        ]),
        json!([
            uuids[0],
            "connecting",
            "out",
            "sip",
            "guest",
            "bea@example.com"
        ])
    );
    let row = seen.until("participant_update").await;
    assert_eq!(
        (&row["uuid"], &row["service_type"]),
        (&uuids[0], &json!("conference"))
    );

    guest
        .post_json("dial", &to("bea@example.com"))
        .await
        .refused(403, "Host privileges are required");
}

#[tokio::test]
async fn who_rejects_is_gone_and_of_a_fork_one_stays() {
    let node = start(settings(&["meet"])).await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut seen = bob.events().await;

    let rejecting = dial(&alice, "reject@example.com").await;
    seen.until("participant_create").await;
    assert_eq!(seen.until("participant_delete").await["uuid"], rejecting[0]);

    let forked = dial(&alice, "sip:fork@example.com").await;
    assert_eq!(forked.len(), 2);
    let answered = seen.until("participant_update").await;
    assert_eq!(
        (&answered["uuid"], &answered["service_type"]),
        (&forked[0], &json!("conference"))
    );
    assert_eq!(seen.until("participant_delete").await["uuid"], forked[1]);

    alice
        .post(&format!(
            "participants/{}/disconnect",
            forked[0].as_str().expect("a text")
        ))
        .await
        .ok();
    assert_eq!(seen.until("participant_delete").await["uuid"], forked[0]);
}
