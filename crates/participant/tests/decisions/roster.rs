//! The roster: who is there, what it says of us, and being put out.

use infinity::{
    Event, Response, Role, Token,
    event::{Disconnect, Refer},
};
use participant::{Exit, Notice, Options, Rejoin, State};

use crate::harness::*;

fn disconnect(reason: &str) -> Event {
    Event::Disconnect(Disconnect {
        reason: reason.into(),
    })
}

fn uuids(p: &TestParticipant) -> Vec<&str> {
    p.inner
        .roster()
        .rows()
        .map(|row| row.uuid.as_str())
        .collect()
}

#[test]
fn a_second_sync_bracket_ends_in_the_same_roster() {
    let mut p = TestParticipant::in_conference(options());
    let before: Vec<_> = p.inner.roster().rows().cloned().collect();
    p.lose_stream()
        .wait(secs(1))
        .open_stream(&["ann", "us"])
        .skip();
    let after: Vec<_> = p.inner.roster().rows().cloned().collect();
    assert_eq!(before, after);
}

#[test]
fn who_went_while_the_stream_was_down_is_gone_after_the_bracket() {
    let mut p = TestParticipant::in_conference(options());
    p.lose_stream().wait(secs(1)).open_stream(&["us", "ben"]);
    assert_eq!(uuids(&p), ["ben", "us"]);
    let told = |p: &TestParticipant, uuid: &str| {
        (
            p.has_noticed(|n| matches!(n, Notice::Came(u) if u.as_str() == uuid)),
            p.has_noticed(|n| matches!(n, Notice::Gone(u) if u.as_str() == uuid)),
        )
    };
    assert_eq!(told(&p, "ann"), (true, true));
    assert_eq!(told(&p, "ben"), (true, false));
    assert_eq!(told(&p, "us"), (false, false));
}

#[test]
fn being_muted_by_a_host_is_told() {
    let mut p = TestParticipant::in_conference(options());
    assert!(!p.inner.presence().is_muted);
    let mut muted = row("us");
    muted.is_muted = true;
    p.event(Event::ParticipantUpdate(Box::new(muted)));
    assert!(p.inner.presence().is_muted);
    assert!(p.has_noticed(|n| matches!(n, Notice::Presence(presence) if presence.is_muted)));
    p.event(Event::ParticipantUpdate(Box::new(row("us"))));
    assert!(!p.inner.presence().is_muted);
}

#[test]
fn somebody_elses_mute_is_not_ours() {
    let mut p = TestParticipant::in_conference(options());
    let mut muted = row("ann");
    muted.is_muted = true;
    p.event(Event::ParticipantUpdate(Box::new(muted)));
    assert!(!p.inner.presence().is_muted);
}

#[test]
fn a_change_of_role_is_told() {
    let mut p = TestParticipant::in_conference(options());
    let mut host = row("us");
    host.role = Role::Host;
    p.event(Event::ParticipantUpdate(Box::new(host)));
    assert!(p.has_noticed(|n| matches!(n, Notice::Role(Role::Host))));
    assert_eq!(p.inner.presence().role, Role::Host);
}

#[test]
fn it_is_known_whether_anybody_can_hear_us() {
    let mut p = TestParticipant::in_conference(options());
    assert_eq!(p.inner.presence().others_with_media, 1);
    let mut watcher = row("ann");
    watcher.has_media = false;
    p.event(Event::ParticipantUpdate(Box::new(watcher)));
    assert_eq!(p.inner.presence().others_with_media, 0);
    let mut waiting = row("ben");
    waiting.service_type = infinity::ServiceType::WaitingRoom;
    p.event(Event::ParticipantCreate(Box::new(waiting)));
    assert_eq!(p.inner.presence().others_with_media, 0);
    p.event(Event::ParticipantCreate(Box::new(row("cleo"))));
    assert_eq!(p.inner.presence().others_with_media, 1);
    p.event(Event::ParticipantDelete("cleo".into()));
    assert_eq!(p.inner.presence().others_with_media, 0);
}

#[test]
fn a_hosts_removal_ends_it_and_is_told_apart() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(disconnect("API initiated participant disconnect"));
    p.expect([
        "close events",
        "stop media",
        "close peer",
        "calls/…/disconnect c-1 with a",
    ]);
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased);
    assert_eq!(p.state(), State::Removed);
    let reason = "API initiated participant disconnect".to_owned();
    assert_eq!(p.exit(), Some(&Exit::Removed { reason }));
}

