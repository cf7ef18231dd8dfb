//! The participant: routes what comes in to the machines, and what they say to one another.

use std::time::Instant;

use infinity::{ParticipantUuid, ServiceType};

use crate::{
    EventStreamInput, Exit, Input, Milestone, Notice, Options, Output, PeerId, PeerInput, Presence,
    Rejoin, RequestFailure, RequestId, Roster, Standing, State, StreamId, Timer,
    call::{CallMachine, CallNews},
    departure::{Departure, Then},
    event_stream::{EventStream, StreamNews},
    outbox::Outbox,
    token::{Membership, TokenMachine, TokenNews},
};

mod events;
mod leaving;
mod reporting;

/// A participant of a conference, as a decision maker.
///
/// After every [`Self::handle_input`], call [`Self::poll_output`] until it returns `None`, then
/// [`Self::poll_timeout`].
#[derive(Debug)]
pub struct Participant {
    options: Options,
    outbox: Outbox,
    phase: Phase,
    token: TokenMachine,
    events: EventStream,
    call: CallMachine,
    roster: Roster,
    presence: Presence,
    standing: Standing,
    /// Who we are, since we have a token.
    us: Option<ParticipantUuid>,
    /// Whether we have been in the conference with this token.
    has_been_in: bool,
}

#[derive(Debug)]
enum Phase {
    Idle,
    Present,
    Departing(Departure),
    Ended,
}

impl Participant {
    /// Returns a participant that does nothing until [`Input::Join`]. `now` is when its first
    /// state begins; `seed` decides its pauses.
    pub fn new(options: Options, now: Instant, seed: u64) -> Self {
        Self {
            outbox: Outbox::new(seed),
            phase: Phase::Idle,
            token: TokenMachine::new(options.clone()),
            events: EventStream::new(options.silence_limit),
            call: CallMachine::new(),
            roster: Roster::default(),
            presence: Presence::default(),
            standing: Standing {
                state: State::Idle,
                since: now,
                why: "not asked to join".into(),
            },
            us: None,
            has_been_in: false,
            options,
        }
    }

