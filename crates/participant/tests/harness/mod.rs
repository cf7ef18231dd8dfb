//! A participant in virtual time, whose outputs read as words.

use std::time::{Duration, Instant};

use infinity::{
    CallAccepted, Command, Event, ParticipantRow, Refusal, Response, Role, ServiceType, Token,
    TokenGranted, TokenRefreshed, Version,
};
use participant::{
    EventStreamCommand, EventStreamInput, Exit, Gather, Input, LeaveReason, MediaCommand, Notice,
    Options, Outgoing, Output, Participant, PeerCommand, PeerId, PeerInput, Rejoin, RequestFailure,
    RequestId, State, StreamEnd, StreamId, Timer,
};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn options() -> Options {
    Options::new("meet".parse().expect("a good alias"), "Standin")
}

pub(crate) fn rejoining() -> Options {
    Options {
        rejoin: Rejoin::AfterLoss,
        ..options()
    }
}

/// Returns the answer to `request_token` of a node of version 39.
pub(crate) fn granted(token: &str, expires: Duration) -> TokenGranted {
    TokenGranted {
        token: Token::new(token),
        expires,
        participant_uuid: "us".into(),
        display_name: "Standin".into(),
        version: Version {
            version_id: "39".into(),
            pseudo_version: "77524.0.0".into(),
        },
        role: Role::Guest,
        service_type: ServiceType::Conference,
        current_service_type: ServiceType::Conference,
        conference_name: None,
        chat_enabled: true,
        analytics_enabled: false,
        stun: Vec::new(),
        turn: Vec::new(),
        use_relay_candidates_only: false,
        bandwidth_in: None,
        bandwidth_out: None,
        call_type: None,
        direct_media: false,
        trickle_ice_enabled: None,
        client_stats_update_interval: None,
    }
}

pub(crate) fn row(uuid: &str) -> ParticipantRow {
    ParticipantRow {
        has_media: true,
        ..ParticipantRow::new(uuid.into(), uuid, Role::Guest)
    }
}

pub(crate) fn unreachable() -> RequestFailure {
    RequestFailure::Unreachable("connection refused".into())
}

pub(crate) struct TestParticipant {
    pub(crate) inner: Participant,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    /// The outputs that were not looked at, as words.
    words: Vec<String>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) requests: Vec<Outgoing>,
    pub(crate) stream: Option<StreamId>,
    pub(crate) peer: Option<PeerId>,
    /// The TURN servers of that peer, as it was opened.
    pub(crate) turn: Vec<String>,
}

impl TestParticipant {
    pub(crate) fn new(options: Options) -> Self {
        // Virtual time needs a beginning; which one is of no importance.
        #[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
        let start = Instant::now();
        Self {
            inner: Participant::new(options, start, 7),
            start,
            now: start,
            words: Vec::new(),
            notices: Vec::new(),
            requests: Vec::new(),
            stream: None,
            peer: None,
            turn: Vec::new(),
        }
    }

    /// Returns a participant that has asked for a token.
    pub(crate) fn joining(options: Options) -> Self {
        let mut p = Self::new(options);
        p.input(Input::Join);
        p.words.clear();
        p
    }

    /// Returns a participant with a token.
    pub(crate) fn held(options: Options, granted: TokenGranted) -> Self {
        let mut p = Self::joining(options);
        p.reply(Response::TokenGranted(Box::new(granted)));
        p.words.clear();
        p
    }

    /// Returns a participant whose call the node has answered, and whom the roster shows.
    pub(crate) fn answered(options: Options) -> Self {
        let mut p = Self::held(options, granted("a", secs(120)));
        p.open_stream(&["us", "ann"]);
        p.peer(PeerInput::Offer("offer".into()));
        p.accept_call("c-1");
        p.words.clear();
        p
    }

    /// Returns a participant in the conference, with a token of 120 seconds.
    pub(crate) fn in_conference(options: Options) -> Self {
        let mut p = Self::answered(options);
        p.peer(PeerInput::IceConnected);
        p.reply(Response::Acked);
        p.peer(PeerInput::MediaFlowing);
        assert_eq!(p.state(), State::InConference);
        p.words.clear();
        p
    }

    pub(crate) fn input(&mut self, input: Input) -> &mut Self {
        self.inner.handle_input(self.now, input);
        let mut count = 0;
        while let Some(output) = self.inner.poll_output() {
            count += 1;
            assert!(count < 200, "too many outputs for one input");
            self.take(output);
        }
        self
    }

