//! Every body against a JSON Schema of it, in a run through everything the node does.
//!
//! The schemas say what current official clients check: `schemas/modern.json`.

use std::collections::BTreeSet;

use jsonschema::Validator;
use node::{Fault, NodeSettings};
use serde_json::{Value, json};

use crate::calls::call;
use crate::support::{Answer, Events, Member, TestNode, settings, start, text};

/// What no client can bring about here.
const NEVER_SENT: [&str; 2] = ["/answers/calls~1dtmf", "/answers/participants~1dtmf"];

/// The schemas, and the bodies that were held against them.
struct Schemas {
    document: Value,
    held: Vec<(String, Value)>,
}

impl Schemas {
    fn read() -> Self {
        Self {
            document: serde_json::from_str(include_str!("../schemas/modern.json"))
                .expect("the schemas are JSON"),
            held: Vec::new(),
        }
    }

    fn of(&self, pointer: &str) -> Validator {
        let schema = self.document.pointer(pointer);
        let schema = schema.unwrap_or_else(|| panic!("there is no schema {pointer}"));
        let whole = json!({
            "$schema": self.document["$schema"],
            "$defs": self.document["$defs"],
            "allOf": [schema],
        });
        jsonschema::validator_for(&whole).expect("a good schema")
    }

    fn hold(&mut self, pointer: String, body: &Value) {
        let wrong: Vec<String> = self
            .of(&pointer)
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{pointer}: {wrong:#?} in {body:#}");
        self.held.push((pointer, body.clone()));
    }

    /// The answer to a request that succeeds. Returns its result.
    fn answer(&mut self, handler: &str, answer: Answer) -> Value {
        let result = answer.ok();
        self.hold(format!("/answers/{}", handler.replace('/', "~1")), &result);
        result
    }

    fn refusal(&mut self, name: &str, code: u16, answer: &Answer) {
        assert_eq!(answer.code, code, "{:?}", answer.body);
        self.hold(format!("/refusals/{name}"), &answer.body);
    }

    /// All that is still to come on a stream that ends.
    async fn events(&mut self, events: &mut Events) {
        for event in events.all_until_end().await {
            self.hold(format!("/events/{}", event.name), &event.data);
        }
    }

    /// All schemas of the file, but for those that nothing here can be held against.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for group in ["answers", "refusals", "events"] {
            let schemas = self.document[group]
                .as_object()
                .expect("a group of schemas");
            names.extend(
                schemas
                    .keys()
                    .map(|name| format!("/{group}/{}", name.replace('/', "~1"))),
            );
        }
        names.retain(|name| !NEVER_SENT.contains(&name.as_str()));
        names
    }
}

/// Every body that differs from `body` in one place, where another type stands or nothing at all.
fn spoilt(body: &Value) -> Vec<Value> {
    let mut all = vec![match body {
        Value::Object(_) => json!("of another type"),
        _ => json!({ "of another": "type" }),
    }];
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                let mut without = fields.clone();
                without.remove(name);
                all.push(without.into());
                for spoilt in spoilt(value) {
                    let mut other = fields.clone();
                    other.insert(name.clone(), spoilt);
                    all.push(other.into());
                }
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                all.extend(spoilt(first).into_iter().map(|spoilt| json!([spoilt])));
            }
        }
        // What official clients stumble over: numbers as text and the other way round, `null` for a flag.
        Value::String(_) => all.extend([json!(120), json!(true), Value::Null]),
        Value::Number(number) => all.extend([json!(number.to_string()), Value::Null]),
        Value::Bool(_) => all.extend([json!("YES"), Value::Null]),
        Value::Null => all.extend([json!(true), json!("")]),
    }
    all
}

async fn without_body(schemas: &mut Schemas, by: &Member, whose: &Member, verbs: &[&str]) {
    for verb in verbs {
        let answer = by.post(&whose.path(verb)).await;
        schemas.answer(&format!("participants/{verb}"), answer);
    }
}

