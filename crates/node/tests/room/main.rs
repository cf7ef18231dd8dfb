//! The room with real peers on loopback: who hears whom, who sees whom, and what its faults do.
#![allow(clippy::unwrap_used)]

mod changes;
mod delivery;
mod far_ends;
mod faults;
mod tester;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use media::Codec;
use node::room::{Admission, MediaFaults, Room, RoomEvent, RoomSettings};
use peer::{PeerConfig, Shards};
use tester::{Sends, Tester, until};
use tokio::sync::mpsc;

/// A tone that is there has at least this energy, one that is not has a hundredth of it at most.
pub(crate) const PRESENT: f64 = 0.02;
pub(crate) const ABSENT: f64 = 0.000_2;

pub(crate) const A: Sends = Sends {
    tone: Some(440),
    luma: Some(200),
};
const B: Sends = Sends {
    tone: Some(1_000),
    luma: Some(90),
};
pub(crate) const LISTENER: Sends = Sends {
    tone: None,
    luma: None,
};

pub(crate) fn settings(faults: MediaFaults) -> RoomSettings {
    RoomSettings {
        name: "meet".to_owned(),
        far_end: None,
        video_codecs: Codec::VIDEO.to_vec(),
        faults,
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
    }
}

pub(crate) fn open(faults: MediaFaults) -> (Shards, Room, mpsc::Receiver<RoomEvent>) {
    let shards = Shards::new(1).expect("a thread");
    let (room, events) = Room::new(shards.next(), settings(faults)).expect("a room");
    (shards, room, events)
}

#[tokio::test]
async fn each_hears_the_others_and_not_itself() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", B).await;
    let c = Tester::join(&room, &shard, "c", LISTENER).await;
    let d = Tester::join(&room, &shard, "d", LISTENER).await;

    until("b hears a", || b.hears(440) > PRESENT).await;
    until("a hears b", || a.hears(1_000) > PRESENT).await;
    until("c hears both", || {
        c.hears(440) > PRESENT && c.hears(1_000) > PRESENT
    })
    .await;
    assert!(a.hears(440) < ABSENT, "a hears itself: {}", a.hears(440));
    assert!(
        b.hears(1_000) < ABSENT,
        "b hears itself: {}",
        b.hears(1_000)
    );

    // Listeners share one encoding: what c got last, d gets too, and a speaker does not.
    until("d hears both", || {
        d.hears(440) > PRESENT && d.hears(1_000) > PRESENT
    })
    .await;
    let packet = c.received.lock().unwrap().packets.last().cloned().unwrap();
    let has = |tester: &Tester| tester.received.lock().unwrap().packets.contains(&packet);
    until("d gets the very packet that c got", || has(&d)).await;
    assert!(packet.len() > 3 && !has(&a) && !has(&b));
}

#[tokio::test]
async fn a_mute_silences_and_an_unmute_does_not() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b hears a", || b.hears(440) > PRESENT).await;
    room.set_muted(&a.participant, true);
    until("b no longer hears a", || b.hears(440) < ABSENT).await;
    room.set_muted(&a.participant, false);
    until("b hears a again", || b.hears(440) > PRESENT).await;
}

#[tokio::test]
async fn nobody_gets_media_before_ack_nor_is_heard() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::call(&room, &shard, "a", A, PeerConfig::default()).await;
    let b = Tester::join(&room, &shard, "b", LISTENER).await;
    until("b gets the splash picture and silence", || {
        b.sees().is_some() && b.heard() > 48_000
    })
    .await;
    assert!(b.hears(440) < ABSENT);
    assert_eq!((a.sees(), a.heard()), (None, 0));
    room.ack(&a.call);
    until("b hears a", || b.hears(440) > PRESENT).await;
    until("a gets media", || a.sees().is_some() && a.heard() > 0).await;
}

#[tokio::test]
async fn the_waiting_room_sees_splash_hears_silence_and_is_not_heard() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::call(&room, &shard, "b", B, PeerConfig::default()).await;
    room.set_admission(&b.participant, Admission::Waiting);
    room.ack(&b.call);
    until("b gets splash and silence", || {
        b.sees().is_some() && b.heard() > 96_000
    })
    .await;
    assert!(b.hears(440) < ABSENT && a.hears(1_000) < ABSENT);
    assert!(b.sees().is_some_and(|luma| luma.abs_diff(200) > 30));
    room.set_admission(&b.participant, Admission::InConference);
    until("b hears and sees a", || {
        b.hears(440) > PRESENT && b.sees().is_some_and(|luma| luma.abs_diff(200) < 10)
    })
    .await;
    until("a hears b", || a.hears(1_000) > PRESENT).await;
}

