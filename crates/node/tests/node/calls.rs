//! Calls over HTTP: a real offer, a real answer, and what the others see of it.

use std::time::Duration;

use infinity::Profile;
use node::NodeSettings;
use peer::{Peer, PeerConfig, Shards};
use serde_json::{Value, json};

use crate::support::{DEADLINE, Member, open_node, settings, start, text};

/// Somebody's WebRTC side.
pub(crate) struct Caller {
    pub(crate) peer: Peer,
    _events: peer::PeerEvents,
    _shards: Shards,
}

impl Caller {
    async fn new() -> (Self, String) {
        let shards = Shards::new(1).expect("a thread");
        let config = PeerConfig {
            addresses: vec![[127, 0, 0, 1].into()],
            ..PeerConfig::default()
        };
        let (peer, events) = Peer::offerer(&shards.next(), config).await.expect("a peer");
        peer.create_offer().await.expect("an offer");
        let offer = peer.gathered_offer().await.expect("a complete offer");
        (
            Self {
                peer,
                _events: events,
                _shards: shards,
            },
            offer,
        )
    }
}

fn offer(sdp: &str) -> Value {
    json!({ "call_type": "WEBRTC", "sdp": sdp })
}

pub(crate) async fn call(member: &Member) -> (Caller, Value) {
    let (caller, sdp) = Caller::new().await;
    let answer = member
        .post_json(&member.path("calls"), &offer(&sdp))
        .await
        .ok();
    (caller, answer)
}

fn of<'a>(who: &'a Member, has_media: bool) -> impl Fn(&Value) -> bool + 'a {
    move |row| row["uuid"] == who.uuid.as_str() && row["has_media"] == has_media
}

#[tokio::test]
async fn a_call_is_answered_acknowledged_and_seen_by_the_others() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut events = bob.events().await;

    let (caller, answer) = call(&alice).await;
    let call_uuid = text(&answer["call_uuid"]);
    caller
        .peer
        .set_answer(answer["sdp"].as_str().expect("a text"))
        .await
        .expect("an answer that can be used");
    assert_eq!(
        alice
            .post(&alice.path(&format!("calls/{call_uuid}/ack")))
            .await
            .ok(),
        true
    );

    let row = events
        .until_some("participant_update", of(&alice, true))
        .await;
    assert_eq!(
        (&row["protocol"], &row["is_video_call"]),
        (&json!("webrtc"), &json!("YES"))
    );

    let hung_up = alice
        .post(&alice.path(&format!("calls/{call_uuid}/disconnect")))
        .await;
    assert_eq!(
        hung_up.ok(),
        Value::Null,
        "the web client throws when this is not null"
    );
    let row = events
        .until_some("participant_update", of(&alice, false))
        .await;
    assert_eq!(row["protocol"], "api");
    alice
        .post(&alice.path(&format!("calls/{call_uuid}/ack")))
        .await
        .refused(404, "Call not found");
}

#[tokio::test]
async fn answers_of_a_call_have_the_shapes_that_the_web_client_demands() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let (caller, answer) = call(&alice).await;
    let of_call = |rest: &str| alice.path(&format!("calls/{}/{rest}", text(&answer["call_uuid"])));
    assert!(answer["sdp"].is_string());

    for candidate in ["candidate:1 1 udp 2122260223 127.0.0.1 9 typ host", ""] {
        let body = json!({ "candidate": candidate, "mid": "0" });
        assert_eq!(
            alice.post_json(&of_call("new_candidate"), &body).await.ok(),
            Value::Null,
            "{candidate}"
        );
    }
    assert_eq!(
        alice.post_json(&of_call("ack"), &json!({})).await.ok(),
        true
    );
    assert_eq!(
        alice.post(&of_call("ack")).await.ok(),
        true,
        "again, as after an update"
    );
    caller.peer.close().await;
}

