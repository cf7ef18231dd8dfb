//! Coming: tokens, PINs, receptions, nodes.

use infinity::{Capacity, Event, PinWanted, ReceptionKind, Refusal, ServiceType};
use participant::{
    EventStreamInput, Exit, Input, Options, PeerInput, Rejoin, RequestFailure, State,
};

use crate::harness::*;

const HOSTS_NEED_ONE: PinWanted = PinWanted {
    host_required: true,
    guest_required: false,
};
const ALL_NEED_ONE: PinWanted = PinWanted {
    host_required: true,
    guest_required: true,
};

#[test]
fn events_are_opened_before_the_call_and_the_call_waits_for_them() {
    let mut p = TestParticipant::new(options());
    p.input(Input::Join).expect(["request_token"]);
    p.grant("a", secs(120))
        .expect(["open events with a", "offer"]);
    p.peer(PeerInput::Offer("offer".into())).expect([]);
    p.stream_input(EventStreamInput::Opened)
        .expect(["calls offer with a"]);
}

#[test]
fn an_offer_that_comes_after_the_events_is_sent_at_once() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"]).expect([]);
    p.peer(PeerInput::Offer("offer".into()))
        .expect(["calls offer with a"]);
}

#[test]
fn a_guest_without_a_pin_says_none_only_when_asked() {
    let mut p = TestParticipant::joining(options());
    p.refuse("request_token", Refusal::PinWanted(HOSTS_NEED_ONE));
    p.expect(["request_token pin none"]);
    p.grant("a", secs(120))
        .expect(["open events with a", "offer"]);
}

#[test]
fn a_guest_without_a_pin_is_told_that_one_is_wanted() {
    let mut p = TestParticipant::joining(rejoining());
    p.refuse("request_token", Refusal::PinWanted(ALL_NEED_ONE))
        .expect([]);
    assert_eq!(p.exit(), Some(&Exit::PinWanted));
    assert_eq!(p.state(), State::PinWanted);
}

#[test]
fn none_is_said_once() {
    let mut p = TestParticipant::joining(options());
    p.refuse("request_token", Refusal::PinWanted(HOSTS_NEED_ONE));
    p.refuse("request_token", Refusal::PinWanted(HOSTS_NEED_ONE));
    assert_eq!(p.exit(), Some(&Exit::PinWanted));
}

#[test]
fn a_wrong_pin_is_wrong_however_the_node_says_it() {
    for refusal in [Refusal::InvalidPin, Refusal::PinWanted(HOSTS_NEED_ONE)] {
        let pin = Some(infinity::Pin::new("1234"));
        let mut p = TestParticipant::new(Options { pin, ..rejoining() });
        p.input(Input::Join).expect(["request_token pin 1234"]);
        p.refuse("request_token", refusal).expect([]);
        assert_eq!(p.exit(), Some(&Exit::PinWrong));
        assert_eq!(p.inner.poll_timeout(), None);
    }
}

#[test]
fn a_virtual_reception_is_told_where_to_connect_to() {
    let reception = || Refusal::VirtualReception {
        kind: ReceptionKind::Standard,
        pin: None,
    };
    let extension = Some("1234".to_owned());
    let mut p = TestParticipant::joining(Options {
        conference_extension: extension,
        ..options()
    });
    p.refuse("request_token", reception())
        .expect(["request_token to 1234"]);
    // Asked again, it is at an end.
    p.refuse("request_token", reception()).expect([]);
    assert_eq!(
        p.exit(),
        Some(&Exit::Refused(RequestFailure::Refused(reception())))
    );

    let mut p = TestParticipant::joining(rejoining());
    p.refuse("request_token", reception()).expect([]);
    let exit = p.exit().expect("nothing can be told to it");
    let wanted = |wants_pin| Exit::ExtensionWanted {
        kind: ReceptionKind::Standard,
        wants_pin,
    };
    assert_eq!(*exit, wanted(false));

    // Everything that is missing is said at once.
    for (pin, wants_pin) in [(None, true), (Some(infinity::Pin::new("4711")), false)] {
        let mut p = TestParticipant::joining(Options { pin, ..options() });
        let both = Refusal::VirtualReception {
            kind: ReceptionKind::Standard,
            pin: Some(ALL_NEED_ONE),
        };
        p.refuse("request_token", both).expect([]);
        assert_eq!(p.exit(), Some(&wanted(wants_pin)));
    }
}

