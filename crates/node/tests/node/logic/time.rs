//! What happens because time has passed.

use infinity::event::Disconnect;
use infinity::{
    Command, Dial, DialRole, Event, Protocol, Refusal, RequestToken, Response, Role, Transfer,
};
use node::Fault;
use node::conference::{Effect, Rules, Timer};

use super::meeting::{Meeting, secs};

#[test]
fn a_token_lives_for_120_seconds_and_not_longer() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);

    meeting.wait(secs(119));
    assert!(meeting.answer(&alice.token, &Command::Participants).is_ok());
    assert_eq!(
        meeting.conference.poll_timeout(),
        Some((meeting.now + secs(1), Timer::TokenExpiry))
    );
    meeting.wait(secs(1));
    assert_eq!(
        meeting.answer(&alice.token, &Command::Participants),
        Err(Refusal::InvalidToken)
    );
    assert_eq!(meeting.present(), []);
}

#[test]
fn eviction_is_told_to_the_evicted_and_to_the_others() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let of_alice = meeting.open_events(&alice.token);
    meeting.wait(secs(60));
    let bob = meeting.join("Bob", None);
    let of_bob = meeting.open_events(&bob.token);
    meeting.effects();

    meeting.wait(secs(60));

    let mut effects = meeting.effects();
    effects.retain(|effect| {
        !matches!(
            effect,
            Effect::Send {
                event: Event::Ping,
                ..
            }
        )
    });
    let reason = "Timer expired awaiting token refresh".to_owned();
    assert_eq!(
        effects,
        [
            Effect::Send {
                to: vec![of_alice],
                event: Event::Disconnect(Disconnect { reason })
            },
            Effect::CloseStream(of_alice),
            Effect::Forget(alice.participant_uuid.clone()),
            Effect::Send {
                to: vec![of_bob],
                event: Event::ParticipantDelete(alice.participant_uuid)
            },
        ]
    );
}

#[test]
fn a_replaced_token_is_good_for_ten_seconds() {
    let mut meeting = Meeting::new("m", []);
    let old = meeting.join("Alice", None).token;
    let new = meeting.refresh(&old).expect("a good token");

    meeting.wait(secs(9));
    assert!(meeting.answer(&old, &Command::Participants).is_ok());
    assert_eq!(
        meeting.refresh(&old),
        Ok(new.clone()),
        "late, it is told the current one"
    );
    meeting.wait(secs(1));
    assert_eq!(
        meeting.answer(&old, &Command::Participants),
        Err(Refusal::InvalidToken)
    );
    assert!(meeting.answer(&new, &Command::Participants).is_ok());
}

#[test]
fn of_a_burst_of_refreshes_only_the_last_few_stay_good() {
    let mut meeting = Meeting::new("m", []);
    let mut tokens = vec![meeting.join("Alice", None).token];

    for _ in 0..10_000 {
        let next = meeting
            .refresh(tokens.last().expect("one"))
            .expect("the current token");
        tokens.push(next);
    }

    let good = tokens
        .iter()
        .filter(|token| meeting.answer(token, &Command::Participants).is_ok())
        .count();
    assert_eq!(good, 9, "the current one and eight that were replaced");
}

#[test]
fn a_guest_waits_for_a_host_for_so_long_and_no_longer() {
    let rules = Rules {
        token_life: secs(10_000),
        ..Rules::default()
    };
    let mut meeting = Meeting::with_rules("m,pin=1,guest_pin=none", rules);
    let guest = meeting.join("Guest", Some("none"));
    let stream = meeting.open_events(&guest.token);

    meeting.wait(secs(899));
    assert_eq!(meeting.present().len(), 1);
    meeting.wait(secs(1));

    let (events, closed) = meeting.sent(stream);
    let reason =
        "Timeout waiting for conference host to join or permit access to locked conference";
    assert_eq!(
        events.last(),
        Some(&Event::Disconnect(Disconnect {
            reason: reason.to_owned()
        }))
    );
    assert!(closed && meeting.present().is_empty());
}

#[test]
fn streams_are_kept_alive_by_pings_while_there_are_any() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    assert_eq!(
        meeting.conference.poll_timeout().map(|(_, timer)| timer),
        Some(Timer::TokenExpiry)
    );
    let stream = meeting.open_events(&alice.token);

    meeting.wait(secs(35));

    assert_eq!(meeting.sent(stream), (vec![Event::Ping; 3], false));
    meeting.conference.events_closed(stream);
    assert_eq!(
        meeting.conference.poll_timeout().map(|(_, timer)| timer),
        Some(Timer::TokenExpiry)
    );
}

#[test]
fn expire_early_lets_tokens_die_at_a_quarter_of_their_promise() {
    let mut meeting = Meeting::new("m", [Fault::ExpireEarly]);
    let alice = meeting.join("Alice", None);
    assert_eq!(alice.expires, secs(120));

    meeting.wait(secs(29));
    assert!(meeting.answer(&alice.token, &Command::Participants).is_ok());
    meeting.wait(secs(1));
    assert_eq!(meeting.refresh(&alice.token), Err(Refusal::InvalidToken));
}