#[tokio::test]
async fn an_update_restarts_ice_in_the_same_call() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let (caller, answer) = call(&alice).await;
    let sdp = text(&answer["sdp"]);
    caller
        .peer
        .set_answer(&sdp)
        .await
        .expect("an answer that can be used");

    caller.peer.restart_ice();
    caller
        .peer
        .create_offer()
        .await
        .expect("an offer that restarts ICE");
    let offer = caller.peer.gathered_offer().await.expect("a new offer");
    let update = alice.path(&format!("calls/{}/update", text(&answer["call_uuid"])));
    let updated = alice
        .post_json(&update, &json!({ "sdp": offer }))
        .await
        .ok();

    assert_eq!(updated["call_uuid"], answer["call_uuid"]);
    let ufrag = |sdp: &str| {
        sdp.lines()
            .find(|line| line.starts_with("a=ice-ufrag"))
            .map(str::to_owned)
    };
    assert_ne!(ufrag(&text(&updated["sdp"])), ufrag(&sdp));
    caller
        .peer
        .set_answer(&text(&updated["sdp"]))
        .await
        .expect("an answer that can be used");
    alice
        .post_json(&update, &json!({}))
        .await
        .refused(400, "sdp is missing");
}

#[tokio::test]
async fn a_client_that_gives_up_while_its_call_is_answered_can_call_again() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let (_caller, sdp) = Caller::new().await;

    for _ in 0..6 {
        let request = alice.post_request(&alice.path("calls")).json(&offer(&sdp));
        let _ = tokio::time::timeout(Duration::from_millis(3), request.send()).await;
    }

    // Connections are closed in the background: the node may learn of the last ones after the next request.
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let answer = loop {
        let answer = alice.post_json(&alice.path("calls"), &offer(&sdp)).await;
        if answer.code == 200 || tokio::time::Instant::now() > deadline {
            break answer.ok();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(answer["call_uuid"].is_string());
}

#[tokio::test]
async fn a_call_of_version_10_is_complete_without_trickle() {
    let node = start(NodeSettings {
        profile: Profile::V10,
        ..settings(&["meet"])
    })
    .await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut events = bob.events().await;

    let (caller, answer) = call(&alice).await;
    let call_uuid = text(&answer["call_uuid"]);
    caller
        .peer
        .set_answer(&text(&answer["sdp"]))
        .await
        .expect("an answer that can be used");
    alice
        .post(&alice.path(&format!("calls/{call_uuid}/ack")))
        .await
        .ok();

    events
        .until_some("participant_update", of(&alice, true))
        .await;
    let hung_up = alice
        .post(&alice.path(&format!("calls/{call_uuid}/disconnect")))
        .await;
    assert_eq!(hung_up.ok(), true, "as the guide says");
}

#[tokio::test]
async fn a_call_belongs_to_its_participant_alone() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let (_caller, answer) = call(&alice).await;
    let call_uuid = text(&answer["call_uuid"]);

    let of_alice = |rest: &str| alice.path(rest);
    bob.post_json(&of_alice("calls"), &offer("v=0"))
        .await
        .refused(403, "The call of another participant");
    let ack = of_alice(&format!("calls/{call_uuid}/ack"));
    bob.post(&ack)
        .await
        .refused(403, "The call of another participant");
    alice
        .post(&alice.path("calls/made-up/ack"))
        .await
        .refused(404, "Call not found");
}

#[tokio::test]
async fn a_guest_in_the_waiting_room_may_call_before_it_is_let_in() {
    let node = start(settings(&["meet,pin=1,guest_pin=none"])).await;
    let guest = node.join_with("Guest", Some("none")).await;

    let (_caller, answer) = call(&guest).await;

    assert!(
        answer["sdp"]
            .as_str()
            .is_some_and(|sdp| sdp.starts_with("v=0"))
    );
}

#[tokio::test]
async fn who_is_removed_has_no_call_any_more() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let (_caller, _answer) = call(&alice).await;
    let mut events = bob.events().await;

    bob.post(&alice.path("disconnect")).await.ok();

    assert_eq!(events.until("participant_delete").await["uuid"], alice.uuid);
    events
        .none_of("participant_update", Duration::from_millis(200))
        .await;
}

#[tokio::test]
async fn statistics_of_ones_own_call_are_taken_and_asked_for() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let (_caller, answer) = call(&alice).await;
    let path = alice.path(&format!("calls/{}/statistics", text(&answer["call_uuid"])));
    let body = json!({ "audio": { "rx_bitrate": 48.5, "rx_codec": "opus" }, "later": {} });

    assert_eq!(alice.granted["client_stats_update_interval"], 5000);
    assert_eq!(alice.post_json(&path, &body).await.ok(), Value::Null);
    bob.post_json(&path, &body)
        .await
        .refused(403, "The call of another participant");
    alice
        .post_json(&alice.path("calls/c/statistics"), &body)
        .await
        .refused(404, "Call not found");
}