    fn take(&mut self, output: Output) {
        let words = match output {
            Output::Request(outgoing) => {
                let words = request_words(&outgoing);
                self.requests.push(outgoing);
                words
            }
            Output::EventStream(EventStreamCommand::Open {
                stream,
                token,
                node,
                ..
            }) => {
                self.stream = Some(stream);
                format!("open events with {}{}", token.expose(), at(node))
            }
            Output::EventStream(EventStreamCommand::Close(_)) => "close events".to_owned(),
            Output::Peer(peer, command) => match command {
                PeerCommand::Open { gather, ice, .. } => {
                    self.peer = Some(peer);
                    self.turn = ice.turn.into_iter().flat_map(|one| one.urls).collect();
                    match gather {
                        Gather::First => "gather, then offer".to_owned(),
                        Gather::Trickle => "offer".to_owned(),
                    }
                }
                PeerCommand::SetAnswer(sdp) => format!("set {sdp}"),
                PeerCommand::AddCandidate(candidate) => format!("add {}", candidate.candidate),
                PeerCommand::RestartIce => "restart ice".to_owned(),
                PeerCommand::AddTurnServers(servers) => {
                    format!("use {}", servers[0].urls[0])
                }
                PeerCommand::Close => "close peer".to_owned(),
            },
            Output::Media(_, MediaCommand::Start) => "start media".to_owned(),
            Output::Media(_, MediaCommand::Stop) => "stop media".to_owned(),
            Output::Notice(notice) => {
                self.notices.push(notice);
                return;
            }
        };
        self.words.push(words);
    }

    /// Checks that exactly this was wanted since the last look.
    #[track_caller]
    pub(crate) fn expect<const N: usize>(&mut self, words: [&str; N]) -> &mut Self {
        assert_eq!(self.words, words);
        self.words.clear();
        self
    }

    /// Forgets what was wanted since the last look.
    pub(crate) fn skip(&mut self) -> &mut Self {
        self.words.clear();
        self
    }

    /// Lets time pass, waking the participant whenever it wants to be.
    pub(crate) fn wait(&mut self, duration: Duration) -> &mut Self {
        let end = self.now + duration;
        for wake_ups in 0.. {
            assert!(wake_ups < 10_000, "the participant is restless");
            match self.inner.poll_timeout() {
                Some((at, _)) if at <= end => {
                    self.now = self.now.max(at);
                    self.input(Input::Timeout);
                }
                _ => break,
            }
        }
        self.now = end;
        self
    }

    /// Returns the request that was made last and has not been answered, by its name.
    #[track_caller]
    pub(crate) fn pending(&mut self, name: &str) -> RequestId {
        let position = self
            .requests
            .iter()
            .rposition(|r| r.request.command.name() == name);
        let position = position.unwrap_or_else(|| panic!("no {name} under way"));
        self.requests.remove(position).id
    }

    /// Answers the latest request of the kind that `response` answers.
    #[track_caller]
    pub(crate) fn reply(&mut self, response: Response) -> &mut Self {
        let id = self.pending(match &response {
            Response::TokenGranted(_) => "request_token",
            Response::TokenRefreshed(_) => "refresh_token",
            Response::TokenReleased => "release_token",
            Response::CallAccepted(_) => "calls",
            Response::CandidateTaken => "new_candidate",
            Response::FloorChanged => "take_floor",
            Response::Acked => "ack",
            Response::UpdateAccepted(_) => "update",
            Response::CallDisconnected => "calls/…/disconnect",
            Response::ConferenceStatus(_) => "conference_status",
            Response::Participants(_) => "participants",
            Response::Dialled(_) => "dial",
            Response::StatisticsTaken => "statistics",
            Response::Done(_) => "lock",
        });
        self.input(Input::Reply(id, Ok(response)))
    }

    #[track_caller]
    pub(crate) fn grant(&mut self, token: &str, expires: Duration) -> &mut Self {
        self.reply(Response::TokenGranted(Box::new(granted(token, expires))))
    }

    #[track_caller]
    pub(crate) fn refresh(&mut self, token: &str, expires: Duration) -> &mut Self {
        let token = Token::new(token);
        self.reply(Response::TokenRefreshed(TokenRefreshed {
            token,
            expires,
            role: None,
            client_stats_update_interval: None,
        }))
    }