#[test]
fn a_reception_that_wants_a_pin_as_well_is_given_both() {
    let both = |pin| Refusal::VirtualReception {
        kind: ReceptionKind::Mssip,
        pin: Some(pin),
    };
    let to = |pin: Option<&str>| {
        TestParticipant::joining(Options {
            conference_extension: Some("1234".to_owned()),
            pin: pin.map(infinity::Pin::new),
            ..options()
        })
    };
    // One after the other.
    let mut p = to(Some("4711"));
    p.refuse(
        "request_token",
        Refusal::VirtualReception {
            kind: ReceptionKind::Mssip,
            pin: None,
        },
    )
    .expect(["request_token pin 4711 to 1234"]);
    p.refuse("request_token", Refusal::InvalidPin);
    assert_eq!(p.exit(), Some(&Exit::PinWrong));

    // Both at once: a PIN sent without the conference was not judged, the same once more is wrong.
    let mut p = to(Some("4711"));
    p.refuse("request_token", both(ALL_NEED_ONE))
        .expect(["request_token pin 4711 to 1234"]);
    p.refuse("request_token", both(ALL_NEED_ONE)).expect([]);
    assert_eq!(p.exit(), Some(&Exit::PinWrong));

    let mut p = to(None);
    p.refuse("request_token", both(HOSTS_NEED_ONE))
        .expect(["request_token pin none to 1234"]);
    p.refuse("request_token", Refusal::NoSuchExtension)
        .expect([]);
    let gone = RequestFailure::Refused(Refusal::NoSuchExtension);
    assert_eq!(p.exit(), Some(&Exit::Refused(gone)));

    let mut p = to(None);
    p.refuse("request_token", both(ALL_NEED_ONE)).expect([]);
    assert_eq!(p.exit(), Some(&Exit::PinWanted));
}

#[test]
fn a_one_time_token_stands_for_the_pin_and_is_left_out_where_it_is_not_taken() {
    let with_token = || Options {
        one_time_token: Some(infinity::Token::new("once")),
        pin: Some(infinity::Pin::new("4711")),
        ..options()
    };
    let mut p = TestParticipant::new(with_token());
    p.input(Input::Join).expect(["request_token one-time once"]);
    p.refuse("request_token", Refusal::InvalidToken)
        .expect(["request_token pin 4711"]);
    p.refuse("request_token", Refusal::InvalidToken).expect([]);
    assert!(matches!(p.exit(), Some(Exit::Refused(_))));

    // A node may want both.
    let mut p = TestParticipant::joining(with_token());
    p.refuse("request_token", Refusal::PinWanted(ALL_NEED_ONE))
        .expect(["request_token pin 4711 one-time once"]);
}

#[test]
fn an_unknown_conference_is_final() {
    let mut p = TestParticipant::joining(rejoining());
    p.refuse("request_token", Refusal::NoSuchConference)
        .expect([]);
    assert!(matches!(p.exit(), Some(Exit::Refused(_))));
}

#[test]
fn each_node_is_tried_once_by_who_does_not_join_again() {
    let mut p = TestParticipant::joining(Options {
        nodes: 3,
        ..options()
    });
    p.fail("request_token", unreachable())
        .expect(["request_token at node 1"]);
    p.refuse(
        "request_token",
        Refusal::CapacityReached(Capacity::Licences),
    );
    p.expect(["request_token at node 2"]);
    p.fail("request_token", unreachable()).expect([]);
    assert_eq!(p.exit(), Some(&Exit::Refused(unreachable())));
}

#[test]
fn nodes_are_tried_for_ever_with_growing_pauses_by_who_joins_again() {
    let mut p = TestParticipant::joining(Options {
        nodes: 2,
        ..rejoining()
    });
    let mut pauses = Vec::new();
    for _ in 0..8 {
        p.fail("request_token", unreachable())
            .expect(["request_token at node 1"]);
        let before = p.now;
        p.fail("request_token", unreachable()).expect([]);
        let (at, timer) = p.inner.poll_timeout().expect("a pause");
        assert_eq!(timer, participant::Timer::Join);
        pauses.push(at - before);
        p.wait(at - before).expect(["request_token"]);
    }
    assert!(pauses[0] <= secs(1) && pauses[7] > secs(10), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= secs(30)), "{pauses:?}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_final() {
    let mut p = TestParticipant::joining(rejoining());
    p.fail(
        "request_token",
        RequestFailure::Untrusted("self-signed".into()),
    )
    .expect([]);
    assert!(matches!(
        p.exit(),
        Some(Exit::Refused(RequestFailure::Untrusted(_)))
    ));
}