#[tokio::test]
async fn the_most_recent_speaker_is_seen_switched_at_key_frames() {
    let (shards, room, mut events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", B).await;
    b.sound(false);
    let c = Tester::join(&room, &shard, "c", LISTENER).await;
    until("c sees a", || {
        c.sees().is_some_and(|luma| luma.abs_diff(200) < 10)
    })
    .await;
    until("a sees b, the only other", || {
        a.sees().is_some_and(|luma| luma.abs_diff(90) < 10)
    })
    .await;
    b.sound(true);
    until("c sees b", || {
        c.sees().is_some_and(|luma| luma.abs_diff(90) < 10)
    })
    .await;
    until("b sees a, the previous speaker", || {
        b.sees().is_some_and(|luma| luma.abs_diff(200) < 10)
    })
    .await;
    assert!(
        a.key_frames_asked.load(Ordering::Relaxed) > 0
            && b.key_frames_asked.load(Ordering::Relaxed) > 0
    );

    let received = c.received.lock().unwrap();
    for pair in received.pictures.windows(2) {
        let switched = pair[0].0.abs_diff(pair[1].0) > 30;
        assert!(!switched || pair[1].1, "a switch without a key frame");
        let step = pair[1].2.wrapping_sub(pair[0].2);
        assert!(
            (1..90_000 * 2).contains(&step),
            "timestamps go on evenly: {step}"
        );
    }
    assert_eq!(received.undecodable, 0);
    drop(received);

    let mut stages = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let RoomEvent::Stage(stage) = event {
            stages.push(stage);
        }
    }
    let last = stages.last().expect("the stage was told");
    assert_eq!(last[0], (b.participant.clone(), 100));
}

#[tokio::test]
async fn the_splash_picture_flows_when_nobody_sends_and_after_a_sender_left() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let c = Tester::join(&room, &shard, "c", LISTENER).await;
    until("c sees a", || {
        c.sees().is_some_and(|luma| luma.abs_diff(200) < 10)
    })
    .await;
    until("a sees the splash picture", || a.sees().is_some()).await;
    room.hang_up(&a.call);
    until("c sees the splash picture", || {
        c.sees().is_some_and(|luma| luma.abs_diff(200) > 30)
    })
    .await;
    let (before, since) = (c.received.lock().unwrap().pictures.len(), Instant::now());
    until("video goes on", || {
        c.received.lock().unwrap().pictures.len() >= before + 4
    })
    .await;
    assert!(since.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_offer_without_the_conferences_codec_takes_part_without_video() {
    let shards = Shards::new(1).expect("a thread");
    let vp8 = RoomSettings {
        video_codecs: vec![Codec::Vp8],
        ..settings(MediaFaults::default())
    };
    let (room, _events) = Room::new(shards.next(), vp8).expect("a room");
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::call(
        &room,
        &shard,
        "b",
        Sends {
            tone: Some(1_000),
            luma: None,
        },
        PeerConfig {
            video_codecs: vec![Codec::Av1],
            ..PeerConfig::default()
        },
    )
    .await;
    room.ack(&b.call);
    assert!(b.answer.contains("m=video 0 "), "{}", b.answer);
    until("b hears a", || b.hears(440) > PRESENT).await;
    until("a hears b", || a.hears(1_000) > PRESENT).await;
    assert_eq!(b.sees(), None);
}

#[tokio::test]
async fn participants_with_different_codecs_see_each_other() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let join = async |name: &str, sends: Sends, codec: Codec| {
        let config = PeerConfig {
            video_codecs: vec![codec],
            ..PeerConfig::default()
        };
        let tester = Tester::call(&room, &shard, name, sends, config).await;
        room.ack(&tester.call);
        tester
    };
    let a = join("a", A, Codec::Vp8).await;
    let b = join("b", B, Codec::H264).await;
    let viewers = [
        join("c", LISTENER, Codec::Vp8).await,
        join("d", LISTENER, Codec::H264).await,
        join("e", LISTENER, Codec::Vp9).await,
    ];
    let near = |seen: Option<u8>, luma: u8| seen.is_some_and(|seen| seen.abs_diff(luma) < 8);
    until("a sees b", || near(a.sees(), 90)).await;
    until("b sees a", || near(b.sees(), 200)).await;
    for (speaker, luma) in [(&a, 200), (&b, 90)] {
        // Whoever begins to speak is seen.
        a.sound(false);
        b.sound(false);
        let until_now = viewers[0].heard();
        let silence = "silence for longer than a pause between words";
        until(silence, || viewers[0].heard() > until_now + 57_600).await;
        speaker.sound(true);
        for viewer in &viewers {
            let what = format!("{} sees {luma}", viewer.participant);
            until(&what, || near(viewer.sees(), luma)).await;
        }
    }
    let codecs = viewers
        .each_ref()
        .map(|one| one.peer.negotiated().video.expect("video").codec);
    assert_eq!(codecs, [Codec::Vp8, Codec::H264, Codec::Vp9]);
}
