//! A small world: one conference, some participants, and what lies between them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    time::{Duration, Instant},
};

use infinity::{
    CallUuid, Command, Event, Failure, NewCandidate, ParticipantUuid, Profile, Refusal, Response,
    Token, Version,
};
use node::{
    ConferenceSettings,
    conference::{Conference, Effect, Requester, RoomRequest, Rules, StreamId as NodeStream, Verdict},
};
use participant::{
    EventStreamCommand, EventStreamInput, Input, LeaveReason, MediaCommand, Milestone, Notice,
    Options, Outgoing, Output, Participant, PeerCommand, PeerId, PeerInput, Rejoin,
    RequestFailure, State, StreamEnd, StreamId,
};

const ANSWER: &str = "v=0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 111\r\nm=video 40000 UDP/TLS/RTP/SAVPF 96\r\n";

/// How often something goes wrong between the participants and the node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Misfortunes {
    every: Option<Duration>,
}

impl Misfortunes {
    pub(crate) fn none() -> Self {
        Self { every: None }
    }

    pub(crate) fn every(every: Duration) -> Self {
        Self { every: Some(every) }
    }
}

/// What is kept from happening, to see that a check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// No `refresh_token` arrives.
    NoRefresh,
    /// No `release_token` arrives.
    NoRelease,
    /// No event arrives.
    NoEvents,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) refreshes: usize,
    pub(crate) cut_streams: usize,
    pub(crate) restarts: usize,
    pub(crate) lost_requests: usize,
    pub(crate) lost_replies: usize,
    pub(crate) lost_media: usize,
    pub(crate) joined_again: usize,
    pub(crate) releases: usize,
}

/// Something on its way.
#[derive(Debug)]
enum Parcel {
    Request { from: usize, outgoing: Box<Outgoing> },
    OpenEvents { from: usize, stream: StreamId, token: Token },
    CloseEvents(NodeStream),
    Input { to: usize, input: Box<Input> },
    NodeUp,
    Misfortune,
}

struct Caller {
    participant: Participant,
    peer: Option<PeerId>,
    call: Option<CallUuid>,
    /// What has been asked for and not answered, with what the answer is to be read by.
    commands: BTreeMap<participant::RequestId, Command>,
    joined_again: usize,
}

pub(crate) struct World {
    profile: Profile,
    pub(crate) misfortunes: Misfortunes,
    pub(crate) sabotage: Option<Sabotage>,
    now: Instant,
    rng: fastrand::Rng,
    conference: Conference,
    node_is_up: bool,
    callers: Vec<Caller>,
    /// Whose stream each of the node's is, and when the last event on it arrives: they keep their
    /// order.
    streams: HashMap<NodeStream, (usize, StreamId, Instant)>,
    parcels: BinaryHeap<Reverse<(Instant, u64)>>,
    contents: HashMap<u64, Parcel>,
    sent: u64,
    has_misfortune_planned: bool,
    tally: Tally,
}