#[test]
fn who_has_been_in_does_not_take_a_no_for_final() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(Event::RefreshToken)
        .refuse("refresh_token", Refusal::InvalidToken)
        .skip();
    p.wait(secs(1)).expect(["request_token"]);
    // The node has just started and knows its conferences in a moment.
    p.refuse("request_token", Refusal::NoSuchConference)
        .expect([]);
    p.wait(secs(2)).expect(["request_token"]);
}

#[test]
fn the_waiting_room_is_told_apart_and_left_when_a_host_lets_us_in() {
    let mut answer = granted("a", secs(120));
    answer.current_service_type = ServiceType::WaitingRoom;
    let mut p = TestParticipant::held(options(), answer);
    assert_eq!(p.state(), State::WaitingRoom);
    let mut waiting = row("us");
    waiting.service_type = ServiceType::WaitingRoom;
    p.open_stream(&[])
        .event(Event::ParticipantCreate(Box::new(waiting)));
    p.peer(PeerInput::Offer("offer".into())).accept_call("c");
    p.peer(PeerInput::IceConnected)
        .peer(PeerInput::MediaFlowing);
    p.event(Event::Ping)
        .wait(secs(50))
        .event(Event::Ping)
        .wait(secs(9));
    assert_eq!(p.state(), State::WaitingRoom);
    assert!(p.inner.presence().is_waiting);
    p.event(Event::ParticipantUpdate(Box::new(row("us"))));
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn who_is_not_let_in_in_time_gives_up_and_gives_the_token_back() {
    let mut answer = granted("a", secs(120));
    answer.current_service_type = ServiceType::WaitingRoom;
    let limit = Some(secs(10));
    let mut p = TestParticipant::held(
        Options {
            waiting_room_limit: limit,
            ..options()
        },
        answer,
    );
    p.wait(secs(20))
        .expect(["close events", "close peer", "release_token with a"]);
    p.reply(infinity::Response::TokenReleased);
    assert_eq!(p.exit(), Some(&Exit::WaitingRoomTimedOut));
}

#[test]
fn who_is_not_in_the_conference_in_time_says_what_was_missing() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(PeerInput::Offer("offer".into()));
    p.wait(secs(30)).skip().leave();
    p.wait(secs(4));
    assert_eq!(
        p.exit(),
        Some(&Exit::JoinTimedOut {
            missing: "no media flows"
        })
    );
}

#[test]
fn who_is_not_in_the_conference_in_time_tries_the_next_node() {
    let options = Options {
        nodes: 2,
        rejoin: Rejoin::AfterLoss,
        ..options()
    };
    let mut p = TestParticipant::held(options, granted("a", secs(120)));
    p.wait(secs(29)).skip();
    p.wait(secs(1))
        .expect(["close events", "close peer", "release_token with a"]);
    p.reply(infinity::Response::TokenReleased).expect([]);
    p.wait(secs(1)).expect(["request_token at node 1"]);
}

#[test]
fn nobody_promises_media_in_the_waiting_room() {
    let mut answer = granted("a", secs(600));
    answer.current_service_type = ServiceType::WaitingRoom;
    let mut p = TestParticipant::held(options(), answer);
    let mut waiting = row("us");
    waiting.service_type = ServiceType::WaitingRoom;
    p.open_stream(&[])
        .event(Event::ParticipantCreate(Box::new(waiting)));
    p.peer(PeerInput::Offer("offer".into())).accept_call("c");
    p.peer(PeerInput::IceConnected).skip();
    for _ in 0..5 {
        p.wait(secs(20)).event(Event::Ping).expect([]);
    }
    // Once we are let in, it has to flow before long.
    p.event(Event::ParticipantUpdate(Box::new(row("us"))));
    p.wait(secs(15)).expect(["restart ice"]);
}
