//! The floor, as those see it who do not have it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Member, TestNode, open_node};

fn start_of(who: &Member, name: &str) -> Value {
    json!({ "presenter_name": name, "presenter_uri": name, "presenter_uuid": who.uuid })
}

#[tokio::test]
async fn a_presentation_begins_is_taken_over_and_ends() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let carol = node.join("Carol").await;
    let mut seen = carol.events().await;

    assert_eq!(
        alice.post(&alice.path("take_floor")).await.ok(),
        Value::Null
    );
    let row = seen.until("participant_update").await;
    assert_eq!(
        (&row["uuid"], &row["is_presenting"]),
        (&json!(alice.uuid), &json!("YES"))
    );
    assert_eq!(
        seen.until("presentation_start").await,
        start_of(&alice, "Alice")
    );
    let mut late = carol.fresh_events().await;
    assert_eq!(
        late.until("presentation_start").await,
        start_of(&alice, "Alice")
    );

    bob.post(&bob.path("take_floor")).await.ok();
    assert_eq!(
        seen.until("participant_update").await["is_presenting"],
        "NO"
    );
    assert_eq!(
        seen.until("presentation_start").await,
        start_of(&bob, "Bob")
    );
    bob.post(&bob.path("release_floor")).await.ok();
    seen.until("presentation_stop").await;

    alice.post(&alice.path("take_floor")).await.ok();
    seen.until("presentation_start").await;
    alice.post("release_token").await.ok();
    seen.until("presentation_stop").await;
    bob.post(&carol.path("take_floor"))
        .await
        .refused(403, "The floor is not yours");
}

#[tokio::test]
async fn the_presenter_is_not_told_of_itself() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let mut own = alice.events().await;

    alice.post(&alice.path("take_floor")).await.ok();

    own.until("participant_update").await;
    own.none_of("presentation_start", Duration::from_millis(300))
        .await;
}

#[tokio::test]
async fn who_is_denied_presentations_is_told_of_none_until_they_are_allowed() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut seen = bob.events().await;
    alice.post(&bob.path("denyrxpresentation")).await.ok();
    alice.post(&alice.path("take_floor")).await.ok();
    seen.until_some("participant_update", |row| row["is_presenting"] == "YES")
        .await;
    seen.none_of("presentation_start", Duration::from_millis(300))
        .await;

    alice.post(&bob.path("allowrxpresentation")).await.ok();
    seen.until("presentation_start").await;
    alice.post(&bob.path("denyrxpresentation")).await.ok();
    seen.until("presentation_stop").await;
}

/// Fetches a picture with the token in the query, as pages do.
async fn picture(node: &TestNode, who: &Member, name: &str) -> (u16, Vec<u8>) {
    let token = who.token.replace('=', "%3D");
    let url = format!("{}/{name}?id=7&token={token}", node.conference("meet"));
    let response = node.client.get(url).send().await.expect("an answer");
    let code = response.status().as_u16();
    if code == 200 {
        assert_eq!(response.headers()["content-type"], "image/jpeg");
    }
    (code, response.bytes().await.expect("a body").to_vec())
}

/// Width and height, from the frame header of a JPEG file (ITU-T T.81 B.2.2).
fn size(file: &[u8]) -> (u16, u16) {
    let at = file
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .expect("a baseline frame");
    let number = |at: usize| u16::from_be_bytes([file[at], file[at + 1]]);
    (number(at + 7), number(at + 5))
}

#[tokio::test]
async fn pictures_of_a_presentation_are_announced_and_fetched_by_those_who_may_see_it() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut seen = bob.events().await;
    bob.get("presentation.jpeg")
        .await
        .refused(404, "Nobody presents");
    seen.none_of("presentation_frame", Duration::from_millis(200))
        .await;

    alice.post(&alice.path("take_floor")).await.ok();
    assert_eq!(seen.until("presentation_frame").await, Value::Null);
    let (code, small) = picture(&node, &bob, "presentation.jpeg").await;
    assert_eq!((code, size(&small)), (200, (640, 360)));
    let (code, large) = picture(&node, &bob, "presentation_high.jpeg").await;
    assert_eq!((code, size(&large)), (200, (1280, 720)));
    assert_eq!(
        bob.get("presentation.jpeg").await.code,
        200,
        "by header too"
    );
    assert_eq!(
        picture(&node, &alice, "presentation.jpeg").await.1,
        small,
        "the presenter sees the same"
    );
    let mut late = bob.fresh_events().await;
    late.until("presentation_frame").await;

    bob.post(&bob.path("take_floor")).await.ok();
    let (_, other) = picture(&node, &alice, "presentation.jpeg").await;
    assert_ne!(other, small, "it says who presents");
    bob.post("release_token").await.ok();
    alice
        .get("presentation.jpeg")
        .await
        .refused(404, "Nobody presents");
    bob.get("presentation.jpeg")
        .await
        .refused(403, "Invalid token");
}

#[tokio::test]
async fn who_is_denied_presentations_gets_no_pictures() {
    let node = open_node().await;
    let (alice, bob) = (node.join("Alice").await, node.join("Bob").await);
    let mut seen = bob.events().await;
    alice.post(&bob.path("denyrxpresentation")).await.ok();
    alice.post(&alice.path("take_floor")).await.ok();

    seen.until_some("participant_update", |row| row["is_presenting"] == "YES")
        .await;
    seen.none_of("presentation_frame", Duration::from_millis(300))
        .await;
    bob.get("presentation.jpeg")
        .await
        .refused(403, "Presentations are denied");
    alice.post(&bob.path("allowrxpresentation")).await.ok();
    seen.until("presentation_frame").await;
    assert_eq!(picture(&node, &bob, "presentation.jpeg").await.0, 200);
}
