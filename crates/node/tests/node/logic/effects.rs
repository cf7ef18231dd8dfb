//! What a conference wants done, in which order.

use infinity::event::{CallDisconnected, StageEntry};
use infinity::{CallUuid, Command, Event, Refusal, Response};
use node::conference::{Effect, Requester};
use node::room::Admission;

use super::meeting::{Meeting, secs};

const ANSWER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
const ANSWER_WITHOUT_VIDEO: &str =
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\n";

#[test]
fn a_guest_is_placed_before_it_can_call_and_again_when_it_is_let_in() {
    let mut meeting = Meeting::new("m,pin=1,guest_pin=none", []);
    let guest = meeting.join("Guest", Some("none")).participant_uuid;
    assert_eq!(
        meeting.effects(),
        [Effect::SetAdmission(guest.clone(), Admission::Waiting)]
    );

    let host = meeting.join("Host", Some("1")).participant_uuid;

    assert_eq!(
        meeting.effects(),
        [
            Effect::SetAdmission(host, Admission::InConference),
            Effect::SetAdmission(guest, Admission::InConference),
        ]
    );
}

#[test]
fn muting_reaches_the_room_once_for_each_who_is_not_muted_yet() {
    let mut meeting = Meeting::new("m,pin=1,guest_pin=none", []);
    let host = meeting.join("Host", Some("1"));
    let guest = meeting.join("Guest", Some("none")).participant_uuid;
    meeting.effects();

    for _ in 0..2 {
        meeting
            .answer(&host.token, &Command::MuteGuests)
            .expect("a host");
    }

    assert_eq!(meeting.effects(), [Effect::SetMuted(guest, true)]);
    let late = meeting.join("Late", Some("none")).participant_uuid;
    assert!(meeting.effects().contains(&Effect::SetMuted(late, true)));
}

#[test]
fn media_starts_with_the_first_ack_and_ends_with_the_participant() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let call = meeting.call(&alice, ANSWER);
    meeting.effects();

    meeting.ack(&alice, &call);
    meeting.ack(&alice, &call);
    assert_eq!(meeting.effects(), [Effect::StartMedia(call.clone())]);

    meeting.release(&alice.token);
    assert_eq!(
        meeting.effects(),
        [Effect::HangUp(call), Effect::Forget(alice.participant_uuid)]
    );
}

#[test]
fn a_new_call_takes_the_place_of_the_one_before_without_a_word() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    let mut calls: Vec<_> = (0..9).map(|_| meeting.call(&alice, ANSWER)).collect();
    let last = calls.pop().expect("nine");

    let effects = meeting.effects();
    let hung_up = |call: &CallUuid| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::HangUp(one) if one == call))
    };
    assert!(calls.into_iter().all(|call| hung_up(&call)), "{effects:?}");
    assert!(!hung_up(&last));
    let silent = |effect: &Effect| {
        !matches!(
            effect,
            Effect::Send {
                event: Event::CallDisconnected(_),
                ..
            }
        )
    };
    assert!(effects.iter().all(silent), "{stream:?}");
    meeting.ack(&alice, &last);
}

#[test]
fn who_has_gone_while_the_room_was_answering_leaves_no_call_behind() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let call = meeting.call(&alice, ANSWER);
    let command = Command::DisconnectCall(alice.participant_uuid.clone(), call.clone());
    assert_eq!(
        meeting.answer(&alice.token, &command),
        Ok(Response::CallDisconnected)
    );
    meeting.effects();

    let late = meeting
        .conference
        .call_answered(&alice.participant_uuid, &call, ANSWER.to_owned());

    assert_eq!(late, Err(Refusal::NotFound("Call not found".to_owned())));
    assert_eq!(meeting.effects(), [Effect::HangUp(call)]);
}

#[test]
fn a_rejected_picture_makes_it_an_audio_call() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let row = |meeting: &mut Meeting| match meeting.answer(&alice.token, &Command::Participants) {
        Ok(Response::Participants(rows)) => rows[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (
            row(&mut meeting).is_video_call,
            row(&mut meeting).is_audio_only_call
        ),
        (false, false)
    );

    let call = meeting.call(&alice, ANSWER_WITHOUT_VIDEO);
    assert_eq!(
        (
            row(&mut meeting).is_video_call,
            row(&mut meeting).is_audio_only_call
        ),
        (false, true)
    );
    meeting.conference.update_answered(&call, ANSWER.to_owned());
    assert_eq!(
        (
            row(&mut meeting).is_video_call,
            row(&mut meeting).is_audio_only_call
        ),
        (true, false)
    );
}

#[test]
fn a_call_that_fails_is_told_to_its_owner_alone_and_shown_to_all() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let bob = meeting.join("Bob", None);
    let call = meeting.call(&alice, ANSWER);
    meeting.ack(&alice, &call);
    let (of_alice, of_bob) = (
        meeting.open_events(&alice.token),
        meeting.open_events(&bob.token),
    );
    meeting.effects();

    meeting.conference.call_failed(&call, "ICE failed");

    let effects = meeting.effects();
    let told = CallDisconnected {
        call_uuid: call.clone(),
        reason: "ICE failed".to_owned(),
    };
    assert_eq!(
        effects[0],
        Effect::Send {
            to: vec![of_alice],
            event: Event::CallDisconnected(told)
        }
    );
    assert!(
        matches!(&effects[1], Effect::Send { to, event: Event::ParticipantUpdate(row) }
        if *to == [of_alice, of_bob] && !row.has_media)
    );
    assert_eq!(effects[2..], [Effect::HangUp(call)]);
}

