//! Mending: what is tried, and in which order, when media does not flow.

use infinity::{CallUuid, Event, Refusal, Response, UpdateAccepted, event::CallDisconnected};
use participant::{Exit, Options, PeerInput, State, Trouble};

use crate::harness::*;

fn updated(sdp: &str) -> Response {
    Response::UpdateAccepted(UpdateAccepted {
        call_uuid: None,
        sdp: sdp.into(),
    })
}

#[test]
fn ice_that_failed_is_restarted_by_update() {
    let mut p = TestParticipant::in_conference(options());
    p.peer(PeerInput::IceFailed).expect(["restart ice"]);
    p.peer(PeerInput::Offer("again".into()))
        .expect(["update again with a"]);
    p.reply(updated("yes")).expect(["set yes"]);
    p.peer(PeerInput::IceConnected).wait(secs(20)).expect([]);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn ice_that_is_disconnected_may_come_back_by_itself() {
    let mut p = TestParticipant::in_conference(options());
    p.peer(PeerInput::IceDisconnected).wait(secs(4)).expect([]);
    p.peer(PeerInput::IceConnected).wait(secs(20)).expect([]);
    p.peer(PeerInput::IceDisconnected)
        .wait(secs(5))
        .expect(["restart ice"]);
}

#[test]
fn candidates_of_a_restart_wait_for_the_answer_to_it() {
    let mut p = TestParticipant::in_conference(options());
    p.peer(PeerInput::IceFailed)
        .peer(PeerInput::Offer("again".into()))
        .skip();
    let candidate = infinity::NewCandidate {
        candidate: "new".into(),
        mid: "0".into(),
        ufrag: None,
        pwd: None,
    };
    p.peer(PeerInput::Candidate(candidate)).expect([]);
    p.reply(updated("yes"))
        .expect(["set yes", "new_candidate new with a"]);
}

#[test]
fn the_ladder_is_climbed_to_its_end_and_then_the_next_node_is_tried() {
    let mut p = TestParticipant::answered(Options {
        nodes: 2,
        ..rejoining()
    });
    p.peer(PeerInput::IceFailed).expect(["restart ice"]);
    p.peer(PeerInput::Offer("again".into()))
        .expect(["update again with a"]);
    p.refuse("update", Refusal::NotFound("no such request".into()));
    p.expect(["close peer", "calls/…/disconnect c-1 with a"]);
    p.wait(secs(1)).expect(["offer"]);
    p.peer(PeerInput::Offer("offer 2".into()))
        .accept_call("c-2")
        .skip();
    p.peer(PeerInput::IceFailed);
    p.expect([
        "close peer",
        "calls/…/disconnect c-2 with a",
        "close events",
    ]);
    p.reply(Response::CallDisconnected)
        .expect(["release_token with a"]);
    p.reply(Response::TokenReleased).expect([]);
    // This token has not brought us in, so the next one is another node's.
    p.wait(secs(1)).expect(["request_token at node 1"]);
}

#[test]
fn who_has_been_in_gets_a_new_token_of_the_same_node() {
    let mut p = TestParticipant::in_conference(Options {
        nodes: 2,
        ..rejoining()
    });
    p.peer(PeerInput::Failed("DTLS alert".into()));
    p.expect(["stop media", "close peer", "calls/…/disconnect c-1 with a"]);
    assert_eq!(p.state(), State::Degraded(Trouble::Media));
    p.wait(secs(1))
        .peer(PeerInput::Failed("DTLS alert".into()))
        .skip();
    p.reply(Response::TokenReleased)
        .wait(secs(1))
        .expect(["request_token"]);
}

#[test]
fn who_does_not_join_again_is_told_that_the_call_failed() {
    let mut p = TestParticipant::answered(options());
    p.peer(PeerInput::Failed("no key".into())).wait(secs(1));
    p.peer(PeerInput::Failed("no key".into()))
        .reply(Response::TokenReleased);
    assert_eq!(p.exit(), Some(&Exit::CallFailed("no key".into())));
}

#[test]
fn media_that_does_not_flow_in_time_is_mended() {
    let mut p = TestParticipant::answered(options());
    p.peer(PeerInput::IceConnected).skip();
    p.wait(secs(14)).expect([]);
    p.wait(secs(1)).expect(["restart ice"]);
}

#[test]
fn media_that_stops_is_waited_for_then_mended() {
    let mut p = TestParticipant::in_conference(options());
    p.peer(PeerInput::MediaStopped);
    assert_eq!(p.state(), State::Degraded(Trouble::Media));
    p.wait(secs(9)).expect([]);
    p.wait(secs(1)).expect(["restart ice"]);
    p.peer(PeerInput::MediaFlowing);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn a_peer_that_is_gone_gets_a_new_call() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::PeerDisconnect);
    p.expect(["stop media", "close peer", "calls/…/disconnect c-1 with a"]);
    p.wait(secs(1)).expect(["offer"]);
    p.peer(PeerInput::Offer("offer 2".into()))
        .expect(["calls offer 2 with a"]);
}

#[test]
fn only_the_end_of_our_own_call_ends_it() {
    let end = |call: &str| {
        let call_uuid = CallUuid::from(call);
        Event::CallDisconnected(CallDisconnected {
            call_uuid,
            reason: "stolen".into(),
        })
    };
    let mut p = TestParticipant::in_conference(options());
    p.event(end("another")).expect([]);
    p.event(end("c-1"))
        .expect(["stop media", "close peer", "calls/…/disconnect c-1 with a"]);
}

#[test]
fn a_peer_that_fails_while_the_node_answers_is_replaced_and_the_call_hung_up() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    p.peer(PeerInput::Failed("no socket".into()))
        .expect(["close peer"]);
    p.wait(secs(2)).expect([]);
    p.accept_call("c-1")
        .expect(["calls/…/disconnect c-1 with a"]);
    p.wait(secs(1)).expect(["offer"]);
}

#[test]
fn ice_that_fails_while_it_is_being_restarted_is_given_its_chance() {
    let mut p = TestParticipant::answered(options());
    p.wait(secs(15)).skip();
    p.peer(PeerInput::IceFailed).expect([]);
    p.peer(PeerInput::Offer("offer 2".into()))
        .expect(["update offer 2 with a"]);
}
