//! Addresses, ports and families of addresses; and no media at all.

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

use driver::{CallerSettings, EndReason, JoinStep, NodeAddress, NoticeKind, PortRange, StopReason};

use crate::scene::{Scene, is_in, once};

/// A range of one port, free a moment ago.
fn one_port() -> (u16, PortRange) {
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    (port, port.to_string().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn media_stays_within_its_ports_and_says_so_when_they_are_used_up() {
    let scene = Scene::open().await;
    let (port, range) = one_port();
    let settings = |name| {
        let mut settings = scene.settings(name);
        settings.network.ports = Some(range);
        settings
    };
    assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "free");
    let mut first = scene.start(settings("first"));
    first.until(is_in).await;
    assert!(
        UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err(),
        "used"
    );

    let second = scene.start(settings("second")).end().await;
    let EndReason::CallFailed(why) = &second.reason else {
        panic!("{:?}", second.reason)
    };
    for part in ["no UDP port", &port.to_string(), "widen the range"] {
        assert!(why.contains(part), "{part} is missing: {why}");
    }
    assert!(second.token_released);

    first.leave().await;
    let mut third = scene.start(settings("third"));
    third.until(is_in).await;
    third.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_ours_is_named() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("elsewhere");
    // Set aside for documents (RFC 5737): no machine has it.
    settings.network.addresses = vec!["192.0.2.1".parse().unwrap()];
    let outcome = scene.start(settings).end().await;
    let why = outcome.reason.to_string();
    assert!(why.contains("192.0.2.1"), "{why}");
    assert!(!outcome.was_in);

    let mut settings = scene.settings("here");
    settings.network.addresses = vec![Ipv4Addr::LOCALHOST.into()];
    let mut caller = scene.start(settings);
    caller.until(is_in).await;
    caller.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_caller_is_heard() {
    let scene = Scene::open().await;
    let mut settings = scene.settings("marked");
    settings.network.dscp = Some("af41".parse().unwrap());
    settings.program = once("speech.opus", None);
    let mut marked = scene.start(settings);
    marked.until(is_in).await;
    let heard = |kind: &NoticeKind| matches!(kind, NoticeKind::Report(report) if report.clip_packets_reached > 0);
    marked.until(heard).await;
    marked.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_ipv6_is_joined_like_any_other() {
    let scene = Scene::with(|node| {
        node.http = Some((Ipv6Addr::LOCALHOST, 0).into());
        node.media_addresses = vec![Ipv6Addr::LOCALHOST.into()];
    })
    .await;
    let settings = scene.settings("six");
    assert!(
        matches!(&settings.nodes[..], [NodeAddress::Url(url)] if url.as_str().starts_with("http://[::1]:"))
    );
    let mut other = scene.listener("other").await;
    let mut caller = scene.start(settings);
    // Media flows, or it would not be in.
    caller.until(is_in).await;
    other
        .until(
            |kind| matches!(kind, NoticeKind::Roster(facts) if facts.others_with_media.len() == 1),
        )
        .await;
    let outcome = caller.leave().await;
    assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Finished));
}

/// Returns whether a caller asked for a call on its way in.
async fn calls(scene: &Scene, settings: CallerSettings) -> bool {
    let mut caller = scene.start(settings);
    caller.until(is_in).await;
    let called = |step: JoinStep| {
        caller
            .seen
            .iter()
            .any(|notice| matches!(notice.kind, NoticeKind::Step(reached, _) if reached == step))
    };
    assert!(called(JoinStep::Token) && called(JoinStep::Roster));
    let sdp = called(JoinStep::Sdp);
    let outcome = caller.leave().await;
    assert!(outcome.was_in && outcome.token_released);
    sdp
}

#[tokio::test(flavor = "multi_thread")]
async fn without_media_the_roster_alone_says_that_one_is_in() {
    let scene = Scene::open().await;
    let mut witness = scene.listener("witness").await;
    let mut settings = scene.settings("quiet");
    settings.media = false;
    assert!(!calls(&scene, settings).await);
    let two = |kind: &NoticeKind| matches!(kind, NoticeKind::Roster(facts) if facts.rows == 2 && facts.others_with_media.is_empty());
    witness.until(two).await;

    assert!(calls(&scene, scene.settings("loud")).await, "as ever");
}
