//! The call: candidates, ack, media.

use infinity::{NewCandidate, Refusal, Response, Version};
use participant::{EventStreamInput, Exit, PeerInput, RequestFailure, State};

use crate::harness::*;

fn candidate(text: &str) -> PeerInput {
    PeerInput::Candidate(NewCandidate {
        candidate: text.into(),
        mid: "0".into(),
        ufrag: None,
        pwd: None,
    })
}

fn complete() -> PeerInput {
    PeerInput::GatheringComplete { mid: "0".into() }
}

#[test]
fn gathers_before_it_offers_to_a_node_of_version_10_and_never_trickles() {
    let mut answer = granted("a", secs(120));
    answer.version = Version {
        version_id: "10".into(),
        pseudo_version: "25010.0.0".into(),
    };
    let mut p = TestParticipant::joining(options());
    p.reply(Response::TokenGranted(Box::new(answer)));
    p.expect(["open events with a", "gather, then offer"]);
    p.open_stream(&["us"])
        .peer(candidate("x"))
        .peer(complete())
        .expect([]);
    p.peer(PeerInput::Offer("complete".into()))
        .expect(["calls complete with a"]);
    p.accept_call("c-1").expect(["set answer c-1"]);
    p.peer(candidate("y")).expect([]);
}

#[test]
fn gathers_first_where_the_node_says_that_it_takes_no_candidates() {
    let mut answer = granted("a", secs(120));
    answer.trickle_ice_enabled = Some(false);
    let mut p = TestParticipant::joining(options());
    p.reply(Response::TokenGranted(Box::new(answer)));
    p.expect(["open events with a", "gather, then offer"]);
}

#[test]
fn holds_candidates_until_the_call_has_a_uuid_then_sends_them_one_by_one_the_end_last() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.peer(PeerInput::Offer("offer".into()))
        .peer(candidate("x"));
    p.open_stream(&["us"]).peer(candidate("y")).peer(complete());
    p.expect(["calls offer with a"]);
    p.accept_call("c-1")
        .expect(["set answer c-1", "new_candidate x with a"]);
    p.reply(Response::CandidateTaken)
        .expect(["new_candidate y with a"]);
    p.reply(Response::CandidateTaken)
        .expect(["new_candidate end with a"]);
    p.reply(Response::CandidateTaken).expect([]);
}

#[test]
fn a_node_that_knows_no_candidates_keeps_the_call() {
    let mut p = TestParticipant::answered(options());
    p.peer(candidate("x"))
        .peer(candidate("y"))
        .expect(["new_candidate x with a"]);
    p.refuse("new_candidate", Refusal::NotFound("no such request".into()))
        .expect([]);
    p.peer(complete()).expect([]);
    p.peer(PeerInput::IceConnected)
        .expect(["ack c-1 with a", "start media"]);
}

#[test]
fn a_candidate_that_gets_lost_is_sent_once_more() {
    let mut p = TestParticipant::answered(options());
    p.peer(candidate("x"))
        .peer(candidate("y"))
        .expect(["new_candidate x with a"]);
    p.fail("new_candidate", unreachable())
        .expect(["new_candidate x with a"]);
    p.fail("new_candidate", unreachable())
        .expect(["new_candidate y with a"]);
}

#[test]
fn acks_once_ice_is_connected_and_starts_media_without_waiting_for_the_answer() {
    let mut p = TestParticipant::answered(options());
    p.wait(millis(200)).expect([]);
    p.peer(PeerInput::IceConnected)
        .expect(["ack c-1 with a", "start media"]);
    assert!(
        p.requests.iter().any(|r| r.time_limit.is_none()),
        "ack may block"
    );
    p.wait(secs(5)).expect([]);
}

#[test]
fn acks_after_a_second_whatever_ice_says_and_starts_media_when_it_is_connected() {
    let mut p = TestParticipant::answered(options());
    p.wait(millis(999)).expect([]);
    p.wait(millis(1)).expect(["ack c-1 with a"]);
    p.wait(secs(1)).expect([]);
    p.peer(PeerInput::IceConnected).expect(["start media"]);
}

#[test]
fn an_ack_that_blocks_blocks_nothing() {
    let mut p = TestParticipant::answered(options());
    p.peer(PeerInput::IceConnected)
        .peer(PeerInput::MediaFlowing)
        .skip();
    assert_eq!(p.state(), State::InConference);
    p.event(infinity::Event::Ping)
        .wait(secs(50))
        .event(infinity::Event::Ping)
        .wait(secs(10));
    p.expect(["refresh_token with a"]);
    p.refresh("b", secs(120)).leave().skip();
    p.reply(Response::CallDisconnected)
        .expect(["release_token with b"]);
}