async fn with_body(schemas: &mut Schemas, by: &Member, whose: &Member, verb: &str, body: Value) {
    let answer = by.post_json(&whose.path(verb), &body).await;
    schemas.answer(&format!("participants/{verb}"), answer);
}

/// What is asked of the conference, and about participants.
async fn through_the_conference(schemas: &mut Schemas, host: &Member, guest: &Member) {
    for verb in ["lock", "unlock", "muteguests", "unmuteguests"] {
        schemas.answer(verb, host.post(verb).await);
    }
    for verb in ["conference_status", "participants"] {
        schemas.answer(verb, host.get(verb).await);
    }
    let chat = json!({ "type": "text/plain", "payload": "hello" });
    schemas.answer("message", host.post_json("message", &chat).await);
    let dial = json!({ "role": "GUEST", "destination": "bea@example.com", "protocol": "sip" });
    schemas.answer("dial", host.post_json("dial", &dial).await);

    let of_hosts = [
        "mute",
        "unmute",
        "spotlighton",
        "spotlightoff",
        "denyrxpresentation",
        "allowrxpresentation",
    ];
    without_body(schemas, host, guest, &of_hosts).await;
    let of_oneself = [
        "client_mute",
        "client_unmute",
        "video_muted",
        "video_unmuted",
        "buzz",
        "clearbuzz",
        "take_floor",
        "release_floor",
    ];
    without_body(schemas, guest, guest, &of_oneself).await;
    with_body(
        schemas,
        host,
        guest,
        "overlaytext",
        json!({ "text": "Bea" }),
    )
    .await;
    with_body(schemas, host, guest, "message", chat).await;
    for role in ["chair", "guest"] {
        with_body(schemas, host, guest, "role", json!({ "role": role })).await;
    }
}

/// One call from its offer to its end.
async fn through_a_call(schemas: &mut Schemas, member: &Member) {
    let (caller, accepted) = call(member).await;
    schemas.hold("/answers/calls".to_owned(), &accepted);
    caller
        .peer
        .set_answer(&text(&accepted["sdp"]))
        .await
        .expect("a good answer");
    let of_call =
        |rest: &str| member.path(&format!("calls/{}/{rest}", text(&accepted["call_uuid"])));
    let candidate =
        json!({ "candidate": "candidate:1 1 udp 2122260223 127.0.0.1 9 typ host", "mid": "0" });
    let taken = member
        .post_json(&of_call("new_candidate"), &candidate)
        .await;
    schemas.answer("calls/new_candidate", taken);
    schemas.answer("calls/ack", member.post(&of_call("ack")).await);
    caller.peer.restart_ice();
    caller.peer.create_offer().await.expect("a new offer");
    let offer = caller.peer.gathered_offer().await.expect("a complete one");
    let updated = member
        .post_json(&of_call("update"), &json!({ "sdp": offer }))
        .await;
    schemas.answer("calls/update", updated);
    let statistics = member
        .post_json(&of_call("statistics"), &json!({ "audio": {} }))
        .await;
    schemas.answer("calls/statistics", statistics);
    schemas.answer(
        "calls/disconnect",
        member.post(&of_call("disconnect")).await,
    );
}

async fn through_the_refusals(schemas: &mut Schemas, node: &TestNode, guest: &Member) {
    let refused = node.request_token("meet", "Nobody", Some("4711")).await;
    schemas.refusal("text", 403, &refused);
    schemas.refusal("text", 403, &guest.post("lock").await);
    schemas.refusal(
        "pin",
        403,
        &node.request_token("meet", "Nobody", None).await,
    );
    schemas.refusal(
        "extension",
        403,
        &node.request_token("desk", "Nobody", None).await,
    );
    let refused = node.request_token("nowhere", "Nobody", None).await;
    schemas.refusal("failed", 404, &refused);
}

