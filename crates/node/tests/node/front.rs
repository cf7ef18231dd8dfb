//! What clients meet in the field before they reach a conference: content types, proxies, maintenance.

use std::collections::BTreeSet;

use infinity::{Credential, Refusal};
use node::{Excuse, Fault, HttpCredentials, NodeSettings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestNode, faulty_node, open_node, settings, start};

/// What a client of ours makes of an answer.
async fn refusal(request: reqwest::RequestBuilder) -> Refusal {
    let response = request.send().await.expect("an answer");
    let code = response.status().as_u16();
    Refusal::decode(code, &response.bytes().await.expect("a body"))
}

/// What the operator reads of requests that are nobody's: verb, status and why.
async fn log_of_nobody(node: &TestNode) -> Vec<(String, u64, String)> {
    let request = node.client.get(format!("{}/node/log.json", node.url));
    let log = Answer::of(request).await.body;
    let entries = log["entries"].as_array().expect("entries").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| {
            let status = entry["status"].as_u64().expect("a status");
            (text(&entry["verb"]), status, text(&entry["refusal"]))
        })
        .collect()
}

#[tokio::test]
async fn a_body_that_is_not_json_by_its_own_word_is_refused() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let body = json!({ "type": "text/plain", "payload": "Hello" }).to_string();
    let send = |kind: &str| {
        let request = alice.post_request("message").header("content-type", kind);
        Answer::of(request.body(body.clone()))
    };

    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
    ] {
        send(kind)
            .await
            .refused(415, "Unsupported media type: application/json is wanted");
    }
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
    ] {
        send(kind).await.ok();
    }
    let beacon = alice
        .post_request("release_token")
        .header("content-type", "text/plain;charset=UTF-8");
    Answer::of(beacon.body("{}")).await.ok();
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_gets_it_or_refuses_everything() {
    let node = start(NodeSettings {
        http_credentials: Some(HttpCredentials {
            user: "alice".to_owned(),
            password: Credential::new("hunter:2"),
        }),
        ..settings(&["meet"])
    })
    .await;
    let status = format!("{}/api/client/v2/status", node.url);
    let get = |path: &str| node.client.get(path);

    for request in [
        get(&status),
        get(&status).basic_auth("alice", Some("wrong")),
        get(&status).basic_auth("bob", Some("hunter:2")),
        get(&status).bearer_auth("alice"),
        get(&status).header("authorization", "Basic ?"),
        get(&format!("{}/", node.url)),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        let challenge = response.headers()["www-authenticate"].to_str();
        assert!(challenge.expect("text").starts_with("Basic "));
    }
    assert_eq!(refusal(get(&status)).await, Refusal::BadHttpCredentials);

    let admitted = get(&status).basic_auth("alice", Some("hunter:2"));
    Answer::of(admitted).await.ok();
    let preflight = node
        .client
        .request(Method::OPTIONS, &status)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .send();
    // Browsers ask without a password whether they may ask with one.
    assert_eq!(preflight.await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_node_in_maintenance_takes_nobody() {
    let node = faulty_node(Fault::Maintenance).await;
    let status = format!("{}/api/client/v2/status", node.url);

    Answer::of(node.client.get(&status))
        .await
        .refused(503, "System in maintenance mode");
    node.request_token("meet", "Alice", None)
        .await
        .refused(503, "System in maintenance mode");
    assert_eq!(
        refusal(node.client.get(&status)).await,
        Refusal::Maintenance
    );

    let well = open_node().await;
    well.join("Alice").await;
}

#[tokio::test]
async fn a_proxy_that_lost_the_node_says_so_in_html() {
    let node = faulty_node(Fault::BadGateway).await;
    let url = format!("{}/request_token", node.conference("meet"));

    let response = node.client.post(&url).send().await.expect("an answer");

    assert_eq!(response.status(), 502);
    assert!(response.text().await.expect("text").starts_with("<html>"));
    assert_eq!(
        refusal(node.client.post(&url)).await,
        Refusal::Unavailable(502)
    );
    let page = node.client.get(&node.url).send().await.expect("an answer");
    assert_eq!(page.status(), 200, "people still see the page");
}

#[tokio::test]
async fn what_a_proxy_answers_in_the_nodes_place_stands_in_the_operators_log() {
    let node = faulty_node(Fault::BadGateway).await;
    let request = node
        .client
        .get(format!("{}/api/client/v2/status", node.url));
    request.send().await.expect("an answer");

    let log = log_of_nobody(&node).await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(
        (log[0].0.as_str(), log[0].1),
        ("/api/client/v2/status", 502)
    );
    assert!(log[0].2.contains("proxy"), "{log:?}");

    let node = start(NodeSettings {
        http_credentials: Some(HttpCredentials {
            user: "alice".to_owned(),
            password: Credential::new("hunter:2"),
        }),
        ..settings(&["meet"])
    })
    .await;
    let status = format!("{}/api/client/v2/status", node.url);
    for password in ["wrong-0815", "hunter:2"] {
        let request = node.client.get(&status).basic_auth("alice", Some(password));
        request.send().await.expect("an answer");
    }

    let log = log_of_nobody(&node).await;
    let codes: Vec<u64> = log.iter().map(|(_, code, _)| *code).collect();
    assert_eq!(
        codes,
        [401, 200],
        "the one that was let in as ever: {log:?}"
    );
    assert!(log[0].2.contains("HTTP Basic"), "{log:?}");
    let shown = format!("{log:?}");
    assert!(
        !shown.contains("0815") && !shown.contains("hunter"),
        "{shown}"
    );
}

#[tokio::test]
async fn every_excuse_is_given_to_newcomers_alone_and_understood_by_a_client() {
    let mut understood = BTreeSet::new();
    for excuse in Excuse::ALL {
        let node = faulty_node(Fault::Refuse(excuse)).await;
        let url = format!("{}/request_token", node.conference("meet"));
        let body = json!({ "display_name": "Alice" });
        let request = || node.client.post(&url).json(&body);
        if excuse == Excuse::NotJson {
            let answer = request().send().await.expect("an answer");
            let kind = answer.headers()["content-type"].to_str().expect("text");
            assert!(kind.starts_with("text/html"), "{kind}");
        } else {
            let refusal = refusal(request()).await.to_string();
            // Two have a code of their own, and mean what another means.
            let is_said_twice = matches!(
                excuse,
                Excuse::ParticipantLimitForbidden
                    | Excuse::ParticipantLimit
                    | Excuse::LicencesForbidden
                    | Excuse::Licences
            );
            let is_new = understood.insert(refusal.clone());
            assert!(is_new || is_said_twice, "{refusal} twice");
        }
        let status = format!("{}/api/client/v2/status", node.url);
        Answer::of(node.client.get(status)).await.ok();
        let log = log_of_nobody(&node).await;
        let why = format!("refuse={excuse}");
        assert!(
            log.iter()
                .any(|(verb, _, said)| verb == "request_token" && *said == why),
            "{log:?}"
        );
    }
    // One is no refusal, and two are the same as others.
    assert_eq!(understood.len(), Excuse::ALL.len() - 3);
}
