//! Staying: the token is refreshed at half of its life, and what happens when it is not.

use infinity::Response;
use infinity::{Event, Refusal, Role, Token, TokenRefreshed};
use participant::{Exit, Notice, State, Timer, Trouble};

use crate::harness::*;

#[test]
fn refreshes_halfway_through_the_tokens_life() {
    let mut p = TestParticipant::held(options(), granted("a", secs(120)));
    p.open_stream(&["us"])
        .peer(participant::PeerInput::Offer("offer".into()))
        .accept_call("c");
    p.peer(participant::PeerInput::IceConnected)
        .peer(participant::PeerInput::MediaFlowing)
        .skip();
    p.event(Event::Ping);

    p.wait(secs(50)).event(Event::Ping).wait(secs(9)).expect([]);
    p.wait(secs(1)).expect(["refresh_token with a"]);
    p.refresh("b", secs(120)).expect([]);
    p.event(Event::Ping)
        .wait(secs(40))
        .event(Event::Ping)
        .wait(secs(19))
        .expect([]);
    p.wait(secs(1)).expect(["refresh_token with b"]);
}

#[test]
fn the_life_of_a_token_is_counted_from_when_it_was_asked_for() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::Ping)
        .wait(secs(50))
        .event(Event::Ping)
        .wait(secs(10));
    p.expect(["refresh_token with a"]);
    p.wait(secs(8)).refresh("b", secs(20));
    assert_eq!(p.next_timer(), Some((secs(70), Timer::Refresh)));
}

#[test]
fn a_refresh_that_gets_lost_is_retried_until_the_token_expires_and_the_token_not_used_after() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::Ping)
        .wait(secs(50))
        .event(Event::Ping)
        .wait(secs(10))
        .skip();
    let mut tries = 1;
    while p.state() != State::Leaving && p.exit().is_none() {
        assert!(p.now - p.start <= secs(121), "never gave up");
        p.event(Event::Ping).fail("refresh_token", unreachable());
        p.skip();
        if p.exit().is_some() {
            break;
        }
        assert_eq!(p.state(), State::Degraded(Trouble::Token));
        while p
            .requests
            .iter()
            .all(|r| r.request.command.name() != "refresh_token")
        {
            if p.exit().is_some() {
                break;
            }
            p.wait(millis(100));
        }
        tries += 1;
        if p.exit().is_some() {
            break;
        }
    }
    assert!(tries >= 5, "{tries} tries");
    assert_eq!(p.now - p.start, secs(120));
    assert!(matches!(p.exit(), Some(Exit::Lost(_))), "{:?}", p.exit());
    // Neither hung up nor released: the token is known to have expired.
    p.expect(["close events", "stop media", "close peer"]);
}

#[test]
fn a_refused_refresh_is_final_and_a_new_token_is_asked_for() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(Event::RefreshToken)
        .expect(["refresh_token with a"]);
    p.refuse("refresh_token", Refusal::InvalidToken);
    p.expect(["close events", "stop media", "close peer"]);
    assert_eq!(p.state(), State::Joining);
    p.wait(secs(1)).expect(["request_token"]);
}

#[test]
fn a_refused_refresh_ends_who_does_not_join_again_without_blaming_a_host() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken)
        .refuse("refresh_token", Refusal::InvalidToken);
    assert!(matches!(p.exit(), Some(Exit::Lost(_))));
    assert_eq!(p.state(), State::Stopped);
}

#[test]
fn a_refresh_is_not_waited_for_longer_than_a_node_takes_the_old_token() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken);
    let limit = p.requests.last().and_then(|request| request.time_limit);
    assert!(limit.is_some_and(|limit| limit <= secs(5)), "{limit:?}");
}

#[test]
fn a_busy_node_does_not_lose_us_the_token() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken).skip();
    p.refuse("refresh_token", Refusal::Unavailable(503))
        .expect([]);
    assert_eq!(p.state(), State::Degraded(Trouble::Token));
    p.wait(secs(1)).expect(["refresh_token with a"]);
    p.refresh("b", secs(120));
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn the_event_refresh_token_refreshes_now_but_never_twice_at_once() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken)
        .expect(["refresh_token with a"]);
    p.event(Event::RefreshToken).expect([]);
    p.refresh("b", secs(120))
        .event(Event::RefreshToken)
        .expect(["refresh_token with b"]);
}

#[test]
fn a_role_that_comes_with_a_refresh_is_told() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::RefreshToken);
    let token = Token::new("b");
    let role = Some(Role::Host);
    p.reply(Response::TokenRefreshed(TokenRefreshed {
        token,
        expires: secs(120),
        role,
        client_stats_update_interval: None,
    }));
    assert!(p.has_noticed(|notice| matches!(notice, Notice::Role(Role::Host))));
    assert_eq!(p.inner.presence().role, Role::Host);
    // Our row of before does not take it back; a newer one does.
    p.event(Event::ParticipantDelete("ann".into()));
    assert_eq!(p.inner.presence().role, Role::Host);
    p.event(Event::ParticipantUpdate(Box::new(row("us"))));
    assert_eq!(p.inner.presence().role, Role::Guest);
}

#[test]
fn a_token_without_a_life_is_not_used() {
    let mut p = TestParticipant::held(options(), granted("a", secs(0)));
    p.wait(secs(5));
    assert!(p.requests.is_empty(), "{:?}", p.requests);
    assert!(matches!(p.exit(), Some(Exit::Lost(_))));
}
