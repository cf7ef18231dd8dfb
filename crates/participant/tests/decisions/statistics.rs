//! Telling the node about our media.

use infinity::{Refusal, Response};
use participant::PeerInput;

use crate::harness::*;

/// Returns a participant in a conference whose node wants statistics so often.
fn reporting(every: std::time::Duration) -> TestParticipant {
    let mut answer = granted("a", secs(120));
    answer.client_stats_update_interval = Some(every);
    let mut p = TestParticipant::held(options(), answer);
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()));
    p.accept_call("c-1").peer(PeerInput::IceConnected);
    p.peer(PeerInput::MediaFlowing).skip();
    p
}

#[test]
fn statistics_are_sent_as_often_as_the_node_wants_them_and_one_at_a_time() {
    let mut p = reporting(secs(5));
    p.wait(millis(4999)).expect([]);
    p.wait(millis(1)).expect(["measure"]);
    p.peer(PeerInput::Measured(Box::default()))
        .expect(["statistics with a"]);
    // The node is slow: the next ones are left out.
    p.wait(secs(5)).expect([]);
    p.reply(Response::StatisticsTaken)
        .wait(secs(5))
        .expect(["measure"]);
    p.peer(PeerInput::Measured(Box::default()))
        .expect(["statistics with a"]);
    // What is lost is not sent again.
    p.fail("statistics", unreachable()).expect([]);
    p.wait(secs(5)).expect(["measure"]);
    // A refresh may change how often.
    p.peer(PeerInput::Measured(Box::default()))
        .reply(Response::StatisticsTaken)
        .skip();
    p.event(infinity::Event::RefreshToken).skip();
    p.reply(Response::TokenRefreshed(infinity::TokenRefreshed {
        token: infinity::Token::new("b"),
        expires: secs(120),
        role: None,
        client_stats_update_interval: Some(millis(10)),
    }));
    p.wait(millis(999)).expect([]);
    p.wait(millis(1)).expect(["measure"]);
}

#[test]
fn a_node_that_takes_no_statistics_is_told_once() {
    let mut p = reporting(secs(5));
    p.wait(secs(5)).peer(PeerInput::Measured(Box::default()));
    p.refuse("statistics", Refusal::NotFound("Resource not found".into()))
        .skip();
    p.wait(secs(40)).expect([]);
}

#[test]
fn a_node_that_does_not_ask_is_told_nothing_and_neither_is_one_whose_call_is_over() {
    let mut p = TestParticipant::in_conference(options());
    p.wait(secs(50)).expect([]);

    let mut p = reporting(secs(5));
    p.peer(PeerInput::Failed("closed".into())).skip();
    let (_, next) = p.next_timer().expect("a new call");
    assert_eq!(next, participant::Timer::Call);
}
