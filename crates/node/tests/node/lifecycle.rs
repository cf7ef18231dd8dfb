//! Starting and ending a node.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use node::{NodeError, NodeSettings, SettingsError};

use crate::support::{open_node, settings, try_start};

#[tokio::test]
async fn a_port_in_use_is_named_and_so_is_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");

    let error = try_start(NodeSettings {
        http: Some(address),
        ..settings(&["meet"])
    })
    .await
    .err();

    let error = error.expect("it is taken").to_string();
    assert!(
        error.contains(&address.to_string()) && error.contains("--http"),
        "{error}"
    );
}

#[tokio::test]
async fn settings_that_make_no_sense_open_no_socket() {
    let good = || settings(&["meet"]);
    for (settings, expected) in [
        (
            NodeSettings {
                http: None,
                ..good()
            },
            SettingsError::ServesNothing,
        ),
        (
            NodeSettings {
                http: Some(([0, 0, 0, 0], 8080).into()),
                ..good()
            },
            SettingsError::PlainHttpInTheOpen(([0, 0, 0, 0], 8080).into()),
        ),
        (
            NodeSettings {
                conferences: Vec::new(),
                ..good()
            },
            SettingsError::NoConference,
        ),
        (
            settings(&["meet", "MEET"]),
            SettingsError::AliasTwice("MEET".to_owned()),
        ),
        (
            NodeSettings {
                token_life: Duration::ZERO,
                ..good()
            },
            SettingsError::TokenLife(Duration::ZERO),
        ),
        (
            NodeSettings {
                video_codecs: vec![media::Codec::Opus],
                ..good()
            },
            SettingsError::NotVideo("opus"),
        ),
    ] {
        match try_start(settings).await.err() {
            Some(NodeError::Settings(error)) => assert_eq!(error, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
    }
    assert_eq!(good().check(), Ok(()));
    assert_eq!(NodeSettings::default().check(), Ok(()));
}

#[tokio::test]
async fn shutdown_ends_the_streams_and_frees_the_port_in_bounded_time() {
    let node = open_node().await;
    let address = node.url.trim_start_matches("http://").to_owned();
    let alice = node.join("Alice").await;
    let mut events = alice.events().await;
    let start = Instant::now();

    let (rest, ()) = tokio::join!(events.all_until_end(), node.running.shutdown());

    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(rest, [], "a node that goes away says nothing");
    TcpListener::bind(address).expect("the port is free");
}
