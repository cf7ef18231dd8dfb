//! What hosts may do, seen by those it is done to; and that guests may not.

use serde_json::{Value, json};

use crate::support::{Member, TestNode, settings, start};

async fn host_and_guest() -> (TestNode, Member, Member) {
    let node = start(settings(&["meet,pin=1,guest_pin=none"])).await;
    let host = node.join_with("Host", Some("1")).await;
    let guest = node.join_with("Guest", Some("none")).await;
    (node, host, guest)
}

fn of<'a>(who: &'a Member) -> impl Fn(&Value) -> bool + 'a {
    |row| row["uuid"] == who.uuid.as_str()
}

#[tokio::test]
async fn muteguests_mutes_guests_alone_present_and_to_come() {
    let (node, host, guest) = host_and_guest().await;
    let mut events = guest.events().await;

    assert_eq!(host.post("muteguests").await.ok(), true);

    assert_eq!(
        events.until("conference_update").await["guests_muted"],
        true
    );
    assert_eq!(
        events.until_some("participant_update", of(&guest)).await["is_muted"],
        "YES"
    );
    assert_eq!(
        guest.get("conference_status").await.ok()["guests_muted"],
        true
    );
    let late = node.join_with("Late", Some("none")).await;
    assert_eq!(
        events.until_some("participant_create", of(&late)).await["is_muted"],
        "YES"
    );
    let rows = host.get("participants").await.ok();
    assert_eq!(
        (&rows[0]["role"], &rows[0]["is_muted"]),
        (&json!("chair"), &json!("NO"))
    );

    assert_eq!(host.post("unmuteguests").await.ok(), true);
    assert_eq!(
        events.until("conference_update").await["guests_muted"],
        false
    );
    assert_eq!(
        events.until_some("participant_update", of(&guest)).await["is_muted"],
        "NO"
    );
}

#[tokio::test]
async fn a_host_mutes_and_unmutes_a_participant() {
    let (_node, host, guest) = host_and_guest().await;
    let mut events = guest.events().await;

    assert_eq!(host.post(&guest.path("mute")).await.ok(), true);
    assert_eq!(
        events.until_some("participant_update", of(&guest)).await["is_muted"],
        "YES"
    );
    assert_eq!(host.post(&guest.path("unmute")).await.ok(), true);
    assert_eq!(
        events.until_some("participant_update", of(&guest)).await["is_muted"],
        "NO"
    );
}

#[tokio::test]
async fn a_removed_participant_is_told_why_and_its_token_is_gone() {
    let (_node, host, guest) = host_and_guest().await;
    let mut seen_by_guest = guest.events().await;
    let mut seen_by_host = host.events().await;

    assert_eq!(host.post(&guest.path("disconnect")).await.ok(), true);

    let all = seen_by_guest.all_until_end().await;
    let last = all.last().expect("a last word");
    assert_eq!(
        (last.name.as_str(), &last.data["reason"]),
        ("disconnect", &json!("API initiated participant disconnect"))
    );
    assert_eq!(
        seen_by_host.until("participant_delete").await["uuid"],
        guest.uuid
    );
    guest
        .post("refresh_token")
        .await
        .refused(403, "Invalid token");
}

#[tokio::test]
async fn a_host_ends_the_conference_for_all() {
    let (_node, host, guest) = host_and_guest().await;
    let mut streams = [host.events().await, guest.events().await];

    assert_eq!(host.post("disconnect").await.ok(), true);

    for events in &mut streams {
        assert_eq!(
            events.until("disconnect").await["reason"],
            "API initiated conference disconnect"
        );
        events.all_until_end().await;
    }
}

#[tokio::test]
async fn who_comes_to_a_locked_conference_waits_until_it_is_let_in() {
    let (node, host, _guest) = host_and_guest().await;
    host.post("lock").await.ok();
    let late = node.join_with("Late", Some("none")).await;
    let later = node.join_with("Later", Some("none")).await;
    assert_eq!(late.granted["current_service_type"], "waiting_room");
    let mut events = late.events().await;

    host.post(&late.path("unlock")).await.ok();
    assert_eq!(
        events.until_some("participant_update", of(&late)).await["service_type"],
        "conference"
    );
    host.post("unlock").await.ok();
    assert_eq!(
        events.until_some("participant_update", of(&later)).await["service_type"],
        "conference"
    );
    assert_eq!(
        node.join_with("Second host", Some("1")).await.granted["current_service_type"],
        "conference"
    );
}

#[tokio::test]
async fn guests_are_refused_what_is_for_hosts() {
    let (_node, host, guest) = host_and_guest().await;
    let of_host = |rest: &str| host.path(rest);

    for path in [
        "lock".to_owned(),
        "unlock".to_owned(),
        "muteguests".to_owned(),
        "unmuteguests".to_owned(),
        "disconnect".to_owned(),
        of_host("mute"),
        of_host("unmute"),
        of_host("unlock"),
        of_host("disconnect"),
    ] {
        guest
            .post(&path)
            .await
            .refused(403, "Host privileges are required");
    }
    let status = guest.get("conference_status").await.ok();
    assert_eq!(
        (&status["locked"], &status["guests_muted"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        guest.post(&guest.path("disconnect")).await.ok(),
        true,
        "it may show itself out"
    );
}

#[tokio::test]
async fn nobody_is_muted_who_is_not_there() {
    let (_node, host, _guest) = host_and_guest().await;

    host.post("participants/made-up/mute")
        .await
        .refused(404, "Participant not found");
}