#[test]
fn who_always_joins_again_does_so_after_a_hosts_removal() {
    let mut p = TestParticipant::in_conference(Options {
        rejoin: Rejoin::Always,
        ..options()
    });
    p.event(disconnect("API initiated participant disconnect"));
    assert!(p.has_noticed(|n| matches!(n, Notice::State(s) if s.state == State::Removed)));
    p.skip()
        .reply(Response::CallDisconnected)
        .reply(Response::TokenReleased)
        .skip();
    p.wait(secs(1)).expect(["request_token"]);
}

#[test]
fn an_eviction_for_an_expired_token_is_a_loss_and_no_removal() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(disconnect("Timer expired awaiting token refresh"));
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased)
        .skip();
    p.wait(secs(1)).expect(["request_token"]);
}

#[test]
fn the_node_may_say_why_our_row_is_gone_before_or_after() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(Event::ParticipantDelete("us".into())).expect([]);
    p.wait(millis(100)).event(disconnect("kicked"));
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased);
    assert_eq!(
        p.exit(),
        Some(&Exit::Removed {
            reason: "kicked".into()
        })
    );
}

#[test]
fn a_row_that_is_gone_without_a_word_is_a_loss() {
    let mut p = TestParticipant::in_conference(rejoining());
    p.event(Event::ParticipantDelete("us".into()))
        .wait(secs(1))
        .skip();
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased)
        .skip();
    p.wait(secs(1)).expect(["request_token"]);

    let mut p = TestParticipant::in_conference(options());
    p.event(Event::ParticipantDelete("us".into())).wait(secs(1));
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased);
    assert_eq!(
        p.exit(),
        Some(&Exit::Removed {
            reason: String::new()
        })
    );
}

#[test]
fn a_row_that_comes_back_at_once_was_never_gone() {
    let mut p = TestParticipant::in_conference(options());
    p.event(Event::ParticipantDelete("us".into()));
    p.event(Event::ParticipantCreate(Box::new(row("us"))))
        .wait(secs(5))
        .expect([]);
    assert_eq!(p.state(), State::InConference);
}

#[test]
fn a_referral_is_followed_with_its_token_after_the_old_one_is_released() {
    let mut p = TestParticipant::in_conference(options());
    let alias = "other".parse().unwrap();
    p.event(Event::Refer(Refer {
        alias,
        token: Some(Token::new("once")),
    }));
    p.expect([
        "close events",
        "stop media",
        "close peer",
        "calls/…/disconnect c-1 with a",
    ]);
    p.reply(Response::CallDisconnected)
        .expect(["release_token with a"]);
    p.reply(Response::TokenReleased)
        .wait(millis(499))
        .expect([]);
    p.wait(millis(1))
        .expect(["request_token one-time once in other"]);
    p.grant("b", secs(120))
        .expect(["open events with b", "offer"]);
}

#[test]
fn a_one_time_token_that_is_refused_is_left_out() {
    let mut p = TestParticipant::in_conference(options());
    let alias = "other".parse().unwrap();
    p.event(Event::Refer(Refer {
        alias,
        token: Some(Token::new("once")),
    }));
    p.reply(Response::CallDisconnected)
        .reply(Response::TokenReleased)
        .wait(secs(1))
        .skip();
    p.refuse("request_token", infinity::Refusal::InvalidToken);
    p.expect(["request_token in other"]);
}

#[test]
fn who_is_refused_where_it_was_sent_goes_back_if_it_joins_again_at_all() {
    let referred = |options| {
        let mut p = TestParticipant::in_conference(options);
        let alias = "other".parse().unwrap();
        p.event(Event::Refer(Refer { alias, token: None }));
        p.reply(Response::CallDisconnected)
            .reply(Response::TokenReleased)
            .wait(secs(1))
            .skip();
        p.refuse("request_token", infinity::Refusal::NoSuchConference);
        p
    };
    let mut p = referred(rejoining());
    p.expect([]).wait(secs(2)).expect(["request_token"]);
    assert!(p.exit().is_none());

    let p = referred(options());
    assert!(matches!(p.exit(), Some(participant::Exit::Refused(_))));
}
