//! The event stream: opened again, watched, given up.

use infinity::{Event, Refusal};
use participant::{EventStreamInput, Notice, State, StreamEnd, Trouble};

use crate::harness::*;

#[test]
fn a_lost_stream_is_opened_again_with_the_token_of_the_day() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).refresh("b", secs(120)).skip();
    p.lose_stream().expect([]);
    assert_eq!(p.state(), State::Degraded(Trouble::EventStream));
    p.wait(secs(1)).expect(["open events with b"]);
    p.open_stream(&["us", "ann"]);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn a_stream_that_is_cut_again_and_again_is_opened_less_and_less_often() {
    let mut p = TestParticipant::in_conference(options());
    let mut opened = 0;
    for _ in 0..600 {
        if p.stream.take().is_some_and(|stream| {
            p.stream = Some(stream);
            p.open_stream(&["us"]).lose_stream();
            true
        }) {
            opened += 1;
        }
        p.stream = None;
        let before = p.requests.len();
        p.wait(millis(100));
        if p.requests.len() > before {
            p.refresh("b", secs(120));
        }
    }
    assert!((4..20).contains(&opened), "{opened} times in a minute");
}

#[test]
fn a_silent_stream_is_renewed_without_alarm() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).refresh("b", secs(600)).skip();
    p.wait(secs(59)).expect([]);
    p.event(Event::Ping).wait(secs(59)).expect([]);
    p.stream_input(EventStreamInput::Alive)
        .wait(secs(59))
        .expect([]);
    p.wait(secs(1))
        .expect(["close events", "open events with b"]);
    assert_eq!(p.state(), State::InConference);
    p.open_stream(&["us", "ann"]).wait(secs(30)).expect([]);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn a_stream_that_never_opens_is_given_up_after_a_silence() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).refresh("b", secs(600)).skip();
    p.wait(secs(60))
        .expect(["close events", "open events with b"]);
    p.wait(secs(60)).expect(["close events"]);
    assert_eq!(p.state(), State::Degraded(Trouble::EventStream));
    p.wait(secs(1)).expect(["open events with b"]);
}

#[test]
fn a_stream_that_is_refused_has_the_token_refreshed_first() {
    for refusal in [Refusal::InvalidToken, Refusal::Denied("no".into())] {
        let mut p = TestParticipant::in_conference(rejoining());
        p.lose_stream().wait(secs(1)).skip();
        p.stream_input(EventStreamInput::Ended(StreamEnd::Refused(refusal)));
        p.expect(["refresh_token with a"]);
        p.wait(secs(5)).expect([]);
        p.refresh("b", secs(120))
            .wait(secs(2))
            .expect(["open events with b"]);
    }
}

#[test]
fn a_stream_that_is_refused_by_a_node_that_forgot_us_leads_to_joining_again() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.lose_stream().wait(secs(1)).skip();
    p.stream_input(EventStreamInput::Ended(StreamEnd::Refused(
        Refusal::InvalidToken,
    )));
    p.refuse("refresh_token", Refusal::InvalidToken).skip();
    p.wait(secs(1)).expect(["request_token"]);
}

#[test]
fn the_last_words_of_an_old_stream_are_not_taken_for_a_new_ones() {
    let mut p = TestParticipant::in_conference(options());
    let old = p.stream.unwrap();
    p.lose_stream().wait(secs(1)).open_stream(&["us"]).skip();
    let input = EventStreamInput::Event(Event::ParticipantDelete("us".into()));
    p.input(participant::Input::EventStream(old, input))
        .expect([]);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn a_malformed_event_is_told_and_survived() {
    let mut p = TestParticipant::in_conference(options());
    let error = Event::decode("disconnect", "[").unwrap_err();
    p.stream_input(EventStreamInput::Malformed(error))
        .expect([]);
    assert!(p.has_noticed(|notice| matches!(notice, Notice::Malformed(_))));
    p.event(Event::RefreshToken)
        .expect(["refresh_token with a"]);
}
