//! What the room's faults do, each against a tester that would notice.

use node::room::MediaFaults;
use peer::PeerConfig;

use crate::tester::{Tester, until};
use crate::{A, ABSENT, LISTENER, PRESENT, open};

#[tokio::test]
async fn the_fault_silent_silences() {
    let (shards, room, _events) = open(MediaFaults {
        silent: true,
        ..MediaFaults::default()
    });
    let shard = shards.next();
    let _a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b sees a", || {
        b.sees().is_some_and(|luma| luma.abs_diff(200) < 10)
    })
    .await;
    until("b gets sound", || b.heard() > 96_000).await;
    assert!(b.hears(440) < ABSENT);
}

#[tokio::test]
async fn the_fault_black_blackens() {
    let (shards, room, _events) = open(MediaFaults {
        black: true,
        ..MediaFaults::default()
    });
    let shard = shards.next();
    let _a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b hears a", || b.hears(440) > PRESENT).await;
    until("b sees black", || b.sees().is_some_and(|luma| luma < 20)).await;
    assert!(
        b.received
            .lock()
            .unwrap()
            .pictures
            .iter()
            .all(|picture| picture.0.abs_diff(200) > 30)
    );
}

#[tokio::test]
async fn the_fault_wrong_clip_shows_and_sounds_something_else() {
    let (shards, room, _events) = open(MediaFaults {
        wrong_clip: true,
        ..MediaFaults::default()
    });
    let shard = shards.next();
    let _a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    let loud = |b: &Tester| {
        let received = b.received.lock().unwrap();
        received
            .pcm
            .iter()
            .rev()
            .take(19_200)
            .any(|sample| sample.abs() > 0.05)
    };
    until("b hears something", || loud(&b)).await;
    until("b sees something", || {
        b.received.lock().unwrap().pictures.len() > 10
    })
    .await;
    assert!(b.hears(440) < PRESENT / 4.0);
    assert!(
        b.received
            .lock()
            .unwrap()
            .pictures
            .iter()
            .all(|picture| picture.0.abs_diff(200) > 30)
    );
}

#[tokio::test]
async fn with_late_dtls_nothing_connects_before_ack() {
    let (shards, room, _events) = open(MediaFaults {
        late_dtls: true,
        ..MediaFaults::default()
    });
    let shard = shards.next();
    let a = Tester::call(&room, &shard, "a", A, PeerConfig::default()).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b is connected", || b.heard() > 48_000).await;
    let connected = room
        .snapshot()
        .await
        .iter()
        .filter(|call| call.connected)
        .count();
    assert_eq!(connected, 1);
    room.ack(&a.call);
    until("b hears a", || b.hears(440) > PRESENT).await;
}
