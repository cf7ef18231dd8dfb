//! Virtual Receptions and full conferences, as callers and those already there see them.

use infinity::Profile;
use node::NodeSettings;
use serde_json::{Value, json};

use crate::support::{Answer, TestNode, settings, start, text};

async fn ask(node: &TestNode, alias: &str, pin: Option<&str>, body: &Value) -> Answer {
    let url = format!("{}/request_token", node.conference(alias));
    let mut request = node.client.post(url);
    if let Some(pin) = pin {
        request = request.header("pin", pin);
    }
    Answer::of(request.json(body)).await
}

fn named(extension: &str) -> Value {
    json!({ "display_name": "Caller", "conference_extension": extension })
}

#[tokio::test]
async fn a_reception_asks_where_to_and_connects() {
    let node = start(settings(&["meet", "desk,reception=standard"])).await;
    let alice = node.join("Alice").await;
    let mut seen_by_alice = alice.events().await;

    let asked = ask(&node, "desk", None, &json!({ "display_name": "Caller" })).await;
    assert_eq!(asked.code, 403);
    assert_eq!(asked.body["result"]["conference_extension"], "required");
    assert_eq!(
        asked.body["result"]["conference_extension_type"],
        "standard"
    );
    ask(&node, "desk", None, &named("nowhere"))
        .await
        .refused(404, "Conference extension not found");

    let granted = ask(&node, "desk", None, &named("MEET")).await.ok();
    let row = seen_by_alice.until("participant_create").await;
    assert_eq!(row["uuid"], granted["participant_uuid"]);
    let lock = |token: &str| {
        let url = format!("{}/lock", node.conference("desk"));
        Answer::of(node.client.post(url).header("token", token))
    };
    assert_eq!(lock(&text(&granted["token"])).await.ok(), true);
    assert_eq!(
        seen_by_alice.until("conference_update").await["locked"],
        true
    );
    lock("made-up").await.refused(403, "Invalid token");
}

#[tokio::test]
async fn the_pin_of_the_conference_is_wanted_behind_the_reception_too() {
    let node = start(settings(&["meet,pin=1", "desk,reception=standard"])).await;

    let asked = ask(&node, "desk", None, &named("meet")).await;
    assert_eq!(
        (asked.code, &asked.body["result"]["pin"]),
        (403, &json!("required"))
    );
    ask(&node, "desk", Some("2"), &named("meet"))
        .await
        .refused(403, "Invalid PIN");
    let granted = ask(&node, "desk", Some("1"), &named("meet")).await.ok();
    assert_eq!(granted["role"], "HOST");
}

#[tokio::test]
async fn a_reception_with_a_pin_wants_both_in_one_answer_and_says_what_is_missing_still() {
    for profile in [Profile::Modern, Profile::V10] {
        let node = start(NodeSettings {
            profile,
            ..settings(&["meet", "board,pin=7", "desk,reception=standard,pin=7"])
        })
        .await;
        let nobody = json!({ "display_name": "Caller" });
        let wanted = |answer: Answer| {
            assert_eq!(answer.code, 403);
            let result = &answer.body["result"];
            let is_there = |name: &str| !result[name].is_null();
            (is_there("conference_extension"), is_there("pin"))
        };

        let ask = |pin: Option<&'static str>, body: Value| {
            let node = &node;
            async move { ask(node, "desk", pin, &body).await }
        };
        assert_eq!(wanted(ask(None, nobody.clone()).await), (true, true));
        assert_eq!(
            wanted(ask(Some("none"), nobody.clone()).await),
            (true, true)
        );
        assert_eq!(wanted(ask(Some("7"), nobody.clone()).await), (true, false));
        assert_eq!(wanted(ask(None, named("meet")).await), (false, true));
        ask(Some("8"), nobody).await.refused(403, "Invalid PIN");
        ask(Some("8"), named("meet"))
            .await
            .refused(403, "Invalid PIN");

        // The conference behind it asks for itself, and hears the same PIN.
        for alias in ["meet", "board"] {
            let granted = ask(Some("7"), named(alias)).await.ok();
            assert_eq!(granted["role"], "HOST");
        }
        let desk = node.request_token("board", "Caller", Some("none")).await;
        assert_eq!(wanted(desk), (false, true));
    }
}

#[tokio::test]
async fn version_10_says_the_kind_itself() {
    let node = start(NodeSettings {
        profile: Profile::V10,
        ..settings(&["meet", "desk,reception=standard", "lync,reception=mssip"])
    })
    .await;

    for (alias, kind) in [("desk", "standard"), ("lync", "mSSIP")] {
        let asked = ask(&node, alias, None, &json!({ "display_name": "Caller" })).await;
        let result = &asked.body["result"];
        assert_eq!(
            (asked.code, &result["conference_extension"]),
            (403, &json!(kind))
        );
        assert_eq!(result["conference_extension_type"], Value::Null);
    }
}

#[tokio::test]
async fn a_full_conference_takes_nobody_until_somebody_leaves() {
    let node = start(settings(&["meet,limit=2"])).await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let mut seen_by_alice = alice.events().await;

    node.request_token("meet", "Carol", None)
        .await
        .refused(503, "Participant limit reached");
    bob.post("release_token").await.ok();
    let carol = node.join("Carol").await;

    seen_by_alice.until("participant_delete").await;
    assert_eq!(
        seen_by_alice.until("participant_create").await["uuid"],
        carol.uuid
    );
}
