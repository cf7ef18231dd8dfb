//! ICE restart, loss of consent, and closing.

use std::time::Duration;

use media::{Codec, Kind};
use peer::{IceConnectionState, PeerConfig, PeerEvent, Shards};

use crate::harness::{DEADLINE, Side, config, connected_call, frame, packet};

/// Sends frames until one with a number from `from` on arrives.
async fn arrives(from: &Side, track: &mut peer::TrackReceiver, number: u32) {
    let sender = from.peer.sender(Kind::Audio).unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let arrived = async {
        loop {
            let packet = packet(track).await;
            if u32::from_be_bytes(packet.payload[..4].try_into().unwrap()) >= number {
                return;
            }
        }
    };
    tokio::pin!(arrived);
    for at in 0.. {
        tokio::select! {
            () = &mut arrived => return,
            _ = tick.tick() => {
                sender.send(&frame(Codec::Opus, number + at, 1), at * 960).unwrap();
            }
        }
    }
}

fn ufrag(sdp: &str) -> &str {
    sdp.lines().find(|l| l.starts_with("a=ice-ufrag:")).unwrap()
}

#[tokio::test]
async fn ice_restarts_on_both_sides_and_media_goes_on() {
    let mut call = connected_call(config(), config()).await;
    call.caller
        .peer
        .sender(Kind::Audio)
        .unwrap()
        .send(&frame(Codec::Opus, 0, 1), 0)
        .unwrap();
    let mut track = call.node.track(Kind::Audio).await;
    arrives(&call.caller, &mut track, 100).await;
    let ssrc = track.ssrc();
    call.caller.peer.restart_ice();
    call.caller.peer.create_offer().await.unwrap();
    let offer = call.caller.peer.gathered_offer().await.unwrap();
    assert_ne!(ufrag(&offer), ufrag(&call.offer));
    let answer = call.node.peer.accept_update(&offer).await.unwrap();
    assert_ne!(ufrag(&answer), ufrag(&call.answer));
    call.caller.peer.set_answer(&answer).await.unwrap();
    arrives(&call.caller, &mut track, 1_000_000).await;
    assert_eq!(call.caller.peer.sender(Kind::Audio).unwrap().ssrc(), ssrc);
}

#[tokio::test]
async fn a_new_offer_without_restart_keeps_the_connection() {
    let mut call = connected_call(config(), config()).await;
    let offer = call.caller.peer.gathered_offer().await.unwrap();
    assert_eq!(ufrag(&offer), ufrag(&call.offer));
    let answer = call.node.peer.accept_update(&offer).await.unwrap();
    assert_eq!(ufrag(&answer), ufrag(&call.answer));
    call.caller.peer.set_answer(&answer).await.unwrap();
    let sender = call.caller.peer.sender(Kind::Audio).unwrap();
    sender.send(&frame(Codec::Opus, 5, 1), 0).unwrap();
    let mut track = call.node.track(Kind::Audio).await;
    arrives(&call.caller, &mut track, 100).await;
}

#[tokio::test]
async fn a_far_end_that_is_gone_is_noticed_in_bounded_time() {
    let quick = PeerConfig {
        disconnected_after: Duration::from_millis(2500),
        failed_after: Duration::from_secs(2),
        ..config()
    };
    let mut call = connected_call(quick, config()).await;
    // Consent holds for as long as the far end is there.
    tokio::time::sleep(Duration::from_secs(4)).await;
    while let Ok(event) = call.caller.events.try_recv() {
        call.caller.seen.push(event);
    }
    let lost = |event: &PeerEvent| {
        matches!(
            event,
            PeerEvent::IceConnectionState(IceConnectionState::Disconnected)
        )
    };
    assert!(!call.caller.seen.iter().any(lost), "{:?}", call.caller.seen);
    // Gone without a word, as when its machine is. A polite close would say so by DTLS.
    drop(call.node_shards.take());
    for wanted in [IceConnectionState::Disconnected, IceConnectionState::Failed] {
        call.caller
            .wait("loss of consent", |event| match event {
                PeerEvent::IceConnectionState(state) if state == wanted => Ok(()),
                other => Err(other),
            })
            .await;
    }
}

#[tokio::test]
async fn closing_ends_events_and_tracks_and_leaves_no_task() {
    let shards = Shards::new(1).unwrap();
    let shard = shards.next();
    let tasks = || shard.handle().metrics().num_alive_tasks();
    assert_eq!(tasks(), 0);
    let (caller, mut caller_events) = peer::Peer::offerer(&shard, config()).await.unwrap();
    let offer = caller.gathered_offer().await.unwrap();
    let (node, events, answer) = peer::Peer::answerer(&shard, config(), &offer)
        .await
        .unwrap();
    caller.set_answer(&answer).await.unwrap();
    let mut node_side = crate::harness::side(node, events);
    node_side.connected().await;
    assert!(tasks() > 0);
    let sender = caller.sender(Kind::Audio).unwrap();
    while !matches!(caller_events.recv().await, Some(PeerEvent::DtlsConnected)) {}
    sender.send(&frame(Codec::Opus, 1, 1), 0).unwrap();
    let mut track = node_side.track(Kind::Audio).await;
    packet(&mut track).await;

    node_side.peer.close().await;
    caller.close().await;
    assert!(
        tokio::time::timeout(DEADLINE, track.recv())
            .await
            .unwrap()
            .is_none()
    );
    while tokio::time::timeout(DEADLINE, caller_events.recv())
        .await
        .unwrap()
        .is_some()
    {}
    // A sender that outlives its call is silent.
    sender.send(&frame(Codec::Opus, 2, 1), 0).unwrap();
    no_tasks(&shard).await;
}

#[tokio::test]
async fn dropping_the_last_clone_ends_it_too() {
    let shards = Shards::new(1).unwrap();
    let shard = shards.next();
    let (peer, mut events) = peer::Peer::offerer(&shard, config()).await.unwrap();
    peer.create_offer().await.unwrap();
    let clone = peer.clone();
    drop(peer);
    assert!(shard.handle().metrics().num_alive_tasks() > 0);
    drop(clone);
    while tokio::time::timeout(DEADLINE, events.recv())
        .await
        .unwrap()
        .is_some()
    {}
    no_tasks(&shard).await;
}

async fn no_tasks(shard: &peer::Shard) {
    let gone = async {
        while shard.handle().metrics().num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, gone)
        .await
        .expect("tasks are left");
}