#[test]
fn peer_disconnect_comes_once_three_seconds_after_the_first_ack() {
    let mut meeting = Meeting::new("m", [Fault::PeerDisconnect]);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    let call = meeting.call(&alice, "v=0");
    meeting.wait(secs(5));
    meeting.ack(&alice, &call);
    meeting.effects();

    meeting.wait(secs(2));
    assert_eq!(meeting.sent(stream).0, []);
    meeting.wait(secs(1));
    assert_eq!(meeting.sent(stream).0, [Event::PeerDisconnect]);

    let again = meeting.call(&alice, "v=0");
    meeting.ack(&alice, &again);
    meeting.wait(secs(9));
    assert!(!meeting.sent(stream).0.contains(&Event::PeerDisconnect));
}

#[test]
fn restart_forgets_everyone_without_a_word_every_ten_seconds() {
    let mut meeting = Meeting::new("m", [Fault::Restart]);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    meeting.call(&alice, "v=0");
    meeting.effects();

    meeting.wait(secs(9));
    assert!(meeting.refresh(&alice.token).is_ok());
    meeting.wait(secs(1));

    let effects = meeting.effects();
    let forget = Effect::Forget(alice.participant_uuid);
    assert!(
        effects.contains(&Effect::CloseStream(stream)) && effects.contains(&forget),
        "{effects:?}"
    );
    assert!(!effects.iter().any(|effect| matches!(
        effect,
        Effect::Send {
            event: Event::Disconnect(_) | Event::ParticipantDelete(_),
            ..
        }
    )));
    assert_eq!(meeting.refresh(&alice.token), Err(Refusal::InvalidToken));
    meeting.join("Alice", None);
    meeting.wait(secs(10));
    assert_eq!(meeting.present(), [], "and again");
}

#[test]
fn a_far_end_that_does_not_answer_is_gone_after_thirty_seconds() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let dial = |destination: &str| {
        Command::Dial(Dial {
            role: DialRole::Chair,
            destination: destination.to_owned(),
            protocol: Protocol::H323,
            presentation_url: None,
            streaming: false,
        })
    };

    for destination in ["timeout@example.com", "bea@example.com"] {
        let dialled = meeting.answer(&alice.token, &dial(destination));
        assert!(matches!(dialled, Ok(Response::Dialled(uuids)) if uuids.len() == 1));
    }
    meeting.wait(secs(29));
    assert_eq!(meeting.present().len(), 3);
    meeting.wait(secs(1));
    assert_eq!(meeting.present().len(), 2, "the one that answered stays");
    meeting.release(&alice.token);
    assert_eq!(meeting.present(), [], "and hangs up when it is alone");
}

#[test]
fn there_is_a_new_picture_of_a_presentation_every_five_seconds_while_it_lasts() {
    let mut meeting = Meeting::new("m", []);
    let (alice, bob) = (meeting.join("Alice", None), meeting.join("Bob", None));
    let (own, of_bob) = (
        meeting.open_events(&alice.token),
        meeting.open_events(&bob.token),
    );
    let me = alice.participant_uuid.clone();
    let frames = |meeting: &mut Meeting, stream| {
        let (events, _) = meeting.sent(stream);
        let frames = events
            .iter()
            .filter(|one| **one == Event::PresentationFrame);
        frames.count()
    };
    let text = |meeting: &mut Meeting| {
        let by = node::conference::Requester {
            token: Some(&bob.token),
            vendor: "",
        };
        meeting.conference.presentation_picture(meeting.now, by)
    };

    meeting
        .answer(&alice.token, &Command::TakeFloor(me.clone()))
        .expect("a free floor");
    let first = text(&mut meeting).expect("a picture");
    meeting.wait(secs(4));
    assert_eq!(text(&mut meeting), Ok(first.clone()));
    meeting.wait(secs(12));
    let later = text(&mut meeting).expect("a picture");
    assert!(first.contains("0:00") && later.contains("0:15"), "{later}");
    assert_eq!(frames(&mut meeting, of_bob), 4);
    meeting
        .answer(&alice.token, &Command::ReleaseFloor(me.clone()))
        .expect("its own floor");
    meeting.wait(secs(20));
    assert_eq!(frames(&mut meeting, of_bob), 0);
    meeting
        .answer(&alice.token, &Command::TakeFloor(me))
        .expect("a free floor");
    assert_eq!(frames(&mut meeting, own), 0, "the presenter has its own");
}

#[test]
fn a_one_time_token_waits_for_a_minute() {
    let mut meeting = Meeting::new("m", []);
    let wanted = Transfer {
        role: Role::Guest,
        conference_alias: "m".parse().expect("an alias"),
        pin: None,
    };
    let use_it = |meeting: &mut Meeting, token| {
        let body = RequestToken {
            token: Some(token),
            ..RequestToken::default()
        };
        let command = Command::RequestToken { pin: None, body };
        meeting.ask(None, &command).map(|_| ())
    };

    let tokens: Vec<_> = (0..2)
        .map(|_| {
            meeting
                .conference
                .invite(meeting.now, &wanted)
                .expect("no PIN")
        })
        .collect();
    meeting.wait(secs(59));
    assert_eq!(use_it(&mut meeting, tokens[0].clone()), Ok(()));
    meeting.wait(secs(1));
    assert_eq!(
        use_it(&mut meeting, tokens[1].clone()),
        Err(Refusal::InvalidToken)
    );
}
