//! The nodes of a domain, by its SRV records or its own address.

use std::net::Ipv4Addr;
use std::time::Duration;

use driver::{
    CallerSettings, EndReason, HttpClient, NodeAddress, NoticeKind, Rejoin, State, StopReason, Tls,
};

use crate::dns::Zone;
use crate::scene::{PATIENCE, Scene, is_in};

const SERVICE: &str = "_pexapp._tcp.example.test";

async fn scene() -> Scene {
    Scene::with(|node| {
        node.https = Some((Ipv4Addr::LOCALHOST, 0).into());
        node.token_life = Duration::from_secs(4);
    })
    .await
}

fn https_port(scene: &Scene) -> u16 {
    let url: url::Url = scene.node.https_url.as_deref().unwrap().parse().unwrap();
    url.port().unwrap()
}

/// A port where nobody listens.
fn dead_port() -> u16 {
    let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap().port()
}

/// Settings of a caller that asks `zone` and nobody else.
async fn settings(scene: &Scene, zone: Zone) -> CallerSettings {
    let server = zone.serve().await;
    let mut settings = scene.settings("seeker");
    settings.client = HttpClient::with_name_servers(&Tls::Insecure, vec![server]).unwrap();
    settings.nodes = vec![NodeAddress::Domain("example.test".into())];
    settings
}

fn joins(port: u16) -> impl Fn(&NoticeKind) -> bool {
    move |kind| matches!(kind, NoticeKind::State(State::Joining(node)) if node.port() == Some(port))
}

/// Returns why a caller in this zone cannot join.
async fn why_not(zone: Zone) -> String {
    let scene = Scene::open().await;
    let settings = settings(&scene, zone).await;
    let outcome = scene.start(settings).end().await;
    assert_eq!(outcome.joins, 0, "nobody is asked for a token");
    let EndReason::Unreachable(why) = outcome.reason else {
        panic!("{:?}", outcome.reason)
    };
    why
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_node_that_is_ready_is_joined_and_the_next_when_it_goes_away() {
    let (first, second) = (scene().await, scene().await);
    let zone = Zone {
        hosts: vec![
            ("dead.example.test", Ipv4Addr::LOCALHOST),
            ("first.example.test", Ipv4Addr::LOCALHOST),
            ("second.example.test", Ipv4Addr::LOCALHOST),
        ],
        services: vec![
            (
                SERVICE,
                30,
                60000,
                https_port(&second),
                "second.example.test",
            ),
            (SERVICE, 20, 1, https_port(&first), "first.example.test"),
            (SERVICE, 10, 0, dead_port(), "dead.example.test"),
            (SERVICE, 10, 5, 443, "nowhere.example.test"),
        ],
    };
    let mut settings = settings(&first, zone).await;
    settings.rejoin = Rejoin::Always {
        first: Duration::from_millis(100),
        longest: Duration::from_millis(500),
    };
    let mut bot = first.start(settings);
    bot.until(joins(https_port(&first))).await;
    bot.until(is_in).await;
    assert!(
        !bot.seen
            .iter()
            .any(|notice| joins(https_port(&second))(&notice.kind)),
        "a higher number is a lower priority"
    );

    first.node.shutdown().await;
    bot.until(joins(https_port(&second))).await;
    bot.until(is_in).await;

    bot.caller.stop(StopReason::Terminated);
    let outcome = bot.end().await;
    assert!(outcome.token_released, "{outcome:?}");
    assert_eq!(second.others().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_answers_it_says_what_was_looked_up_and_who_was_asked() {
    let why = why_not(Zone {
        hosts: vec![("dead.example.test", Ipv4Addr::LOCALHOST)],
        services: vec![(SERVICE, 10, 0, dead_port(), "dead.example.test")],
    })
    .await;
    for part in [
        SERVICE,
        "https://dead.example.test:",
        "refused",
        "https://HOST",
    ] {
        assert!(why.contains(part), "{part} is missing: {why}");
    }
    assert!(!why.contains("has no SRV record"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_srv_records_the_domain_itself_is_asked() {
    // An address of loopback where nobody listens, at the port of https.
    let why = why_not(Zone {
        hosts: vec![("example.test", Ipv4Addr::new(127, 9, 8, 7))],
        services: vec![],
    })
    .await;
    for part in ["has no SRV record", "https://example.test:", "refused"] {
        assert!(why.contains(part), "{part} is missing: {why}");
    }

    let unknown = why_not(Zone::default()).await;
    assert!(!unknown.contains("refused"), "it has no address: {unknown}");
    assert!(unknown.contains("has no SRV record"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_declines_is_not_asked_any_further() {
    let why = why_not(Zone {
        hosts: vec![("example.test", Ipv4Addr::LOCALHOST)],
        services: vec![(SERVICE, 0, 0, 0, "")],
    })
    .await;
    assert!(
        why.contains("says that it has no Conferencing Node"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_while_it_still_looks_it_stops() {
    // A name server that never answers.
    let silent = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let scene = Scene::open().await;
    let mut settings = scene.settings("seeker");
    let server = silent.local_addr().unwrap();
    settings.client = HttpClient::with_name_servers(&Tls::Insecure, vec![server]).unwrap();
    settings.nodes = vec![NodeAddress::Domain("example.test".into())];
    let caller = scene.start(settings);
    silent.recv_from(&mut [0; 512]).await.unwrap();
    caller.caller.stop(StopReason::Interrupted);
    let outcome = tokio::time::timeout(PATIENCE, caller.caller.join())
        .await
        .unwrap();
    assert_eq!(outcome.reason, EndReason::Stopped(StopReason::Interrupted));
}
