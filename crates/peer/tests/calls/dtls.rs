//! A node that begins DTLS only after `ack`, and one that begins at once.

use std::time::Duration;

use peer::{IceConnectionState, PeerConfig, PeerEvent};

use crate::harness::{Side, call, config};

async fn ice_connected(side: &mut Side) {
    side.wait("ICE", |event| match event {
        PeerEvent::IceConnectionState(
            IceConnectionState::Connected | IceConnectionState::Completed,
        ) => Ok(()),
        other => Err(other),
    })
    .await;
}

fn late() -> PeerConfig {
    PeerConfig {
        hold_dtls: true,
        ..config()
    }
}

#[tokio::test]
async fn held_dtls_never_connects_and_released_dtls_does() {
    let mut call = call(config(), late()).await;
    ice_connected(&mut call.caller).await;
    ice_connected(&mut call.node).await;
    // Longer than it takes to repeat the first flight twice (RFC 6347 §4.2.4.1).
    let early = tokio::time::timeout(Duration::from_millis(3500), call.caller.connected()).await;
    assert!(early.is_err(), "DTLS got through a shut gate");
    let released = std::time::Instant::now();
    call.node.peer.release_dtls();
    call.caller.connected().await;
    call.node.connected().await;
    // What was held goes out at once; nobody waits for the next repetition.
    let took = released.elapsed();
    assert!(took < Duration::from_millis(900), "{took:?}");
}

#[tokio::test]
async fn released_before_ice_it_is_not_held_at_all() {
    let mut call = call(config(), late()).await;
    call.node.peer.release_dtls();
    call.caller.connected().await;
    call.node.connected().await;
}