    #[track_caller]
    pub(crate) fn accept_call(&mut self, call: &str) -> &mut Self {
        let sdp = format!("answer {call}");
        let accepted = CallAccepted {
            call_uuid: call.into(),
            sdp,
            url: None,
            secure_url: None,
            turn: Vec::new(),
        };
        self.reply(Response::CallAccepted(accepted))
    }

    #[track_caller]
    pub(crate) fn fail(&mut self, name: &str, failure: RequestFailure) -> &mut Self {
        let id = self.pending(name);
        self.input(Input::Reply(id, Err(failure)))
    }

    #[track_caller]
    pub(crate) fn refuse(&mut self, name: &str, refusal: Refusal) -> &mut Self {
        self.fail(name, RequestFailure::Refused(refusal))
    }

    pub(crate) fn stream_input(&mut self, input: EventStreamInput) -> &mut Self {
        let stream = self.stream.expect("an event stream");
        self.input(Input::EventStream(stream, input))
    }

    pub(crate) fn event(&mut self, event: Event) -> &mut Self {
        self.stream_input(EventStreamInput::Event(event))
    }

    /// Opens the stream and sends the roster as nodes do.
    pub(crate) fn open_stream(&mut self, uuids: &[&str]) -> &mut Self {
        self.stream_input(EventStreamInput::Opened);
        self.sync(uuids)
    }

    pub(crate) fn sync(&mut self, uuids: &[&str]) -> &mut Self {
        self.event(Event::ParticipantSyncBegin);
        for uuid in uuids {
            self.event(Event::ParticipantCreate(Box::new(row(uuid))));
        }
        self.event(Event::ParticipantSyncEnd)
    }

    pub(crate) fn lose_stream(&mut self) -> &mut Self {
        self.stream_input(EventStreamInput::Ended(StreamEnd::Lost("cut".into())))
    }

    pub(crate) fn peer(&mut self, input: PeerInput) -> &mut Self {
        let peer = self.peer.expect("a peer connection");
        self.input(Input::Peer(peer, input))
    }

    pub(crate) fn leave(&mut self) -> &mut Self {
        self.input(Input::Leave(LeaveReason::Stopped))
    }

    pub(crate) fn state(&self) -> State {
        self.inner.standing().state
    }

    /// Returns how it ended, if it has.
    pub(crate) fn exit(&self) -> Option<&Exit> {
        self.notices.iter().find_map(|notice| match notice {
            Notice::Ended(exit) => Some(exit),
            _ => None,
        })
    }

    /// Returns when a timer of this kind would go off, if it is the next one.
    pub(crate) fn next_timer(&self) -> Option<(Duration, Timer)> {
        self.inner
            .poll_timeout()
            .map(|(at, timer)| (at - self.start, timer))
    }

    pub(crate) fn has_noticed(&self, is_wanted: impl Fn(&Notice) -> bool) -> bool {
        self.notices.iter().any(is_wanted)
    }
}

fn at(node: usize) -> String {
    if node == 0 {
        String::new()
    } else {
        format!(" at node {node}")
    }
}

fn request_words(outgoing: &Outgoing) -> String {
    let request = &outgoing.request;
    let token = request
        .token
        .as_ref()
        .map(|token| format!(" with {}", token.expose()));
    let rest = match &request.command {
        Command::RequestToken { pin, body } => {
            let pin = pin.as_ref().map(|pin| format!(" pin {}", pin.expose()));
            let token = body
                .token
                .as_ref()
                .map(|token| format!(" one-time {}", token.expose()));
            let extension = body
                .conference_extension
                .as_ref()
                .map(|e| format!(" to {e}"));
            [pin, token, extension].into_iter().flatten().collect()
        }
        Command::NewCandidate(_, _, candidate) if candidate.is_end() => " end".to_owned(),
        Command::NewCandidate(_, _, candidate) => format!(" {}", candidate.candidate),
        Command::Calls(_, calls) => format!(" {}", calls.sdp),
        Command::Update(_, _, update) => format!(" {}", update.sdp),
        Command::DisconnectCall(_, call) | Command::Ack(_, call) => format!(" {call}"),
        _ => String::new(),
    };
    let conference = match request.conference.as_str() {
        "meet" => String::new(),
        other => format!(" in {other}"),
    };
    let name = request.command.name();
    format!(
        "{name}{rest}{}{conference}{}",
        token.unwrap_or_default(),
        at(outgoing.node)
    )
}
