//! The participant: routes what comes in to the machines, and what they say to one another.

use std::time::{Duration, Instant};

use infinity::{ParticipantUuid, ServiceType};

use crate::{
    EventStreamInput, Exit, Input, LeaveReason, Milestone, Notice, Options, Output, PeerId,
    PeerInput, Presence, Rejoin, RequestFailure, RequestId, Roster, Standing, State, StreamId,
    Timer,
    call::{CallMachine, CallNews},
    departure::{Departure, Step, Then},
    event_stream::{EventStream, StreamNews},
    outbox::{Outbox, PARTING},
    state::Facts,
    token::{TokenMachine, TokenNews},
};

mod events;

/// How long after leaving we may ask where we were sent: the node prepares it meanwhile.
const REFER_PAUSE: Duration = Duration::from_millis(500);

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

    /// Returns whether this is over: there will be no more outputs.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    fn leave(&mut self, now: Instant, reason: LeaveReason) {
        let then = Then::Stop(Exit::Left(reason));
        match &mut self.phase {
            Phase::Idle | Phase::Present => self.depart(now, then),
            Phase::Departing(Departure {
                then: Then::Stop(_),
                ..
            })
            | Phase::Ended => {
                self.outbox.ignore("a second wish to leave");
            }
            Phase::Departing(departure) => {
                departure.then = then;
                self.outbox.start(Timer::Departure, now, PARTING);
            }
        }
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
                self.outbox
                    .start(Timer::JoinLimit, now, self.options.join_limit);
                self.events.reset();
                if let Some(membership) = self.token.membership() {
                    self.events.open(now, membership, &mut self.outbox);
                }
                self.call.start(now, &granted, &mut self.outbox);
            }
            Some(TokenNews::Refreshed(role)) => {
                self.events.token_refreshed(now, &mut self.outbox);
                if let Some(role) = role
                    && role != self.presence.role
                {
                    self.presence.role = role;
                    self.outbox.notice(Notice::Role(role));
                }
            }
            Some(TokenNews::Gone { why, is_forgotten }) => {
                let exit = if is_forgotten {
                    Exit::Removed {
                        reason: why.clone(),
                    }
                } else {
                    Exit::Lost(why.clone())
                };
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

    fn join_again_or(&mut self, now: Instant, why: String, next_node: bool, exit: Exit) {
        match self.options.rejoin {
            Rejoin::Never => self.stop(now, exit),
            Rejoin::AfterLoss | Rejoin::Always => {
                self.depart(now, Then::JoinAgain { why, next_node });
            }
        }
    }

    fn stop(&mut self, now: Instant, exit: Exit) {
        self.depart(now, Then::Stop(exit));
    }

    fn depart(&mut self, now: Instant, then: Then) {
        if matches!(self.phase, Phase::Departing(_) | Phase::Ended) {
            return;
        }
        for timer in [Timer::JoinLimit, Timer::WaitingRoom, Timer::Removal] {
            self.outbox.timers.stop(timer);
        }
        self.events.close(&mut self.outbox);
        self.call
            .close(now, self.token.membership(), &mut self.outbox);
        self.token.leave(&mut self.outbox);
        self.outbox.start(Timer::Departure, now, PARTING);
        self.phase = Phase::Departing(Departure::new(then));
    }

    /// Takes the steps of the way out that are due.
    fn go_on_departing(&mut self, now: Instant) {
        if let Phase::Departing(departure) = &mut self.phase
            && departure.step == Step::Settling
            && !self.token.is_asking()
            && (departure.is_late || !self.call.is_parting())
        {
            departure.step = Step::Releasing;
            self.call.abandon();
            self.outbox.start(Timer::Departure, now, PARTING);
            self.token.release(now, &mut self.outbox);
        }
        if let Phase::Departing(departure) = &self.phase
            && departure.step == Step::Releasing
            && !self.token.is_releasing()
        {
            self.outbox.timers.stop(Timer::Departure);
            self.departed(now);
        }
    }

    /// Gives up waiting for what has had its time on the way out.
    fn departure_is_late(&mut self) {
        let Phase::Departing(departure) = &mut self.phase else {
            return;
        };
        departure.is_late = true;
        match (departure.step, &departure.then) {
            (Step::Settling, Then::Stop(_)) => self.token.abandon_request(),
            // A token request under way is waited for however long it takes.
            (Step::Settling, Then::JoinAgain { .. } | Then::Follow { .. }) => {}
            (Step::Releasing, _) => self.token.abandon_release(),
        }
    }

    fn departed(&mut self, now: Instant) {
        let Phase::Departing(departure) = std::mem::replace(&mut self.phase, Phase::Present) else {
            return;
        };
        self.us = None;
        self.roster.clear();
        self.presence = Presence::default();
        match departure.then {
            Then::Stop(exit) => {
                self.phase = Phase::Ended;
                self.outbox.timers.stop_all();
                self.set_standing(now, exit.state(), exit.to_string());
                self.outbox.notice(Notice::Ended(exit));
            }
            Then::JoinAgain { why, next_node } => {
                let after = self.token.join_again(now, next_node, &mut self.outbox);
                self.outbox.notice(Notice::JoiningAgain { why, after });
            }
            Then::Follow { conference, token } => {
                self.token
                    .follow(now, conference, token, REFER_PAUSE, &mut self.outbox);
            }
        }
    }

    fn facts(&self) -> Facts {
        Facts {
            is_asked_to_join: !matches!(self.phase, Phase::Idle),
            is_stopping: matches!(
                self.phase,
                Phase::Departing(Departure {
                    then: Then::Stop(_),
                    ..
                })
            ),
            has_token: self.us.is_some() && !matches!(self.phase, Phase::Departing(_)),
            is_listed: self.presence.is_listed,
            is_waiting: self.presence.is_waiting,
            media_flows: self.call.flows(),
            events_flow: !self.events.is_in_trouble(),
            token_is_fresh: !self.token.is_in_trouble(),
            has_been_in: self.has_been_in,
        }
    }

    /// Tells how it stands, if that has changed.
    fn report(&mut self, now: Instant) {
        if self.has_ended() {
            return;
        }
        let facts = self.facts();
        let state = facts.state();
        if state == self.standing.state {
            return;
        }
        match state {
            State::InConference => {
                self.has_been_in = true;
                self.token.arrived();
                self.outbox.timers.stop(Timer::JoinLimit);
            }
            State::WaitingRoom => {
                self.outbox.timers.stop(Timer::JoinLimit);
                if let Some(limit) = self.options.waiting_room_limit {
                    self.outbox.start(Timer::WaitingRoom, now, limit);
                }
            }
            State::Connecting if self.standing.state == State::WaitingRoom => {
                self.outbox
                    .start(Timer::JoinLimit, now, self.options.join_limit);
            }
            _ => {}
        }
        if state != State::WaitingRoom {
            self.outbox.timers.stop(Timer::WaitingRoom);
        }
        self.set_standing(now, state, facts.why().to_owned());
    }

    fn set_standing(&mut self, now: Instant, state: State, why: String) {
        self.standing = Standing {
            state,
            since: now,
            why,
        };
        self.outbox.notice(Notice::State(self.standing.clone()));
    }
}
