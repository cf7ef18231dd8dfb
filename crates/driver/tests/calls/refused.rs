//! PINs, waiting rooms, certificates, conferences that do not exist.

use std::time::Duration;

use driver::{CallerSettings, EndReason, HttpClient, NoticeKind, Outcome, State, StopReason, Tls};
use infinity::Pin;
use media::RecordSettings;
use node::NodeSettings;

use crate::scene::{Scene, is_in, once};

fn conference(text: &'static str) -> impl FnOnce(&mut NodeSettings) {
    move |node| node.conferences = vec![text.parse().unwrap()]
}

async fn outcome_with(scene: &Scene, adjust: impl FnOnce(&mut CallerSettings)) -> Outcome {
    let mut settings = scene.settings("x");
    adjust(&mut settings);
    scene.start(settings).end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_is_wanted_and_one_that_is_wrong_are_told_apart() {
    let scene = Scene::with(conference("meet,pin=1234")).await;
    let none = outcome_with(&scene, |_| ()).await;
    assert_eq!(none.reason, EndReason::PinWanted);
    let wrong = outcome_with(&scene, |settings| settings.pin = Some(Pin::new("4321"))).await;
    assert_eq!(wrong.reason, EndReason::PinWrong);

    let mut settings = scene.settings("host");
    settings.pin = Some(Pin::new("1234"));
    let mut host = scene.start(settings);
    host.until(is_in).await;
    assert!(host.leave().await.was_in);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_conference_is_refused_in_words() {
    let scene = Scene::open().await;
    let outcome = outcome_with(&scene, |settings| {
        settings.conference = "meat".parse().unwrap()
    })
    .await;
    assert!(
        outcome.reason.to_string().contains("no such conference"),
        "{}",
        outcome.reason
    );
    assert!(matches!(outcome.reason, EndReason::Refused(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_waits_for_a_host_and_plays_nothing_meanwhile() {
    let scene = Scene::with(conference("meet,pin=1234,guest_pin=none")).await;
    let given_up = outcome_with(&scene, |settings| {
        settings.waiting_room_limit = Some(Duration::from_secs(1));
    })
    .await;
    assert_eq!(given_up.reason, EndReason::WaitingRoomTimeout);

    let mut settings = scene.settings("guest");
    settings.program = once("other-speech.wav", None);
    let mut guest = scene.start(settings);
    guest
        .until(|kind| matches!(kind, NoticeKind::State(State::WaitingRoom)))
        .await;
    let early = guest.within_or_none(Duration::from_secs(3), |kind| {
        matches!(kind, NoticeKind::ClipStarted { .. })
    });
    assert!(early.await.is_none(), "nobody could hear it");

    let mut settings = scene.settings("host");
    settings.pin = Some(Pin::new("1234"));
    let mut host = scene.start(settings);
    guest.until(is_in).await;
    guest
        .until(|kind| matches!(kind, NoticeKind::ClipStarted { .. }))
        .await;
    host.until(is_in).await;
    guest.leave().await;
    host.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_believed_when_somebody_vouches_for_it() {
    let scene = Scene::with(|node| node.https = Some(([127, 0, 0, 1], 0).into())).await;
    let node: url::Url = scene.node.https_url.as_deref().unwrap().parse().unwrap();
    let through = |tls: Tls| {
        let node = node.clone();
        move |settings: &mut CallerSettings| {
            settings.client = HttpClient::new(&tls).unwrap();
            settings.nodes = vec![node.into()];
        }
    };
    let unknown = outcome_with(&scene, through(Tls::SystemRoots)).await;
    let text = unknown.reason.to_string();
    assert!(text.contains("--ca-file"), "{text}");
    assert!(matches!(unknown.reason, EndReason::Unreachable(_)));

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("node.pem");
    std::fs::write(&file, scene.node.certificate_pem.as_deref().unwrap()).unwrap();
    for tls in [Tls::CaFile(file), Tls::Insecure] {
        let mut settings = scene.settings("x");
        through(tls)(&mut settings);
        let mut caller = scene.start(settings);
        caller.until(is_in).await;
        let outcome = caller.leave().await;
        assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Finished));
    }

    let missing = HttpClient::new(&Tls::CaFile("/nowhere/ca.pem".into())).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/ca.pem"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_cannot_be_written_is_told_before_anyone_joins() {
    let scene = Scene::open().await;
    let outcome = outcome_with(&scene, |settings| {
        settings.record = Some(RecordSettings::new("/nowhere/heard.webm"));
    })
    .await;
    assert!(
        matches!(outcome.reason, EndReason::Media(_)),
        "{:?}",
        outcome.reason
    );
    assert_eq!(outcome.joins, 0);
}
