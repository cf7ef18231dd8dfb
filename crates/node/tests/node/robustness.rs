//! Clients that misbehave, and others beside them who notice nothing of it.

use std::time::Duration;

use futures_util::future::join_all;
use node::NodeSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, DEADLINE, TestNode, open_node, settings, start, text};

/// Checks that two who behave still reach each other.
async fn is_well(node: &TestNode) {
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut events = bob.events().await;
    let body = json!({ "type": "text/plain", "payload": "Still there?" });
    alice.post_json("message", &body).await.ok();
    events
        .until_some("message_received", |message| {
            message["payload"] == "Still there?"
        })
        .await;
    alice.post("release_token").await.ok();
    events.until("participant_delete").await;
    bob.post("release_token").await.ok();
}

async fn raw(node: &TestNode) -> TcpStream {
    let address = node.url.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

/// Everything the node says until it closes the connection.
async fn last_words(connection: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A connection that is reset has said what it had to say.
    let read = tokio::time::timeout(DEADLINE, connection.read_to_end(&mut said));
    let _ = read.await.expect("it ends in time");
    String::from_utf8_lossy(&said).into_owned()
}

async fn with_token(node: &TestNode, token: &str) -> Answer {
    let url = format!("{}/participants", node.conference("meet"));
    Answer::of(node.client.get(url).header("token", token)).await
}

#[tokio::test]
async fn many_wrong_tokens_at_once_are_refused_and_nobody_else_suffers() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let nearly = format!("{}x", &alice.token[..alice.token.len() - 1]);

    let attempts = (0..300).map(|n| {
        let token = if n % 2 == 0 {
            nearly.clone()
        } else {
            format!("guess-{n}")
        };
        let node = &node;
        async move { with_token(node, &token).await }
    });
    let (answers, ()) = tokio::join!(join_all(attempts), is_well(&node));

    for answer in answers {
        answer.refused(403, "Invalid token");
    }
    with_token(&node, &alice.token).await.ok();
}

#[tokio::test]
async fn many_refreshes_at_once_leave_one_good_token() {
    let node = open_node().await;
    let alice = node.join("Alice").await;

    let answers = join_all((0..50).map(|_| alice.post("refresh_token"))).await;

    let tokens: Vec<String> = answers
        .into_iter()
        .map(|answer| text(&answer.ok()["token"]))
        .collect();
    assert!(
        tokens
            .iter()
            .all(|one| *one == tokens[0] && *one != alice.token)
    );
    with_token(&node, &tokens[0]).await.ok();
}

#[tokio::test]
async fn an_old_token_is_good_for_a_while_and_what_was_opened_with_it_goes_on() {
    let node = start(NodeSettings {
        // Half of it is the grace.
        token_life: Duration::from_secs(4),
        ..settings(&["meet"])
    })
    .await;
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;
    let mut fresh = text(&alice.post("refresh_token").await.ok()["token"]);
    with_token(&node, &alice.token).await.ok();

    let mut refused = with_token(&node, &alice.token).await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while refused.code == 200 && tokio::time::Instant::now() < deadline {
        let url = format!("{}/refresh_token", node.conference("meet"));
        let refresh = node.client.post(url).header("token", &fresh);
        fresh = text(&Answer::of(refresh).await.ok()["token"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
        refused = with_token(&node, &alice.token).await;
    }

    refused.refused(403, "Invalid token");
    with_token(&node, &fresh).await.ok();
    let bob = node.join("Bob").await;
    events
        .until_some("participant_create", |row| row["uuid"] == bob.uuid.as_str())
        .await;
}

#[tokio::test]
async fn two_event_streams_of_one_token_both_tell_and_end_each_by_itself() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let (mut first, mut second) = (alice.events().await, alice.events().await);

    let bob = node.join("Bob").await;
    for events in [&mut first, &mut second] {
        assert_eq!(events.until("participant_create").await["uuid"], bob.uuid);
    }
    drop(first);
    bob.post("release_token").await.ok();
    assert_eq!(second.until("participant_delete").await["uuid"], bob.uuid);
    alice.get("participants").await.ok();
}

#[tokio::test]
async fn giant_bodies_are_cut_off() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let giant = "x".repeat(2_000_000);

    let attempts = (0..8).map(|_| {
        let request = alice.post_request("message").body(giant.clone());
        // The node may close the connection before all of it is sent.
        async { request.send().await.map(|answer| answer.status().as_u16()) }
    });
    let (answers, ()) = tokio::join!(join_all(attempts), is_well(&node));

    for answer in answers {
        assert!(matches!(answer, Ok(413) | Err(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_only_so_long() {
    let node = start(NodeSettings {
        patience: Duration::from_secs(1),
        ..settings(&["meet"])
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut connection = raw(&node).await;
        let head = "POST /api/client/v2/conferences/meet/request_token HTTP/1.1\r\n\
                    host: node\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{\"dis";
        connection.write_all(head.as_bytes()).await.expect("sent");
        slow.push(connection);
    }

    is_well(&node).await;

    for mut connection in slow {
        let said = last_words(&mut connection).await;
        assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    }
}

#[tokio::test]
async fn headers_that_do_not_come_are_waited_for_only_so_long() {
    let node = start(NodeSettings {
        headers_within: Duration::from_secs(1),
        ..settings(&["meet"])
    })
    .await;
    let (mut silent, mut slow) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        silent.push(raw(&node).await);
        let mut connection = raw(&node).await;
        let head = "GET /api/client/v2/status HTTP/1.1\r\nhost: no";
        connection.write_all(head.as_bytes()).await.expect("sent");
        slow.push(connection);
    }
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;

    is_well(&node).await;

    for mut connection in silent.into_iter().chain(slow) {
        let said = last_words(&mut connection).await;
        assert!(!said.contains("200 OK"), "{said}");
    }
    // What is being answered is no pause: the event stream has lived longer than that.
    let bob = node.join("Bob").await;
    let is_bob = |row: &serde_json::Value| row["uuid"] == bob.uuid.as_str();
    events.until_some("participant_create", is_bob).await;
}

#[tokio::test]
async fn with_more_patience_who_is_late_with_its_headers_is_answered() {
    let node = open_node().await;
    let mut connection = raw(&node).await;
    let head = "GET /api/client/v2/status HTTP/1.1\r\nhost: no";
    connection.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let rest = "de\r\nconnection: close\r\n\r\n";
    connection.write_all(rest.as_bytes()).await.expect("sent");

    let said = last_words(&mut connection).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let node = open_node().await;
    let mut connection = raw(&node).await;
    let head = "GET /api/client/v2/status HTTP/1.1\r\nhost: node\r\n";
    connection.write_all(head.as_bytes()).await.expect("sent");

    let line = format!("x-padding: {}\r\n", "x".repeat(1_000));
    let mut sent = 0;
    // As much as there is in no request; the node stops reading long before.
    while sent < 64 * 1024 * 1024 && connection.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }

    assert!(sent < 64 * 1024 * 1024, "all of it was taken");
    is_well(&node).await;
}