/// What only happens by misfortune.
async fn through_the_faults(schemas: &mut Schemas) {
    for (fault, name) in [
        (Fault::PeerDisconnect, "peer_disconnect"),
        (Fault::CallDisconnected, "call_disconnected"),
    ] {
        let node = start(NodeSettings {
            faults: fault.into(),
            ..settings(&["meet"])
        })
        .await;
        let member = node.join("Alice").await;
        let mut events = member.fresh_events().await;
        let (_caller, accepted) = call(&member).await;
        let ack = member.path(&format!("calls/{}/ack", text(&accepted["call_uuid"])));
        member.post(&ack).await.ok();
        let data = events.until(name).await;
        schemas.hold(format!("/events/{name}"), &data);
    }
}

#[tokio::test]
async fn every_body_is_as_its_schema_says_and_no_schema_takes_everything() {
    let mut schemas = Schemas::read();
    let node = start(settings(&[
        "meet,pin=1,guest_pin=none",
        "board",
        "desk,reception=standard",
    ]))
    .await;
    let granted = node.request_token("meet", "Bea", Some("1")).await;
    schemas.answer("request_token", granted);
    let host = node.join_with("Host", Some("1")).await;
    let mut told = host.fresh_events().await;
    let guest = node.join_with("Guest", Some("none")).await;
    let mut told_guest = guest.fresh_events().await;

    through_the_refusals(&mut schemas, &node, &guest).await;
    through_the_conference(&mut schemas, &host, &guest).await;
    through_a_call(&mut schemas, &guest).await;
    host.post("lock").await.ok();
    let waiting = node.join_with("Late", Some("none")).await;
    schemas.hold("/answers/request_token".to_owned(), &waiting.granted);
    without_body(&mut schemas, &host, &waiting, &["unlock"]).await;
    let refreshed = waiting.post("refresh_token").await;
    schemas.answer("refresh_token", refreshed);
    schemas.answer("release_token", waiting.post("release_token").await);
    // Whoever presents is told to the others, and so is that it is over.
    host.post(&host.path("take_floor")).await.ok();
    host.post(&host.path("release_floor")).await.ok();
    let transfer = json!({ "role": "guest", "conference_alias": "board" });
    with_body(&mut schemas, &host, &guest, "transfer", transfer).await;
    told.until("ping").await;
    without_body(&mut schemas, &host, &guest, &["disconnect"]).await;
    schemas.events(&mut told_guest).await;
    let mut told = host.fresh_events().await;
    schemas.answer("disconnect", host.post("disconnect").await);
    schemas.events(&mut told).await;
    through_the_faults(&mut schemas).await;

    let held: BTreeSet<String> = schemas.held.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(
        held,
        schemas.names(),
        "each schema has a body, and each body a schema"
    );
    // The control: what was taken is refused once it is spoilt, and a field that a schema demands cannot go.
    for (name, body) in &schemas.held {
        let schema = schemas.of(name);
        let spoilt = spoilt(body);
        let refused = spoilt.iter().filter(|body| !schema.is_valid(body)).count();
        // What a node may leave out, and what it adds of its own, may go or change.
        assert!(
            2 * refused > spoilt.len(),
            "{name} refuses {refused} of {} in {body:#}",
            spoilt.len()
        );
    }
}

#[test]
fn what_official_clients_die_of_is_refused() {
    let schemas = Schemas::read();
    let taken = |name: &str, body: Value| schemas.of(name).is_valid(&body);

    assert!(
        taken("/answers/calls~1ack", json!(true)) && !taken("/answers/calls~1ack", json!(null))
    );
    for verb in ["new_candidate", "disconnect", "statistics"] {
        let name = format!("/answers/calls~1{verb}");
        assert!(
            taken(&name, json!(null)) && !taken(&name, json!(true)),
            "{verb}"
        );
    }
    let refreshed = |expires: Value| json!({ "token": "0123456789abcdef", "expires": expires });
    assert!(taken("/answers/refresh_token", refreshed(json!("120"))));
    assert!(!taken("/answers/refresh_token", refreshed(json!(120))));
    let stun = schemas
        .document
        .pointer("/answers/request_token/properties/stun")
        .expect("stun");
    assert!(
        !jsonschema::is_valid(stun, &json!([])),
        "an empty list kills the web client"
    );
    assert!(jsonschema::is_valid(
        stun,
        &json!([{ "url": "stun:stun.example.com" }])
    ));
}
