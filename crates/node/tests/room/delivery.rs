//! How media is delivered: what is told about it, what becomes of loss, how long it takes.

use std::time::{Duration, Instant};

use node::room::{MediaFaults, RoomEvent};
use peer::PeerConfig;

use crate::tester::{Tester, until};
use crate::{A, LISTENER, PRESENT, open};

#[tokio::test]
async fn events_tell_voices_and_flowing_media() {
    let (shards, room, mut events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b hears a", || b.hears(440) > PRESENT).await;
    let mut wanted = vec![
        RoomEvent::Voice {
            participant: a.participant.clone(),
            vad: 100,
        },
        RoomEvent::MediaFlowing {
            participant: a.participant.clone(),
            audio: true,
            video: true,
        },
        RoomEvent::MediaFlowing {
            participant: b.participant.clone(),
            audio: true,
            video: true,
        },
    ];
    while !wanted.is_empty() {
        let event = tokio::time::timeout(Duration::from_secs(5), events.recv()).await;
        let event = event.expect("it is told in time").expect("the room lives");
        wanted.retain(|other| *other != event);
    }
    a.sound(false);
    let quiet = RoomEvent::Voice {
        participant: a.participant.clone(),
        vad: 0,
    };
    while tokio::time::timeout(Duration::from_secs(5), events.recv())
        .await
        .expect("it is told in time")
        != Some(quiet.clone())
    {}

    let counters = room.snapshot().await;
    let of_a = counters
        .iter()
        .find(|call| call.call == a.call)
        .expect("a's call");
    assert!(of_a.connected && of_a.acknowledged.is_some());
    assert!(
        of_a.stats.inbound_audio.packets_received > 20
            && of_a.stats.outbound_video.packets_sent > 0
    );
}

#[tokio::test]
async fn an_ice_restart_keeps_the_call() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b hears a", || b.hears(440) > PRESENT).await;
    a.restart_ice(&room).await;
    b.restart_ice(&room).await;
    let heard = b.heard();
    until("b goes on hearing a", || {
        b.heard() > heard + 48_000 && b.hears(440) > PRESENT
    })
    .await;
}

#[tokio::test]
async fn lost_packets_are_retransmitted_or_made_up_for() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let lossy = PeerConfig {
        drop_one_in: Some(6),
        ..PeerConfig::default()
    };
    let a = Tester::call(&room, &shard, "a", A, lossy).await;
    room.ack(&a.call);
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b sees a for a while", || {
        let received = b.received.lock().unwrap();
        received
            .pictures
            .iter()
            .filter(|picture| picture.0.abs_diff(200) < 10)
            .count()
            > 40
    })
    .await;
    assert!(b.hears(440) > PRESENT);
    assert_eq!(b.received.lock().unwrap().undecodable, 0);
    let lost = a.peer.stats().await.outbound_video.nack_count;
    assert!(
        lost > 0,
        "packets were lost on purpose, and asked for again"
    );
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "a figure for people")]
async fn sound_is_not_held_back_for_long() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    a.sound(false);
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("silence flows both ways", || {
        b.heard() > 48_000 && a.heard() > 48_000
    })
    .await;
    b.received.lock().unwrap().loud_since = None;
    let begun = Instant::now();
    a.sound(true);
    until("b hears a", || {
        b.received.lock().unwrap().loud_since.is_some()
    })
    .await;
    let took = b.received.lock().unwrap().loud_since.unwrap() - begun;
    // Up to a packet until the tone is sent, 40 to 80 ms in the jitter buffer, up to a tick; the
    // rest is for a machine that is busy with other tests.
    println!("from mouth to ear: {took:?}");
    assert!(took < Duration::from_millis(400), "{took:?}");
}
