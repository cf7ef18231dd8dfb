//! The STUN and TURN servers a node hands out.

use infinity::{Credential, Profile, StunServer, TurnServer};
use node::{Fault, IceServers, NodeSettings};
use serde_json::{Value, json};

use crate::support::{open_node, settings, start};

fn turn(uri: &str, credential: Option<&str>) -> Vec<TurnServer> {
    vec![TurnServer {
        urls: vec![uri.to_owned()],
        username: "alice".to_owned(),
        credential: credential.map(Credential::new),
    }]
}

fn told_of_servers(profile: Profile) -> NodeSettings {
    NodeSettings {
        profile,
        ice_servers: IceServers {
            stun: vec![StunServer {
                url: "stun:192.0.2.1:3478".to_owned(),
            }],
            turn: turn("turn:192.0.2.1:3478?transport=udp", Some("hunter2")),
            turn_with_calls: turn("turns:192.0.2.1:443?transport=tcp", None),
            use_relay_candidates_only: true,
        },
        ..settings(&["meet"])
    }
}

#[tokio::test]
async fn clients_are_told_of_the_servers_and_of_none_by_default() {
    let node = start(told_of_servers(Profile::Modern)).await;

    let granted = node.join("Alice").await.granted;
    assert_eq!(granted["stun"], json!([{ "url": "stun:192.0.2.1:3478" }]));
    assert_eq!(
        granted["turn"],
        json!([{ "urls": ["turn:192.0.2.1:3478?transport=udp"], "username": "alice", "credential": "hunter2" }])
    );
    assert_eq!(granted["use_relay_candidates_only"], json!(true));

    let granted = open_node().await.join("Alice").await.granted;
    for absent in ["stun", "turn"] {
        assert_eq!(granted.get(absent), None, "an empty list kills web clients");
    }
    assert_eq!(granted["use_relay_candidates_only"], json!(false));
}

#[tokio::test]
async fn a_node_of_version_10_knows_stun_alone() {
    let node = start(told_of_servers(Profile::V10)).await;

    let granted = node.join("Alice").await.granted;

    assert_eq!(granted["stun"], json!([{ "url": "stun:192.0.2.1:3478" }]));
    assert_eq!(granted["turn"], Value::Null);
}

#[tokio::test]
async fn servers_for_a_call_come_with_its_answer_alone() {
    let settings = NodeSettings {
        // The answer is not used here.
        faults: Fault::NoSdp.into(),
        ..told_of_servers(Profile::Modern)
    };
    let node = start(settings).await;
    let alice = node.join("Alice").await;

    let offer = json!({ "call_type": "WEBRTC", "sdp": "v=0" });
    let answer = alice.post_json(&alice.path("calls"), &offer).await.ok();

    assert_eq!(
        answer["turn"],
        json!([{ "urls": ["turns:192.0.2.1:443?transport=tcp"], "username": "alice" }])
    );
    assert!(
        !alice.granted.to_string().contains("turns:"),
        "not with the token"
    );
}