#[test]
fn the_stage_goes_to_everyone_and_to_who_comes_later() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    meeting.effects();
    let entry = |who: &str| StageEntry {
        participant_uuid: who.into(),
        stage_index: 0,
        vad: 100,
    };
    let of_alice = entry(alice.participant_uuid.as_str());

    meeting
        .conference
        .stage_changed(vec![entry("somebody who has left"), of_alice.clone()]);

    assert_eq!(
        meeting.sent(stream).0,
        [Event::Stage(vec![of_alice.clone()])]
    );
    let by = node::conference::Requester {
        token: Some(&alice.token),
        vendor: "",
    };
    let (_, burst) = meeting
        .conference
        .open_events(meeting.now, by)
        .expect("a good token");
    assert_eq!(burst.last(), Some(&Event::Stage(vec![of_alice])));
}

#[test]
fn media_that_flows_shows_in_the_row_even_before_the_ack() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    meeting.call(&alice, ANSWER);
    meeting.effects();

    meeting
        .conference
        .media_flowing(&alice.participant_uuid, true, false);
    meeting
        .conference
        .media_flowing(&alice.participant_uuid, true, true);

    let (events, _) = meeting.sent(stream);
    assert!(
        matches!(&events[..], [Event::ParticipantUpdate(row)] if row.has_media),
        "{events:?}"
    );
}

#[test]
fn media_that_flows_after_the_ack_is_no_news() {
    let mut meeting = Meeting::new("m", []);
    let alice = meeting.join("Alice", None);
    let stream = meeting.open_events(&alice.token);
    let call = meeting.call(&alice, ANSWER);
    meeting.ack(&alice, &call);
    let (events, _) = meeting.sent(stream);
    assert!(
        matches!(events.last(), Some(Event::ParticipantUpdate(row)) if row.has_media),
        "{events:?}"
    );

    meeting
        .conference
        .media_flowing(&alice.participant_uuid, true, true);

    assert_eq!(meeting.sent(stream).0, [], "the row is what it was");
}

#[test]
fn so_many_events_are_told_to_those_who_join_one_after_another() {
    // What `make bench` expects of a growing roster: of each, every one is told once that it is there;
    // of the call and its ack, whoever came before and it itself; and five events belong to each stream.
    for count in [1, 4, 20_usize] {
        let mut meeting = Meeting::new("open", []);
        let mut told = 0;
        for n in 0..count {
            let granted = meeting.join(&format!("n{n}"), None);
            let by = Requester {
                token: Some(&granted.token),
                vendor: "test",
            };
            let (_, burst) = meeting
                .conference
                .open_events(meeting.now, by)
                .expect("a good token");
            told += burst.len();
            let call = meeting.call(&granted, ANSWER_WITHOUT_VIDEO);
            meeting.ack(&granted, &call);
            meeting
                .conference
                .media_flowing(&granted.participant_uuid, true, false);
            for effect in meeting.effects() {
                if let Effect::Send { to, .. } = effect {
                    told += to.len();
                }
            }
        }
        assert_eq!(told, 2 * count * count + 6 * count);
    }
}

#[test]
fn an_empty_conference_begins_afresh() {
    let mut meeting = Meeting::new("m,pin=1,guest_pin=none", []);
    let host = meeting.join("Host", Some("1"));
    meeting
        .answer(&host.token, &Command::MuteGuests)
        .expect("a host");
    meeting.answer(&host.token, &Command::Lock).expect("a host");
    meeting.release(&host.token);

    let guest = meeting.join("Guest", Some("none"));
    meeting.wait(secs(1));

    match meeting.answer(&guest.token, &Command::ConferenceStatus) {
        Ok(Response::ConferenceStatus(status)) => {
            assert_eq!(
                (status.locked, status.guests_muted, status.started),
                (false, false, Some(false))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_than_the_limit_do_not_come_in() {
    let rules = node::conference::Rules {
        participant_limit: 2,
        ..Default::default()
    };
    let mut meeting = Meeting::with_rules("m", rules);
    meeting.join("Alice", None);
    let bob = meeting.join("Bob", None);

    let command = Command::RequestToken {
        pin: None,
        body: infinity::RequestToken::default(),
    };
    let refusal = meeting.ask(None, &command).expect_err("it is full");
    assert_eq!(
        refusal,
        Refusal::CapacityReached(infinity::Capacity::Participants)
    );
    meeting.release(&bob.token);
    meeting.join("Carol", None);
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_another_gives_others() {
    let token = || Meeting::new("m", []).join("Alice", None);
    assert_eq!(token().token, token().token);
    assert_eq!(token().participant_uuid, token().participant_uuid);

    let mut meeting = Meeting::new("m", []);
    assert_ne!(
        meeting.join("Alice", None).token,
        meeting.join("Alice", None).token
    );
}
