//! What hosts and participants change about who is heard and seen.

use node::room::{MediaFaults, RoomEvent};

use crate::tester::{Sends, Tester, until};
use crate::{A, LISTENER, open};

const SILENT: Sends = Sends {
    tone: None,
    luma: Some(90),
};

fn sees(who: &Tester, wanted: u8) -> bool {
    who.sees().is_some_and(|luma| luma.abs_diff(wanted) < 10)
}

#[tokio::test]
async fn a_muted_picture_is_seen_by_nobody_until_it_is_unmuted() {
    let (shards, room, _events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let c = Tester::join(&room, &shard, "c", LISTENER).await;
    until("c sees a", || sees(&c, 200)).await;
    room.set_video_muted(&a.participant, true);
    until("c sees the splash picture", || !sees(&c, 200)).await;
    until("c still hears a", || c.hears(440) > crate::PRESENT).await;
    room.set_video_muted(&a.participant, false);
    until("c sees a again", || sees(&c, 200)).await;
}

#[tokio::test]
async fn the_spotlight_is_seen_and_first_on_stage_whoever_speaks() {
    let (shards, room, mut events) = open(MediaFaults::default());
    let shard = shards.next();
    let a = Tester::join(&room, &shard, "a", A).await;
    let b = Tester::join(&room, &shard, "b", SILENT).await;
    let c = Tester::join(&room, &shard, "c", LISTENER).await;
    until("c sees a, who speaks", || sees(&c, 200)).await;
    room.set_spotlights(vec![b.participant.clone()]);
    until("c sees b, who is silent", || sees(&c, 90)).await;
    let mut stage = Vec::new();
    until("b is before a on the stage", || {
        while let Ok(event) = events.try_recv() {
            if let RoomEvent::Stage(told) = event {
                stage = told;
            }
        }
        stage == [(b.participant.clone(), 0), (a.participant.clone(), 100)]
    })
    .await;
    room.set_spotlights(Vec::new());
    until("c sees a again", || sees(&c, 200)).await;
}