impl World {
    pub(crate) fn new(profile: Profile, callers: usize, seed: u64) -> Self {
        let now = Instant::now();
        let alias: infinity::ConferenceAlias = "meet".parse().expect("a good alias");
        let rules = Rules { profile, ..Rules::default() };
        let settings = ConferenceSettings::open(alias.clone());
        let conference = Conference::new(settings, rules, now, Duration::from_secs(1_700_000_000), seed);
        let callers = (0..callers)
            .map(|number| {
                let options = Options {
                    rejoin: Rejoin::AfterLoss,
                    ..Options::new(alias.clone(), &format!("Standin {number}"))
                };
                Caller {
                    participant: Participant::new(options, now, seed * 1000 + number as u64),
                    peer: None,
                    call: None,
                    commands: BTreeMap::new(),
                    joined_again: 0,
                }
            })
            .collect();
        Self {
            profile,
            misfortunes: Misfortunes::none(),
            sabotage: None,
            now,
            rng: fastrand::Rng::with_seed(seed),
            conference,
            node_is_up: true,
            callers,
            streams: HashMap::new(),
            parcels: BinaryHeap::new(),
            contents: HashMap::new(),
            sent: 0,
            has_misfortune_planned: false,
            tally: Tally::default(),
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    pub(crate) fn join_all(&mut self) {
        for caller in 0..self.callers.len() {
            self.input(caller, Input::Join);
        }
    }

    pub(crate) fn leave(&mut self, caller: usize) {
        self.input(caller, Input::Leave(LeaveReason::Stopped));
    }

    /// Has everybody leave, and waits for as long as that may take.
    pub(crate) fn leave_all(&mut self) {
        for caller in 0..self.callers.len() {
            self.leave(caller);
        }
        self.run_for(Duration::from_secs(8));
    }

    /// Starts to count anew what should not happen while it is calm.
    pub(crate) fn begin_calm(&mut self) {
        for caller in &mut self.callers {
            caller.joined_again = 0;
        }
    }

    /// Checks that nobody had to join again since [`Self::begin_calm`].
    pub(crate) fn check_calm(&self) -> Result<(), String> {
        for (number, caller) in self.callers.iter().enumerate() {
            if caller.joined_again > 0 {
                return Err(format!("{number} joined again {} times", caller.joined_again));
            }
        }
        Ok(())
    }

    /// Checks that everybody who has not left is in the conference, and that node and participants
    /// have the same roster.
    pub(crate) fn check_agreement(&self) -> Result<(), String> {
        let mut at_the_node: Vec<_> = self.conference.participants().map(|(uuid, _)| uuid).collect();
        at_the_node.sort();
        let mut first: Option<&Participant> = None;
        let mut present = 0;
        for (number, Caller { participant, .. }) in self.callers.iter().enumerate() {
            if participant.has_ended() {
                continue;
            }
            present += 1;
            let standing = participant.standing();
            if standing.state != State::InConference {
                return Err(format!("{number} is {:?}: {}", standing.state, standing.why));
            }
            let uuids: Vec<_> = participant.roster().rows().map(|row| &row.uuid).collect();
            if uuids != at_the_node {
                return Err(format!("{number} sees {uuids:?}, the node has {at_the_node:?}"));
            }
            let first = *first.get_or_insert(participant);
            if !participant.roster().rows().eq(first.roster().rows()) {
                return Err(format!("{number} sees other rows than the first"));
            }
            let others = participant.presence().others_with_media;
            if others + 1 != uuids.len() {
                return Err(format!("{number} sees media of {others} others of {}", uuids.len()));
            }
        }
        if present == at_the_node.len() {
            Ok(())
        } else {
            Err(format!("{present} participants, {} at the node", at_the_node.len()))
        }
    }

    /// Checks that everybody has left, as asked, and that the node knows of nobody: not because
    /// tokens have expired, but because they were released.
    pub(crate) fn check_farewell(&self) -> Result<(), String> {
        let stay = self.callers.iter().filter(|caller| !caller.participant.has_ended()).count();
        let still_there = self.conference.participants().count();
        match (stay, still_there) {
            (0, 0) => Ok(()),
            _ => Err(format!("{stay} have not left, {still_there} are still there at the node")),
        }
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut steps_at_once = 0;
        loop {
            self.plan_misfortune();
            let parcel = self.parcels.peek().map(|Reverse((at, _))| *at);
            let node = self.conference.poll_timeout().map(|(at, _)| at).filter(|_| self.node_is_up);
            let caller = (0..self.callers.len())
                .filter_map(|n| Some((self.callers[n].participant.poll_timeout()?.0, n)))
                .min();
            let next = [parcel, node, caller.map(|(at, _)| at)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            steps_at_once = if next > self.now { 0 } else { steps_at_once + 1 };
            assert!(steps_at_once < 10_000, "the world does not come to rest");
            self.now = self.now.max(next);
            if parcel == Some(next) {
                self.deliver();
            } else if node == Some(next) {
                self.conference.handle_timeout(self.now);
                self.carry_out_effects();
            } else if let Some((_, caller)) = caller {
                self.input(caller, Input::Timeout);
            }
        }
        self.now = end;
    }

    fn plan_misfortune(&mut self) {
        if let (Some(every), false) = (self.misfortunes.every, self.has_misfortune_planned) {
            self.has_misfortune_planned = true;
            let after = every.mul_f64(2.0 * self.rng.f64());
            self.send(after, Parcel::Misfortune);
        }
    }

    fn latency(&mut self) -> Duration {
        match self.rng.u8(..50) {
            0 => Duration::from_millis(self.rng.u64(200..2000)),
            _ => Duration::from_millis(self.rng.u64(5..60)),
        }
    }

    /// Returns whether something that is sent now gets lost.
    fn is_lost(&mut self) -> bool {
        self.misfortunes.every.is_some() && self.rng.u8(..100) == 0
    }

    fn send(&mut self, after: Duration, parcel: Parcel) {
        self.sent += 1;
        self.parcels.push(Reverse((self.now + after, self.sent)));
        self.contents.insert(self.sent, parcel);
    }

    fn send_input(&mut self, to: usize, after: Duration, input: Input) {
        self.send(after, Parcel::Input { to, input: Box::new(input) });
    }

    fn deliver(&mut self) {
        let Some(Reverse((_, number))) = self.parcels.pop() else { return };
        match self.contents.remove(&number).expect("each parcel has its content") {
            Parcel::Request { from, outgoing } => self.request_arrives(from, &outgoing),
            Parcel::OpenEvents { from, stream, token } => self.open_events(from, stream, &token),
            Parcel::CloseEvents(stream) => self.conference.events_closed(stream),
            Parcel::Input { to, input } => self.input(to, *input),
            Parcel::NodeUp => self.node_is_up = true,
            Parcel::Misfortune => self.misfortune_strikes(),
        }
    }

    fn misfortune_strikes(&mut self) {
        self.has_misfortune_planned = false;
        if self.misfortunes.every.is_none() {
            return;
        }
        match self.rng.u8(..10) {
            0 => self.restart_node(),
            1..6 => self.cut_streams(),
            _ => {
                self.tally.lost_media += 1;
                let caller = self.rng.usize(..self.callers.len());
                if let Some(peer) = self.callers[caller].peer {
                    let input =
                        [PeerInput::IceDisconnected, PeerInput::IceFailed, PeerInput::MediaStopped]
                            [self.rng.usize(..3)]
                        .clone();
                    self.input(caller, Input::Peer(peer, input));
                }
            }
        }
    }

    fn restart_node(&mut self) {
        self.tally.restarts += 1;
        self.node_is_up = false;
        self.conference.forget_everything();
        self.carry_out_effects();
        let after = Duration::from_secs(self.rng.u64(1..20));
        self.send(after, Parcel::NodeUp);
    }

    fn cut_streams(&mut self) {
        let cut: Vec<_> = self.streams.keys().copied().filter(|_| self.rng.bool()).collect();
        for node_stream in cut {
            self.tally.cut_streams += 1;
            self.end_stream(node_stream);
            // The node notices later than the participant.
            let after = Duration::from_secs(self.rng.u64(..30));
            self.send(after, Parcel::CloseEvents(node_stream));
        }
    }

    fn end_stream(&mut self, node_stream: NodeStream) {
        if let Some((to, stream, _)) = self.streams.remove(&node_stream) {
            let input = EventStreamInput::Ended(StreamEnd::Lost("cut".into()));
            let after = self.latency();
            self.send_input(to, after, Input::EventStream(stream, input));
        }
    }

    // The participants' side.

    fn input(&mut self, caller: usize, input: Input) {
        if let Input::Reply(id, _) = &input {
            self.callers[caller].commands.remove(id);
        }
        self.callers[caller].participant.handle_input(self.now, input);
        while let Some(output) = self.callers[caller].participant.poll_output() {
            self.carry_out(caller, output);
        }
    }

    fn carry_out(&mut self, from: usize, output: Output) {
        match output {
            Output::Request(outgoing) => self.request(from, outgoing),
            Output::EventStream(EventStreamCommand::Open { stream, token, .. }) => {
                let after = self.latency();
                self.send(after, Parcel::OpenEvents { from, stream, token });
            }
            Output::EventStream(EventStreamCommand::Close(closed)) => {
                let ours = self.streams.iter().find(|(_, (caller, stream, _))| {
                    *caller == from && *stream == closed
                });
                if let Some(node_stream) = ours.map(|(node_stream, _)| *node_stream) {
                    self.streams.remove(&node_stream);
                    let after = self.latency();
                    self.send(after, Parcel::CloseEvents(node_stream));
                }
            }
            Output::Peer(peer, command) => self.carry_out_peer(from, peer, &command),
            Output::Media(peer, MediaCommand::Start) => {
                let after = Duration::from_millis(300);
                self.send_input(from, after, Input::Peer(peer, PeerInput::MediaFlowing));
            }
            Output::Media(_, MediaCommand::Stop) => {}
            Output::Notice(notice) => match notice {
                Notice::Refreshed => self.tally.refreshes += 1,
                Notice::Milestone(Milestone::TokenReleased) => self.tally.releases += 1,
                Notice::JoiningAgain { .. } => {
                    self.tally.joined_again += 1;
                    self.callers[from].joined_again += 1;
                }
                _ => {}
            },
        }
    }

    fn carry_out_peer(&mut self, from: usize, peer: PeerId, command: &PeerCommand) {
        let soon = Duration::from_millis(20);
        match command {
            PeerCommand::Open { .. } => {
                self.callers[from].peer = Some(peer);
                self.callers[from].call = None;
                let offer = PeerInput::Offer("v=0\r\nm=audio 9 x\r\n".into());
                self.send_input(from, soon, Input::Peer(peer, offer));
                let candidate = NewCandidate {
                    candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".into(),
                    mid: "0".into(),
                    ufrag: None,
                    pwd: None,
                };
                self.send_input(from, soon, Input::Peer(peer, PeerInput::Candidate(candidate)));
                let complete = PeerInput::GatheringComplete { mid: "0".into() };
                self.send_input(from, 2 * soon, Input::Peer(peer, complete));
            }
            PeerCommand::RestartIce => {
                let offer = PeerInput::Offer("v=0\r\nm=audio 9 y\r\n".into());
                self.send_input(from, soon, Input::Peer(peer, offer));
            }
            PeerCommand::SetAnswer(_) => {
                self.send_input(from, 5 * soon, Input::Peer(peer, PeerInput::IceConnected));
                self.send_input(from, 20 * soon, Input::Peer(peer, PeerInput::MediaFlowing));
            }
            PeerCommand::AddCandidate(_) => {}
            PeerCommand::Close => self.callers[from].peer = None,
        }
    }

    fn request(&mut self, from: usize, outgoing: Outgoing) {
        let is_sabotaged = match &outgoing.request.command {
            Command::RefreshToken => self.sabotage == Some(Sabotage::NoRefresh),
            Command::ReleaseToken(_) => self.sabotage == Some(Sabotage::NoRelease),
            _ => false,
        };
        self.callers[from].commands.insert(outgoing.id, outgoing.request.command.clone());
        if is_sabotaged || self.is_lost() {
            self.tally.lost_requests += 1;
            self.lose(from, &outgoing);
            return;
        }
        let after = self.latency();
        self.send(after, Parcel::Request { from, outgoing: Box::new(outgoing) });
    }

    /// Has the participant learn that nothing came back.
    fn lose(&mut self, to: usize, outgoing: &Outgoing) {
        let limit = outgoing.time_limit.unwrap_or(Duration::from_secs(20));
        let (after, failure) = if self.rng.bool() {
            (limit, RequestFailure::TimedOut(limit))
        } else {
            (self.latency(), RequestFailure::Unreachable("connection reset".into()))
        };
        self.send_input(to, after, Input::Reply(outgoing.id, Err(failure)));
    }

    // The node's side.

    fn request_arrives(&mut self, from: usize, outgoing: &Outgoing) {
        if !self.node_is_up {
            let failure = RequestFailure::Unreachable("connection refused".into());
            let after = self.latency();
            self.send_input(from, after, Input::Reply(outgoing.id, Err(failure)));
            return;
        }
        let command = &outgoing.request.command;
        let verdict = self.answer(outgoing.request.token.as_ref(), command);
        self.carry_out_effects();
        let wire = match &verdict {
            Ok(response) => response.encode(self.profile),
            Err(refusal) => refusal.encode(self.profile, &Version::default()),
        };
        if let Ok(Response::CallAccepted(accepted)) = &verdict {
            self.callers[from].call = Some(accepted.call_uuid.clone());
        }
        if self.is_lost() {
            self.tally.lost_replies += 1;
            self.lose(from, outgoing);
            return;
        }
        let reply = command
            .decode_response(wire.code, wire.body.as_bytes())
            .map_err(|failure: Failure| RequestFailure::from(failure));
        let after = self.latency();
        self.send_input(from, after, Input::Reply(outgoing.id, reply));
    }

    fn answer(&mut self, token: Option<&Token>, command: &Command) -> Result<Response, Refusal> {
        let path = command.path();
        if !Conference::knows(self.profile, &path) {
            return Err(Refusal::NotFound("no such request".into()));
        }
        let by = Requester { token, vendor: "pair" };
        match self.conference.handle(self.now, by, command)? {
            Verdict::Answer(response) => Ok(response),
            Verdict::AskRoom(RoomRequest::Call { participant, call, .. }) => {
                self.conference.call_answered(&participant, &call, ANSWER.into())
            }
            Verdict::AskRoom(RoomRequest::Update { call, .. }) => {
                Ok(self.conference.update_answered(&call, ANSWER.into()))
            }
            Verdict::AskRoom(RoomRequest::Candidate { .. }) => Ok(Response::CandidateTaken),
        }
    }

    fn open_events(&mut self, from: usize, stream: StreamId, token: &Token) {
        let by = Requester { token: Some(token), vendor: "pair" };
        let after = self.latency();
        if !self.node_is_up {
            let input = EventStreamInput::Ended(StreamEnd::Lost("connection refused".into()));
            self.send_input(from, after, Input::EventStream(stream, input));
            return;
        }
        match self.conference.open_events(self.now, by) {
            Ok((node_stream, burst)) => {
                self.streams.insert(node_stream, (from, stream, self.now));
                self.send_on(node_stream, EventStreamInput::Opened);
                for event in burst {
                    self.send_event(node_stream, &event);
                }
            }
            Err(refusal) => {
                let input = EventStreamInput::Ended(StreamEnd::Refused(refusal));
                self.send_input(from, after, Input::EventStream(stream, input));
            }
        }
        self.carry_out_effects();
    }

    fn send_event(&mut self, node_stream: NodeStream, event: &Event) {
        if self.sabotage == Some(Sabotage::NoEvents) {
            return;
        }
        if let Some(text) = event.encode(self.profile) {
            let event = Event::decode(text.name, &text.data).expect("a node's own event");
            self.send_on(node_stream, EventStreamInput::Event(event));
        }
    }

    fn send_on(&mut self, node_stream: NodeStream, input: EventStreamInput) {
        let latency = self.latency();
        let Some((to, stream, last)) = self.streams.get_mut(&node_stream) else { return };
        let at = (self.now + latency).max(*last);
        *last = at;
        let (to, stream, after) = (*to, *stream, at - self.now);
        self.send_input(to, after, Input::EventStream(stream, input));
    }

    fn carry_out_effects(&mut self) {
        while let Some(effect) = self.conference.poll_effect() {
            match effect {
                Effect::Send { to, event } => {
                    for node_stream in to {
                        self.send_event(node_stream, &event);
                    }
                }
                Effect::CloseStream(node_stream) => self.end_stream(node_stream),
                Effect::StartMedia(call) => {
                    if let Some(who) = self.whose(&call) {
                        self.conference.media_flowing(&who, true, true);
                    }
                }
                Effect::HangUp(call) => self.media_dies(&call),
                _ => {}
            }
        }
    }

    fn whose(&self, call: &CallUuid) -> Option<ParticipantUuid> {
        let caller = self.callers.iter().find(|caller| caller.call.as_ref() == Some(call))?;
        caller.participant.uuid().cloned()
    }

    /// The node has stopped a call without a word to whose it was: ICE finds out.
    fn media_dies(&mut self, call: &CallUuid) {
        let caller = self.callers.iter().position(|caller| caller.call.as_ref() == Some(call));
        let Some(caller) = caller else { return };
        if let Some(peer) = self.callers[caller].peer {
            let input = Input::Peer(peer, PeerInput::IceFailed);
            self.send_input(caller, Duration::from_secs(6), input);
        }
    }
}
