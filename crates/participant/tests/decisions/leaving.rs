//! Going: what was given is given back, whatever is under way.

use infinity::{Command, Event, Response};
use participant::{Exit, Input, LeaveReason, Notice, PeerInput, State};

use crate::harness::*;

#[test]
fn hangs_up_then_releases_the_token() {
    let mut p = TestParticipant::in_conference(options());
    p.leave();
    p.expect([
        "close events",
        "stop media",
        "close peer",
        "calls/…/disconnect c-1 with a",
    ]);
    assert_eq!(p.state(), State::Leaving);
    p.reply(Response::CallDisconnected)
        .expect(["release_token with a"]);
    p.reply(Response::TokenReleased).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
    assert_eq!(p.inner.poll_timeout(), None);
}

#[test]
fn a_node_that_does_not_answer_is_left_within_three_seconds() {
    let unanswered = |notice: &Notice| matches!(notice, Notice::Unanswered);
    let mut p = TestParticipant::in_conference(options());
    p.leave().skip();
    p.wait(millis(999)).expect([]);
    assert!(!p.has_noticed(unanswered));
    p.wait(millis(1)).expect(["release_token with a"]);
    assert!(p.has_noticed(unanswered));
    p.wait(millis(1999)).expect([]);
    assert_eq!(p.exit(), None);
    p.wait(millis(1)).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
}

#[test]
fn releases_the_new_token_when_a_refresh_is_under_way() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).skip();
    p.leave().skip();
    p.reply(Response::CallDisconnected).expect([]);
    p.refresh("b", secs(120)).expect(["release_token with b"]);
}

#[test]
fn releases_the_old_token_when_a_refresh_is_not_answered_and_the_new_one_when_it_is_late() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).skip();
    p.leave().skip();
    p.reply(Response::CallDisconnected)
        .wait(secs(2))
        .expect(["release_token with a"]);
    p.refresh("b", secs(120)).expect(["release_token with b"]);
}

#[test]
fn releases_a_token_that_arrives_after_the_wish_to_leave() {
    let mut p = TestParticipant::joining(options());
    p.leave().expect([]);
    p.wait(secs(1))
        .grant("a", secs(120))
        .expect(["release_token with a"]);
    p.reply(Response::TokenReleased).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
}

#[test]
fn does_not_ask_again_for_a_token_that_was_refused_after_the_wish_to_leave() {
    let mut p = TestParticipant::joining(rejoining());
    p.leave().fail("request_token", unreachable()).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
}

#[test]
fn hangs_up_a_call_that_arrives_after_the_wish_to_leave() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    p.leave().expect(["close events", "close peer"]);
    p.accept_call("c-1")
        .expect(["calls/…/disconnect c-1 with a"]);
    p.reply(Response::CallDisconnected)
        .expect(["release_token with a"]);
}

#[test]
fn waits_for_nothing_where_there_is_nothing() {
    let mut p = TestParticipant::new(options());
    p.leave().expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));

    let mut p = TestParticipant::joining(rejoining());
    p.fail("request_token", unreachable()).skip();
    p.input(Input::Leave(LeaveReason::Interrupted)).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Interrupted)));
}

#[test]
fn a_release_that_gets_lost_is_tried_three_times() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.leave()
        .expect(["close events", "close peer", "release_token with a"]);
    p.fail("release_token", unreachable())
        .expect(["release_token with a"]);
    p.fail("release_token", unreachable())
        .expect(["release_token with a"]);
    p.fail("release_token", unreachable()).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
}

#[test]
fn a_wish_to_leave_wins_over_joining_again() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(Event::PeerDisconnect).skip();
    let refer = infinity::event::Refer {
        alias: "other".parse().unwrap(),
        token: None,
    };
    p.event(Event::Refer(refer)).skip();
    p.leave().reply(Response::TokenReleased).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Left(LeaveReason::Stopped)));
}

#[test]
fn nothing_is_said_after_the_end() {
    let mut p = TestParticipant::in_conference(options());
    p.leave().wait(secs(10)).skip();
    let notices = p.notices.len();
    p.input(Input::Join)
        .leave()
        .event(Event::RefreshToken)
        .peer(PeerInput::IceFailed)
        .expect([]);
    assert_eq!(p.notices.len(), notices);
}

#[test]
fn the_node_is_told_why() {
    let told = |p: &TestParticipant| match &p.requests.last().expect("one").request.command {
        Command::ReleaseToken(release) => release.reason.clone(),
        other => panic!("{other:?}"),
    };
    let mut p = TestParticipant::in_conference(options());
    p.leave().reply(Response::CallDisconnected);
    assert_eq!(told(&p).as_deref(), Some("stopped"));
    // The same once more, if it did not arrive.
    p.fail("release_token", unreachable());
    assert_eq!(told(&p).as_deref(), Some("stopped"));

    let mut p = TestParticipant::in_conference(options());
    p.input(Input::Leave(LeaveReason::Finished))
        .reply(Response::CallDisconnected);
    assert_eq!(told(&p).as_deref(), Some("finished"));
}
