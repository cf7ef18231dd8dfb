//! Far ends that are simulated, as those hear and see them who talk to them.

use node::room::{FarEndMedia, MediaFaults, Room, RoomSettings};
use peer::Shards;

use crate::tester::{Tester, until};
use crate::{A, ABSENT, LISTENER, settings};

/// A tone of a far end that sounds for a part of the time has at least this energy.
const HEARD: f64 = 0.001;

fn with_far_end() -> (Shards, Room) {
    let shards = Shards::new(1).expect("a thread");
    let settings = RoomSettings {
        far_end: Some("sip:far@example.com".to_owned()),
        ..settings(MediaFaults::default())
    };
    let (room, _events) = Room::new(shards.next(), settings).expect("a room");
    (shards, room)
}

#[tokio::test]
async fn a_far_end_rings_answers_beeps_and_is_seen_until_it_is_gone() {
    let (shards, room) = with_far_end();
    let far_end = "far".into();
    let caller = Tester::join(&room, &shards.next(), "caller", LISTENER).await;
    until("the splash is there", || caller.sees().is_some()).await;
    let splash = caller.received.lock().unwrap().pictures.clone();

    room.set_far_end(&far_end, FarEndMedia::Ringing);
    until("it rings", || caller.hears(425) > HEARD).await;
    room.set_far_end(&far_end, FarEndMedia::Greeting);
    until("it greets", || caller.hears(784) > HEARD).await;
    until("it beeps", || caller.hears(440) > HEARD).await;
    // Both are slates: one text is longer than the other.
    until("it is seen", || {
        caller.sees().is_some_and(|luma| luma != splash[0].0)
    })
    .await;

    room.remove(&far_end);
    until("it is gone", || caller.sees() == Some(splash[0].0)).await;
    until("and silent", || caller.hears(440) < ABSENT).await;
}

#[tokio::test]
async fn keys_are_heard_by_everyone_and_only_from_who_was_pressed() {
    let (shards, room) = with_far_end();
    let (far_end, other) = ("far".into(), "nobody".into());
    let one = Tester::join(&room, &shards.next(), "one", LISTENER).await;
    let two = Tester::join(&room, &shards.next(), "two", LISTENER).await;
    room.set_far_end(&far_end, FarEndMedia::Silent);
    until("both hear", || one.heard().min(two.heard()) > 48_000).await;

    room.play_digits(&other, "5555");
    room.play_digits(&far_end, "9999");
    for tester in [&one, &two] {
        // 9 is 852 and 1477 Hz, 5 would be 770 and 1336.
        until("9 is heard", || {
            tester.hears(852) > HEARD && tester.hears(1_477) > HEARD
        })
        .await;
        assert!(tester.hears(770) < ABSENT && tester.hears(1_336) < ABSENT);
    }
    until("it ends", || one.hears(852) < ABSENT).await;

    room.set_muted(&far_end, true);
    room.play_digits(&far_end, "1");
    let heard = one.heard();
    until("a second passes", || one.heard() > heard + 48_000).await;
    assert!(one.hears(697) < ABSENT, "who is muted is not heard");
}

#[tokio::test]
async fn an_echo_gives_back_what_is_said_and_nothing_else() {
    let (shards, room) = with_far_end();
    let caller = Tester::join(&room, &shards.next(), "caller", A).await;
    until("sound comes", || caller.heard() > 48_000).await;
    assert!(caller.hears(440) < ABSENT, "nobody hears itself");

    room.set_far_end(&"far".into(), FarEndMedia::Echo);
    until("the echo comes", || caller.hears(440) > 10.0 * HEARD).await;
    caller.sound(false);
    until("and ends", || caller.hears(440) < ABSENT).await;
}