#[test]
fn an_ack_that_gets_lost_is_sent_again() {
    let mut p = TestParticipant::answered(options());
    p.peer(PeerInput::IceConnected).skip();
    p.fail("ack", unreachable()).expect([]);
    p.wait(secs(1)).expect(["ack c-1 with a"]);
    p.reply(Response::Acked).wait(secs(5)).expect([]);
}

#[test]
fn an_answer_without_sdp_fails_the_call_and_gives_everything_back() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    let accepted = infinity::CallAccepted {
        call_uuid: "c-1".into(),
        sdp: String::new(),
        url: None,
        secure_url: None,
        turn: Vec::new(),
    };
    p.reply(Response::CallAccepted(accepted));
    p.expect([
        "close peer",
        "calls/…/disconnect c-1 with a",
        "close events",
    ]);
    p.reply(Response::CallDisconnected)
        .expect(["release_token with a"]);
    p.reply(Response::TokenReleased);
    assert!(matches!(p.exit(), Some(Exit::CallFailed(why)) if why.contains("without SDP")));
}

#[test]
fn a_call_that_is_refused_for_good_ends_it_with_the_nodes_reason() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    let refusal = Refusal::Other {
        code: 400,
        text: "Invalid SDP".into(),
    };
    p.refuse("calls", refusal.clone());
    p.expect(["close peer", "close events", "release_token with a"]);
    p.reply(Response::TokenReleased);
    assert_eq!(
        p.exit(),
        Some(&Exit::Refused(RequestFailure::Refused(refusal)))
    );
}

#[test]
fn a_call_that_gets_lost_is_made_again_with_a_new_offer() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    p.fail("calls", unreachable()).expect(["close peer"]);
    p.wait(secs(1)).expect(["offer"]);
    p.peer(PeerInput::Offer("offer 2".into()))
        .expect(["calls offer 2 with a"]);
}

#[test]
fn the_nodes_candidates_wait_for_its_answer() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    let remote = NewCandidate {
        candidate: "theirs".into(),
        mid: "0".into(),
        ufrag: None,
        pwd: None,
    };
    p.event(infinity::Event::NewCandidate(remote.clone()))
        .expect([]);
    p.accept_call("c-1")
        .expect(["set answer c-1", "add theirs"]);
    p.event(infinity::Event::NewCandidate(remote))
        .expect(["add theirs"]);
}

#[test]
fn an_offer_that_never_comes_is_not_waited_for_for_ever() {
    let mut p = TestParticipant::held(rejoining(), granted("a", secs(120)));
    p.stream_input(EventStreamInput::Opened)
        .wait(secs(19))
        .expect([]);
    p.wait(secs(1)).expect(["close peer"]);
    p.wait(secs(1)).expect(["offer"]);
}

/// Returns a participant whose call was answered by a node that names a TURN server with it.
fn answered_with_turn(granted: infinity::TokenGranted) -> TestParticipant {
    let mut p = TestParticipant::held(options(), granted);
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()))
        .skip();
    p.reply(Response::CallAccepted(infinity::CallAccepted {
        call_uuid: "c-1".into(),
        sdp: "answer c-1".into(),
        turn: vec![infinity::TurnServer {
            urls: vec!["turns:t:443".into()],
            username: "u".into(),
            credential: None,
        }],
        url: None,
        secure_url: None,
    }));
    p
}

#[test]
fn turn_servers_that_come_with_the_answer_are_tried_after_ack_when_there_is_no_other_way() {
    let mut p = answered_with_turn(granted("a", secs(120)));
    p.expect(["use turns:t:443", "set answer c-1"]);
    p.wait(secs(1)).expect(["ack c-1 with a"]);
    p.reply(Response::Acked).expect(["restart ice"]);
    p.peer(PeerInput::Offer("offer 2".into()))
        .expect(["update offer 2 with a"]);
}

#[test]
fn turn_servers_that_come_with_the_answer_leave_a_way_that_works_alone() {
    let mut p = answered_with_turn(granted("a", secs(120)));
    p.skip();
    p.peer(PeerInput::IceConnected).skip();
    p.reply(Response::Acked).expect([]);
    p.wait(secs(5)).expect([]);
}

#[test]
fn a_node_without_update_has_its_turn_servers_used_by_the_next_call() {
    let mut old = granted("a", secs(120));
    old.version.version_id = "10".into();
    let mut p = answered_with_turn(old);
    p.skip();
    p.wait(secs(1)).expect(["ack c-1 with a"]);
    p.reply(Response::Acked).expect([]);
    p.peer(PeerInput::IceFailed).skip();
    p.reply(Response::CallDisconnected).wait(secs(2));
    assert_eq!(p.turn, ["turns:t:443"]);
}
