//! The operator's view: what it shows, to whom, and what it never shows.

use node::{NodeSettings, OperatorToken};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::calls::call;
use crate::support::{Answer, DEADLINE, TestNode, open_node, settings, start, try_start};

async fn json_of(request: RequestBuilder) -> Value {
    let answer = Answer::of(request).await;
    assert_eq!(answer.code, 200, "{:?}", answer.body);
    answer.body
}

async fn state(node: &TestNode) -> Value {
    json_of(node.client.get(format!("{}/node/state.json", node.url))).await
}

async fn log(node: &TestNode, uuid: &str) -> Value {
    let path = format!("{}/node/participants/{uuid}/log.json", node.url);
    json_of(node.client.get(path)).await
}

/// Looks again until something is as expected: the answer to a client may overtake the journal.
async fn until(node: &TestNode, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let state = state(node).await;
        if is(&state) {
            return state;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "never {what}: {state:#}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn verbs(log: &Value) -> Vec<(String, u64)> {
    let entries = log["entries"].as_array().expect("entries");
    let requests = entries.iter().filter(|entry| entry["kind"] == "request");
    requests
        .map(|entry| {
            let verb = entry["verb"].as_str().expect("a verb").to_owned();
            (verb, entry["status"].as_u64().expect("a status"))
        })
        .collect()
}

#[tokio::test]
async fn a_participant_is_shown_with_its_token_streams_calls_and_last_request() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;
    let (caller, answer) = call(&alice).await;
    let sdp = answer["sdp"].as_str().expect("an answer");
    caller.peer.set_answer(sdp).await.expect("a good one");
    let uuid = answer["call_uuid"].as_str().expect("a call");
    alice
        .post(&alice.path(&format!("calls/{uuid}/ack")))
        .await
        .ok();
    alice.post("lock").await.ok();
    events.until("conference_update").await;

    let connected = |state: &Value| {
        let media = &state["conferences"][0]["participants"][0]["calls"][0]["media"];
        media["dtls"] == "connected" && media["audio"]["out"]["packets"].as_u64() > Some(0)
    };
    let state = until(&node, "connected", connected).await;

    let conference = &state["conferences"][0];
    assert_eq!(
        (
            &conference["alias"],
            &conference["locked"],
            &conference["started"]
        ),
        (&json!("meet"), &json!(true), &json!(true))
    );
    let one = &conference["participants"][0];
    assert_eq!(one["row"]["display_name"], "Alice");
    let left = one["token"]["left"].as_f64().expect("time left");
    assert!((100.0..=120.0).contains(&left), "{left}");
    let stream = &one["event_streams"][0];
    assert!(stream["sent"].as_u64() >= Some(2), "{stream}");
    assert!(stream["last"]["name"].is_string(), "{stream}");
    let call = &one["calls"][0];
    assert_eq!(call["state"], "started");
    assert!(call["media"]["ack_after"].is_f64(), "{call:#}");
    assert_eq!(call["media"]["audio"]["negotiated"]["codec"], "opus");
    assert!(
        call["media"]["candidate_pair"]["remote"].is_string(),
        "{call:#}"
    );
    assert_eq!(one["activity"]["last_request"]["verb"], "lock");
}