    /// Takes note of `input` at `now`. Never fails: what makes no sense becomes a notice. After the
    /// end everything is passed over.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        if self.has_ended() {
            return;
        }
        match input {
            Input::Join => match self.phase {
                Phase::Idle => {
                    self.phase = Phase::Present;
                    self.token.join(now, &mut self.outbox);
                }
                Phase::Present | Phase::Departing(_) | Phase::Ended => {
                    self.outbox.ignore("a second wish to join");
                }
            },
            Input::Leave(reason) => self.leave(now, reason),
            Input::Reply(id, reply) => self.handle_reply(now, id, reply),
            Input::EventStream(stream, input) => self.handle_event_stream(now, stream, input),
            Input::Peer(peer, input) => self.handle_peer(now, peer, input),
            Input::Timeout => {
                // Each at most once, so that this ends whatever they do.
                for _ in Timer::VALUES {
                    let Some(timer) = self.outbox.timers.pop(now) else {
                        break;
                    };
                    self.handle_timer(now, timer);
                }
            }
        }
        self.go_on_departing(now);
        self.report(now);
    }

    /// Returns the next thing to do. Poll until `None` after every [`Self::handle_input`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// Returns when to call back with [`Input::Timeout`], and what for. Poll after the outputs.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        self.outbox.timers.next()
    }

    /// Returns how it stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Returns what the roster says of us and of others.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Returns who is in the conference.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Returns who we are in the roster, since we have been given a token.
    pub fn uuid(&self) -> Option<&ParticipantUuid> {
        self.us.as_ref()
    }

    /// Returns who we are and what proves it, while we are a participant and not on the way out.
    ///
    /// Whoever makes requests of its own in our name makes them with this, and leaves the token's
    /// life to us.
    pub fn membership(&self, now: Instant) -> Option<&Membership> {
        self.token
            .membership()
            .filter(|it| matches!(self.phase, Phase::Present) && now < it.expires_at)
    }

    /// Returns whether this is over: there will be no more outputs.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    fn handle_reply(
        &mut self,
        now: Instant,
        id: RequestId,
        reply: Result<infinity::Response, RequestFailure>,
    ) {
        let reply = match self.token.handle_reply(now, id, reply, &mut self.outbox) {
            Ok(news) => return self.handle_token_news(now, news),
            Err(reply) => reply,
        };
        if let Some(membership) = self.token.membership() {
            let outbox = &mut self.outbox;
            if let Ok(news) = self.call.handle_reply(now, id, reply, membership, outbox) {
                return self.handle_call_news(now, news);
            }
        }
        self.outbox
            .ignore("the reply to a request that does not matter any more");
    }

    fn handle_event_stream(&mut self, now: Instant, stream: StreamId, input: EventStreamInput) {
        match self
            .events
            .handle_input(now, stream, input, &mut self.outbox)
        {
            None => {}
            Some(StreamNews::Opened) => {
                if let Some(membership) = self.token.membership() {
                    self.call.events_opened(now, membership, &mut self.outbox);
                }
            }
            Some(StreamNews::Event(event)) => self.handle_event(now, event),
            Some(StreamNews::TokenDoubted) => self.token.refresh(now, &mut self.outbox),
        }
    }

    fn handle_peer(&mut self, now: Instant, peer: PeerId, input: PeerInput) {
        let Some(membership) = self.token.membership() else {
            return self
                .outbox
                .ignore("the last words of an old peer connection");
        };
        let news = self
            .call
            .handle_peer(now, peer, input, membership, &mut self.outbox);
        self.handle_call_news(now, news);
    }

    fn handle_timer(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Join | Timer::Refresh | Timer::Expiry => {
                let news = self.token.handle_timer(now, timer, &mut self.outbox);
                self.handle_token_news(now, news);
            }
            Timer::Reopen | Timer::Silence => {
                if let Some(membership) = self.token.membership() {
                    self.events
                        .handle_timer(now, timer, membership, &mut self.outbox);
                }
            }
            // Nobody promises media in the waiting room.
            Timer::Media if self.presence.is_waiting && self.call.is_only_silent() => {
                self.call.wait_for_media(now, &mut self.outbox);
            }
            Timer::Ack | Timer::Media | Timer::Call => {
                if let Some(membership) = self.token.membership() {
                    let news = self
                        .call
                        .handle_timer(now, timer, membership, &mut self.outbox);
                    self.handle_call_news(now, news);
                }
            }
            Timer::Departure => self.departure_is_late(),
            Timer::JoinLimit => {
                let missing = self.facts().what_is_missing();
                match self.options.rejoin {
                    Rejoin::Never => self.stop(now, Exit::JoinTimedOut { missing }),
                    Rejoin::AfterLoss | Rejoin::Always => {
                        let why = format!("not in the conference in time: {missing}");
                        self.depart(
                            now,
                            Then::JoinAgain {
                                why,
                                next_node: true,
                            },
                        );
                    }
                }
            }
            Timer::WaitingRoom => self.stop(now, Exit::WaitingRoomTimedOut),
            Timer::Removal => self.removed(now, String::new(), false),
        }
    }

    fn handle_token_news(&mut self, now: Instant, news: Option<TokenNews>) {
        if matches!(self.phase, Phase::Departing(_)) {
            // Whatever came, it is on its way back.
            return;
        }
        match news {
            None => {}
            Some(TokenNews::Granted(granted)) => {
                self.us = Some(granted.participant_uuid.clone());
                self.has_been_in = false;
                self.roster.clear();
                self.presence = Presence {
                    is_waiting: granted.current_service_type == ServiceType::WaitingRoom,
                    role: granted.role,
                    ..Presence::default()
                };
                let participant = granted.participant_uuid.clone();
                self.outbox
                    .milestone(Milestone::TokenGranted { participant });
                self.outbox.notice(Notice::Role(granted.role));
                self.outbox
                    .start(Timer::JoinLimit, now, self.options.join_limit);
                self.events.reset();
                if let Some(membership) = self.token.membership() {
                    self.events.open(now, membership, &mut self.outbox);
                }
                if self.options.media {
                    self.call.start(now, &granted, &mut self.outbox);
                }
            }
            Some(TokenNews::Refreshed(role)) => {
                self.events.token_refreshed(now, &mut self.outbox);
                if let Some(role) = role {
                    self.take_role(now, role);
                }
            }
            Some(TokenNews::Gone { why }) => {
                let exit = Exit::Lost(why.clone());
                self.join_again_or(now, why, false, exit);
            }
            Some(TokenNews::Refused(exit)) => self.stop(now, exit),
        }
    }

    fn handle_call_news(&mut self, now: Instant, news: Option<CallNews>) {
        match news {
            None => {}
            Some(CallNews::TokenDoubted) => self.token.refresh(now, &mut self.outbox),
            Some(CallNews::Failed { why, failure }) => {
                let exit = match failure {
                    Some(failure) => Exit::Refused(failure),
                    None => Exit::CallFailed(why.clone()),
                };
                self.join_again_or(now, why, !self.has_been_in, exit);
            }
        }
    }
}
