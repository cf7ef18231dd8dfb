//! HTTP itself: aliases, methods, CORS, TLS, sizes, nonsense.

use node::NodeSettings;
use reqwest::{Client, Method};
use serde_json::json;

use crate::support::{Answer, install_provider, open_node, settings, start};

#[tokio::test]
async fn aliases_come_percent_encoded_or_not_and_in_any_case() {
    let node = start(settings(&["alice@example.com", "Größe 7/x"])).await;

    for alias in [
        "alice%40example.com",
        "alice@example.com",
        "ALICE@Example.com",
        "gr%C3%B6%C3%9Fe%207%2Fx",
    ] {
        node.request_token(alias, "A", None).await.ok();
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_in_json() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    node.request_token("nowhere", "A", None)
        .await
        .refused(404, "Neither conference nor gateway found");
    alice
        .post("make_coffee")
        .await
        .refused(404, "Resource not found");
    alice
        .post("participants/x/make_coffee")
        .await
        .refused(404, "Resource not found");
    let answer = Answer::of(node.client.get(format!("{}/favicon.ico", node.url))).await;
    assert_eq!(
        (answer.code, &answer.body["status"]),
        (404, &json!("failed"))
    );
}

#[tokio::test]
async fn the_wrong_method_is_refused() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    alice
        .get("refresh_token")
        .await
        .refused(405, "Method not allowed");
    alice
        .post("participants")
        .await
        .refused(405, "Method not allowed");
}

#[tokio::test]
async fn the_node_says_that_it_is_well() {
    let node = open_node().await;

    let status = Answer::of(
        node.client
            .get(format!("{}/api/client/v2/status", node.url)),
    )
    .await;

    status.ok();
}

#[tokio::test]
async fn a_node_without_a_theme_says_so() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    for path in ["theme/", "theme"] {
        assert_eq!(alice.get(path).await.code, 204, "{path}");
    }
}

#[tokio::test]
async fn browsers_of_other_origins_are_let_in() {
    let node = open_node().await;
    let request_token = format!("{}/request_token", node.conference("meet"));

    let preflight = node
        .client
        .request(Method::OPTIONS, &request_token)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,pin,token")
        .send()
        .await
        .expect("an answer");
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    let allowed = preflight.headers()["access-control-allow-headers"]
        .to_str()
        .expect("text")
        .to_owned();
    for header in ["token", "pin", "content-type"] {
        assert!(
            allowed.split(',').any(|one| one.trim() == header),
            "{header} in {allowed}"
        );
    }

    for url in [
        request_token,
        format!("{}/request_token", node.conference("nowhere")),
    ] {
        let answer = node
            .client
            .post(url)
            .header("origin", "https://app.example.com")
            .send()
            .await;
        assert_eq!(
            answer.expect("an answer").headers()["access-control-allow-origin"],
            "*"
        );
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let node = open_node().await;
    let url = format!("{}/request_token", node.conference("meet"));

    let answer = Answer::of(node.client.post(url).body("x".repeat(300_000))).await;

    assert_eq!(
        (answer.code, &answer.body["status"]),
        (413, &json!("failed"))
    );
}

#[tokio::test]
async fn nonsense_is_answered_and_survived() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    for body in [
        "\0\0",
        "[]",
        "7",
        "\"text\"",
        "{\"call_type\":null}",
        "{\"sdp\":{}}",
    ] {
        let answer = Answer::of(alice.post_request(&alice.path("calls")).body(body)).await;
        assert_eq!(
            (answer.code, &answer.body["status"]),
            (400, &json!("failed")),
            "{body}"
        );
    }
    let junk = json!({ "call_type": "WEBRTC", "sdp": "v=0\r\nnonsense" });
    let answer = alice.post_json(&alice.path("calls"), &junk).await;
    assert!([400, 500].contains(&answer.code), "{answer:?}");
    alice.get("participants").await.ok();
}

#[tokio::test]
async fn https_is_served_with_a_certificate_of_the_nodes_own() {
    install_provider();
    let node = start(NodeSettings {
        https: Some(([127, 0, 0, 1], 0).into()),
        ..settings(&["meet"])
    })
    .await;
    let url = node.running.https_url.clone().expect("HTTPS");
    let port = url.rsplit(':').next().expect("a port");
    let pem = node.running.certificate_pem.clone().expect("a certificate");
    assert_eq!(node.running.fingerprint.as_deref().map(str::len), Some(95));

    let certificate = reqwest::Certificate::from_pem(pem.as_bytes()).expect("PEM");
    let trusting = Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .expect("a client");
    for host in ["127.0.0.1", "localhost"] {
        let status = trusting.get(format!("https://{host}:{port}/api/client/v2/status"));
        Answer::of(status).await.ok();
    }

    let stranger = Client::builder().no_proxy().build().expect("a client");
    assert!(
        stranger
            .get(format!("{url}/api/client/v2/status"))
            .send()
            .await
            .is_err(),
        "not for who does not trust it"
    );
}

#[tokio::test]
async fn the_page_is_served() {
    let node = open_node().await;
    let _alice = node.join("Alice").await;

    for (path, kind) in [
        ("", "text/html"),
        ("page.css", "text/css"),
        ("page.js", "text/javascript"),
    ] {
        let response = node
            .client
            .get(format!("{}/{path}", node.url))
            .send()
            .await
            .expect("an answer");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .expect("text")
                .starts_with(kind),
            "{path}"
        );
        assert_eq!(response.status(), 200);
    }
    let list = node
        .client
        .get(format!("{}/node/conferences.json", node.url))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        list.json::<serde_json::Value>().await.expect("JSON"),
        json!([{ "alias": "meet", "participants": 1 }])
    );
}