#[tokio::test]
async fn a_log_has_requests_and_events_and_outlives_its_participant() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut events = alice.events().await;
    bob.post(&bob.path("mute")).await.ok();
    events.until("participant_update").await;
    alice
        .post("make_coffee")
        .await
        .refused(404, "Resource not found");
    alice.post("release_token").await.ok();
    // Its token is no good any more, and whose it was is known all the same.
    alice.post("lock").await.refused(403, "Invalid token");

    let log = log(&node, &alice.uuid).await;

    assert_eq!(
        verbs(&log),
        [
            ("request_token", 200),
            ("events", 200),
            ("make_coffee", 404),
            ("release_token", 200),
            ("lock", 403)
        ]
        .map(|(verb, status)| (verb.to_owned(), status))
    );
    let entries = log["entries"].as_array().expect("entries");
    let event = entries
        .iter()
        .find(|entry| entry["name"] == "participant_update");
    assert!(
        event.is_some_and(|event| event["bytes"].as_u64() > Some(100)),
        "{log:#}"
    );
    let refusal = entries
        .iter()
        .find(|entry| entry["verb"] == "lock")
        .expect("logged");
    assert!(
        refusal["refusal"]
            .as_str()
            .is_some_and(|text| text.contains("token")),
        "{refusal}"
    );
    assert!(log["left"].is_f64());
    let state = state(&node).await;
    assert_eq!(
        state["conferences"][0]["departed"][0]["display_name"],
        "Alice"
    );
    assert_eq!(
        state["conferences"][0]["participants"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn requests_without_a_known_token_are_nobodys() {
    let node = start(settings(&["meet,pin=1234"])).await;
    node.request_token("meet", "A", Some("4711"))
        .await
        .refused(403, "Invalid PIN");

    let log = json_of(node.client.get(format!("{}/node/log.json", node.url))).await;

    assert_eq!(verbs(&log), [("request_token".to_owned(), 403)]);
    assert!(!log.to_string().contains("4711"), "{log}");
}

#[tokio::test]
async fn no_secret_is_shown() {
    let node = start(settings(&["meet,pin=8642"])).await;
    let alice = node.join_with("Alice", Some("8642")).await;
    // The token stands in the address of the event stream.
    let _events = alice.events().await;
    let (_caller, answer) = call(&alice).await;
    let sdp = answer["sdp"].as_str().expect("an answer");
    let ice_pwd = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-pwd:"))
        .expect("a password");

    let shown = format!("{}{}", state(&node).await, log(&node, &alice.uuid).await);

    for secret in [
        alice.token.as_str(),
        "8642",
        ice_pwd,
        node.running.operator_token.expose(),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
    // The control: what is no secret is found by the same search.
    assert!(shown.contains(&alice.uuid) && shown.contains("events"));
}

#[tokio::test]
async fn why_somebody_left_is_read_by_the_operator_and_by_nobody_else() {
    let node = open_node().await;
    let (alice, bob, cy) = (
        node.join("Alice").await,
        node.join("Bob").await,
        node.join("Cy").await,
    );
    let mut events = alice.events().await;
    let why = json!({ "reason": "the clip is over" });
    assert_eq!(bob.post_json("release_token", &why).await.ok(), true);
    let told = events.until("participant_delete").await;
    assert_eq!(told, json!({ "uuid": bob.uuid }));
    cy.post("release_token").await.ok();
    events.until("participant_delete").await;

    let both = |state: &Value| {
        let departed = &state["conferences"][0]["departed"];
        departed.as_array().is_some_and(|gone| gone.len() == 2)
    };
    let state = until(&node, "gone", both).await;

    let departed = &state["conferences"][0]["departed"];
    assert_eq!(
        json!([departed[1]["reason"], departed[0]["reason"]]),
        json!(["the clip is over", null]),
        "the latest first, and who said nothing beside it"
    );
}

#[tokio::test]
async fn the_page_is_one_document_that_loads_nothing_from_elsewhere() {
    let node = open_node().await;
    let response = node
        .client
        .get(format!("{}/node", node.url))
        .send()
        .await
        .expect("an answer");

    assert_eq!(
        (response.status().as_u16(), response.url().path()),
        (200, "/node/")
    );
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    let page = response.text().await.expect("a page");
    assert!(
        page.contains("</html>") && !page.contains("src=\"http"),
        "{page}"
    );
}

#[tokio::test]
async fn pages_of_other_origins_read_the_lobby_and_not_the_operators_view() {
    let node = open_node().await;
    let allowed = async |path: &str| {
        let request = node
            .client
            .get(format!("{}{path}", node.url))
            .header("origin", "https://other.example");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        response
            .headers()
            .contains_key("access-control-allow-origin")
    };

    assert!(allowed("/node/conferences.json").await);
    assert!(!allowed("/node/state.json").await);
    assert!(!allowed("/node/").await);
}

#[tokio::test]
async fn behind_a_proxy_nobody_is_on_this_machine() {
    let node = open_node().await;
    let request = node
        .client
        .get(format!("{}/node/state.json", node.url))
        .header("x-forwarded-for", "192.0.2.9");

    assert_eq!(Answer::of(request).await.code, 403);
}

#[tokio::test]
async fn another_machine_needs_the_token() {
    crate::support::install_provider();
    let Some(here) = peer::local_addresses()
        .into_iter()
        .find(|ip| ip.is_ipv4() && !ip.is_loopback())
    else {
        return; // A machine without a network: `access` has the same as a unit test.
    };
    let token = "an-operators-own-token";
    let node = try_start(NodeSettings {
        http: None,
        https: Some((here, 0).into()),
        operator_token: Some(OperatorToken::new(token).expect("long enough")),
        ..settings(&["meet"])
    })
    .await
    .expect("a node");
    let pem = node.running.certificate_pem.clone().expect("its own");
    let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    for path in ["/node/", "/node/state.json", "/node/log.json"] {
        let get = || client.get(format!("{}{path}", node.url));
        let response = get().send().await.expect("an answer");
        assert_eq!(response.status(), 403, "{path}");
        let why = response.text().await.expect("text");
        assert!(why.contains("operator's token"), "{why}");
        for request in [
            get().header("token", token),
            client.get(format!("{}{path}?token={token}", node.url)),
        ] {
            assert_eq!(
                request.send().await.expect("an answer").status(),
                200,
                "{path}"
            );
        }
        let wrong = get().header("token", "an-operators-own-tokem").send().await;
        assert_eq!(wrong.expect("an answer").status(), 403);
    }
    let lobby = client.get(format!("{}/node/conferences.json", node.url));
    assert_eq!(lobby.send().await.expect("an answer").status(), 200);
}
