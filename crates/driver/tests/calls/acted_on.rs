//! Events that a participant acts on: afterwards its tone is heard by somebody else.

use std::sync::Arc;

use driver::{EndReason, Material, NoticeKind, Program, Rejoin, State};
use infinity::Role;
use node::{Fault, Faults};

use crate::scene::{Scene, Watched, is_in};

/// Someone who sends a tone, in the conference.
async fn toner(scene: &Scene) -> Watched {
    let mut settings = scene.settings("toner");
    let tone = "tone:1000".parse().unwrap();
    let material = Material::open(Some(&tone), None).unwrap();
    settings.program = Program::Loop(Arc::new(material));
    let mut toner = scene.start(settings);
    toner.until(is_in).await;
    toner
}

fn is_degraded(kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::State(State::Degraded(_)))
}

/// Waits for a new call with the same token, and for the tone in it.
async fn calls_again(fault: Fault) {
    let scene = Scene::with(|node| node.faults = Faults::from(fault)).await;
    let mut toner = toner(&scene).await;
    toner.until(is_degraded).await;
    toner.until(is_in).await;
    scene.hears_tone("meet").await.expect("after the new call");
    let outcome = toner.leave().await;
    assert_eq!(outcome.joins, 1, "with the token it had");
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_disconnect_makes_a_new_call() {
    calls_again(Fault::PeerDisconnect).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_disconnected_makes_a_new_call() {
    calls_again(Fault::CallDisconnected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sent_is_not_heard() {
    let scene = Scene::with(|node| node.faults = Faults::from(Fault::Silent)).await;
    let toner = toner(&scene).await;
    scene
        .hears_tone("meet")
        .await
        .expect_err("the node is silent");
    toner.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_taken_and_given_is_told_and_the_token_is_refreshed_for_it() {
    let scene = Scene::open().await;
    let mut toner = toner(&scene).await;
    let host = scene.host("meet").await;
    let uuid = scene.uuid_of(&host, "toner").await;
    for role in [Role::Guest, Role::Host] {
        host.participant(uuid.clone()).role(role).await.unwrap();
        toner
            .until(|kind| matches!(kind, NoticeKind::Role(told) if *told == role))
            .await;
        toner
            .until(|kind| matches!(kind, NoticeKind::Refreshed))
            .await;
        // What it may do has changed with it.
        let may = toner.caller.conference().mute_guests().await.is_ok();
        assert_eq!(may, role == Role::Host);
    }
    scene.hears_tone("meet").await.expect("as before");
    host.release_token(None).await.unwrap();
    assert_eq!(toner.leave().await.joins, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_conference_changes_nothing_for_who_is_in_it() {
    let scene = Scene::open().await;
    let toner = toner(&scene).await;
    let host = scene.host("meet").await;
    host.mute_guests().await.unwrap();
    host.lock().await.unwrap();
    host.unlock().await.unwrap();
    scene.hears_tone("meet").await.expect("a host is not muted");
    toner.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_is_obeyed_even_by_who_joins_again_after_losses() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("toner");
    settings.rejoin = Rejoin::BOT;
    let mut caller = scene.start(settings);
    caller.until(is_in).await;
    let host = scene.host("meet").await;
    let uuid = scene.uuid_of(&host, "toner").await;
    host.participant(uuid).disconnect().await.unwrap();
    let outcome = caller.end().await;
    assert!(
        matches!(outcome.reason, EndReason::Removed(_)),
        "{:?}",
        outcome.reason
    );
    assert_eq!(outcome.joins, 1);
}
