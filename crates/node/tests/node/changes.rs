//! What participants and hosts change about a participant, as another one sees it.

use serde_json::{Value, json};

use crate::support::{Events, Member, TestNode, open_node, settings, start};

async fn host_and_guest() -> (TestNode, Member, Member) {
    let node = start(settings(&["meet,pin=1,guest_pin=none"])).await;
    let host = node.join_with("Host", Some("1")).await;
    let guest = node.join_with("Guest", Some("none")).await;
    (node, host, guest)
}

/// The next update of the row of `who`, as somebody else sees it.
async fn row(seen_by_other: &mut Events, who: &Member) -> Value {
    seen_by_other
        .until_some("participant_update", |row| row["uuid"] == who.uuid.as_str())
        .await
}

#[tokio::test]
async fn a_guest_changes_its_own_affairs_and_the_others_see_it() {
    let (_node, host, guest) = host_and_guest().await;
    let mut seen = host.events().await;

    for (path, field, value) in [
        ("client_mute", "is_client_muted", json!(true)),
        ("client_unmute", "is_client_muted", json!(false)),
        ("video_muted", "is_video_muted", json!(true)),
        ("video_unmuted", "is_video_muted", json!(false)),
        ("mute", "is_muted", json!("YES")),
        ("unmute", "is_muted", json!("NO")),
    ] {
        assert_eq!(guest.post(&guest.path(path)).await.ok(), true, "{path}");
        assert_eq!(row(&mut seen, &guest).await[field], value, "{path}");
    }
    guest.post(&guest.path("buzz")).await.ok();
    let buzzed = row(&mut seen, &guest).await;
    assert!(
        buzzed["buzz_time"].as_f64() >= buzzed["start_time"].as_f64(),
        "{buzzed}"
    );
    guest.post(&guest.path("clearbuzz")).await.ok();
    assert_eq!(row(&mut seen, &guest).await["buzz_time"], 0.0);
}

#[tokio::test]
async fn a_host_changes_others_and_they_see_it() {
    let (_node, host, guest) = host_and_guest().await;
    let mut seen = guest.events().await;

    for (path, field, value) in [
        ("denyrxpresentation", "rx_presentation_policy", "DENY"),
        ("allowrxpresentation", "rx_presentation_policy", "ALLOW"),
    ] {
        assert_eq!(host.post(&guest.path(path)).await.ok(), true, "{path}");
        assert_eq!(row(&mut seen, &guest).await[field], value, "{path}");
    }
    let text = json!({ "text": "Zoë, Köln" });
    host.post_json(&guest.path("overlaytext"), &text).await.ok();
    assert_eq!(row(&mut seen, &guest).await["overlay_text"], "Zoë, Köln");
    guest.post(&guest.path("buzz")).await.ok();
    host.post(&guest.path("clearbuzz")).await.ok();
    seen.until_some("participant_update", |row| row["buzz_time"] != 0.0)
        .await;
    assert_eq!(row(&mut seen, &guest).await["buzz_time"], 0.0);
}

#[tokio::test]
async fn spotlights_bear_the_time_they_were_lit() {
    let (_node, host, guest) = host_and_guest().await;
    let mut seen = guest.events().await;

    host.post(&guest.path("spotlighton")).await.ok();
    let first = row(&mut seen, &guest).await;
    host.post(&host.path("spotlighton")).await.ok();
    let second = row(&mut seen, &host).await;
    assert!(first["spotlight"].as_f64() >= first["start_time"].as_f64());
    assert!(second["spotlight"].as_f64() > first["spotlight"].as_f64());

    host.post(&guest.path("spotlighton")).await.ok();
    let again = row(&mut seen, &guest).await;
    assert_eq!(again["spotlight"], first["spotlight"], "its place is kept");
    host.post(&guest.path("spotlightoff")).await.ok();
    assert_eq!(row(&mut seen, &guest).await["spotlight"], 0.0);
}

#[tokio::test]
async fn a_guest_made_host_may_what_hosts_may_and_learns_it_from_a_refresh() {
    let (_node, host, guest) = host_and_guest().await;
    let mut seen = host.events().await;
    guest
        .post("lock")
        .await
        .refused(403, "Host privileges are required");

    let role = json!({ "role": "chair" });
    host.post_json(&guest.path("role"), &role).await.ok();
    assert_eq!(row(&mut seen, &guest).await["role"], "chair");
    assert_eq!(guest.post("lock").await.ok(), true);
    assert_eq!(seen.until("conference_update").await["locked"], true);
    assert_eq!(guest.post("refresh_token").await.ok()["role"], "HOST");

    let nonsense = json!({ "role": "emperor" });
    host.post_json(&guest.path("role"), &nonsense)
        .await
        .refused(400, "role is neither chair nor guest");
}

#[tokio::test]
async fn guests_are_refused_what_is_for_hosts() {
    let (_node, host, guest) = host_and_guest().await;
    let hosts_alone = |path: String, body: Value| {
        let guest = &guest;
        async move {
            let answer = guest.post_json(&path, &body).await;
            answer.refused(403, "Host privileges are required");
        }
    };

    for verb in [
        "mute",
        "unmute",
        "buzz",
        "clearbuzz",
        "client_mute",
        "video_muted",
    ] {
        hosts_alone(host.path(verb), json!({})).await;
    }
    for whose in [&host, &guest] {
        for verb in [
            "spotlighton",
            "spotlightoff",
            "allowrxpresentation",
            "denyrxpresentation",
        ] {
            hosts_alone(whose.path(verb), json!({})).await;
        }
        hosts_alone(whose.path("role"), json!({ "role": "chair" })).await;
        hosts_alone(whose.path("overlaytext"), json!({ "text": "x" })).await;
    }
}

#[tokio::test]
async fn muteguests_spares_who_was_unmuted_by_name() {
    let (node, host, guest) = host_and_guest().await;
    let mut seen = guest.events().await;
    host.post("muteguests").await.ok();
    assert_eq!(row(&mut seen, &guest).await["is_muted"], "YES");
    let late = node.join_with("Late", Some("none")).await;

    host.post(&late.path("unmute")).await.ok();
    assert_eq!(row(&mut seen, &late).await["is_muted"], "NO");
    host.post("muteguests").await.ok();
    let rows = host.get("participants").await.ok();
    assert_eq!(
        (&rows[1]["is_muted"], &rows[2]["is_muted"]),
        (&json!("YES"), &json!("NO"))
    );

    host.post("unmuteguests").await.ok();
    host.post("muteguests").await.ok();
    assert_eq!(
        row(&mut seen, &late).await["is_muted"],
        "YES",
        "spared once"
    );
}

#[tokio::test]
async fn a_message_to_one_reaches_that_one_alone() {
    let node = open_node().await;
    let alice = node.join("Alice").await;
    let bob = node.join("Bob").await;
    let carol = node.join("Carol").await;
    let (mut seen_by_bob, mut seen_by_carol) = (bob.events().await, carol.events().await);
    let text = |payload: &str| json!({ "type": "text/plain", "payload": payload });

    alice
        .post_json(&bob.path("message"), &text("psst"))
        .await
        .ok();
    alice.post_json("message", &text("all")).await.ok();

    let direct = seen_by_bob.until("message_received").await;
    assert_eq!(
        (&direct["payload"], &direct["direct"]),
        (&json!("psst"), &json!(true))
    );
    assert_eq!(
        seen_by_carol.until("message_received").await["payload"],
        "all",
        "and nothing before it"
    );
    alice
        .post_json("participants/made-up/message", &text("?"))
        .await
        .refused(404, "Participant not found");
}
