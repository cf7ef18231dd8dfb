//! A world in which anything may happen at any time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use infinity::{
    CallAccepted, CallUuid, Capacity, Command, Event, NewCandidate, ParticipantRow, PinWanted,
    Refusal, Remedy, Response, Role, ServiceType, Token, TokenGranted, TokenRefreshed,
    UpdateAccepted, Version,
    event::{CallDisconnected, Disconnect, Refer},
};
use participant::{
    EventStreamCommand, EventStreamInput, Input, LeaveReason, Options, Outgoing, Output,
    Participant, PeerCommand, PeerId, PeerInput, Rejoin, RequestFailure, StreamEnd, StreamId,
};

use crate::model::Model;

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) rng: fastrand::Rng,
    pub(crate) now: Instant,
    pub(crate) participant: Participant,
    pub(crate) model: Model,
    pub(crate) requests: Vec<Outgoing>,
    pub(crate) stream: Option<StreamId>,
    pub(crate) peer: Option<PeerId>,
    pub(crate) next: usize,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        #[expect(clippy::disallowed_methods, reason = "the beginning of virtual time")]
        let now = Instant::now();
        let conference = "meet".parse().expect("a good alias");
        let options = Options {
            rejoin: *pick(
                &mut rng,
                &[Rejoin::Never, Rejoin::AfterLoss, Rejoin::Always],
            ),
            nodes: rng.usize(1..4),
            waiting_room_limit: rng.bool().then_some(Duration::from_secs(40)),
            pin: rng.bool().then(|| infinity::Pin::new("1234")),
            ..Options::new(conference, "Standin")
        };
        let participant = Participant::new(options, now, seed);
        let model = Model::default();
        let requests = Vec::new();
        Self {
            seed,
            rng,
            now,
            participant,
            model,
            requests,
            stream: None,
            peer: None,
            next: 0,
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.participant.handle_input(self.now, input);
        let mut outputs = 0;
        while let Some(output) = self.participant.poll_output() {
            outputs += 1;
            assert!(outputs < 150, "no end of outputs for one input");
            self.model.check(self.now, &output);
            match output {
                Output::Request(outgoing) => self.requests.push(outgoing),
                Output::EventStream(EventStreamCommand::Open { stream, .. }) => {
                    self.stream = Some(stream);
                }
                Output::Peer(peer, PeerCommand::Open { .. }) => self.peer = Some(peer),
                _ => {}
            }
        }
        let timeout = self.participant.poll_timeout();
        assert_eq!(
            self.participant.has_ended(),
            self.model.has_ended,
            "the end is told once, and when it comes"
        );
        if self.participant.has_ended() {
            assert_eq!(timeout, None, "a timer after the end");
        }
    }

    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut wake_ups = 0;
        while let Some((at, _)) = self.participant.poll_timeout().filter(|(at, _)| *at <= end) {
            wake_ups += 1;
            assert!(wake_ups < 2000, "the participant is restless");
            self.now = self.now.max(at);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    pub(crate) fn name(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    /// Answers one of the requests under way, well or badly.
    pub(crate) fn reply(&mut self, goes_well: bool) {
        if self.requests.is_empty() {
            return;
        }
        let outgoing = self
            .requests
            .swap_remove(self.rng.usize(..self.requests.len()));
        let reply = if goes_well || self.rng.u8(..10) < 7 {
            Ok(self.good_reply(&outgoing))
        } else {
            Err(self.failure())
        };
        self.take_note(&outgoing, &reply);
        self.input(Input::Reply(outgoing.id, reply));
    }

    pub(crate) fn take_note(
        &mut self,
        outgoing: &Outgoing,
        reply: &Result<Response, RequestFailure>,
    ) {
        let asked_at = self.model.asked_at.unwrap_or(self.now);
        let old = outgoing
            .request
            .token
            .as_ref()
            .map(|token| token.expose().to_owned());
        match (&outgoing.request.command, reply) {
            (Command::RequestToken { .. }, Ok(Response::TokenGranted(granted))) => {
                self.model.token_requests -= 1;
                let token = granted.token.expose().to_owned();
                self.model
                    .tokens
                    .insert(token.clone(), asked_at + granted.expires);
                self.model.owed.insert(token);
            }
            (Command::RefreshToken, Ok(Response::TokenRefreshed(refreshed))) => {
                self.model.token_requests -= 1;
                let token = refreshed.token.expose().to_owned();
                self.model
                    .tokens
                    .insert(token.clone(), asked_at + refreshed.expires);
                self.model.owed.remove(&old.unwrap_or_default());
                self.model.owed.insert(token);
            }
            (Command::RequestToken { .. } | Command::RefreshToken, outcome) => {
                self.model.token_requests -= 1;
                if let (Some(old), Err(failure)) = (old, outcome)
                    && matches!(failure, RequestFailure::Refused(_))
                    && !matches!(failure.remedy(), Remedy::Retry | Remedy::NextNode)
                {
                    self.model.forget(&old);
                }
            }
            (Command::Calls(..), Ok(Response::CallAccepted(accepted))) => {
                let call = accepted.call_uuid.to_string();
                let is_alive = old.is_some_and(|old| self.model.tokens[&old] > self.now);
                if self.model.calling.remove(&outgoing.id) && is_alive {
                    self.model.calls.insert(call);
                }
            }
            (Command::Ack(_, call), Err(_)) => {
                *self.model.lost_acks.entry(call.to_string()).or_default() += 1;
            }
            _ => {}
        }
    }

    pub(crate) fn good_reply(&mut self, outgoing: &Outgoing) -> Response {
        let expires = Duration::from_secs(*pick(&mut self.rng, &[5, 30, 120, 120]));
        match &outgoing.request.command {
            Command::RequestToken { .. } => {
                let token = Token::new(self.name("t"));
                let waits = self.rng.u8(..8) == 0;
                let service_type = if waits {
                    ServiceType::WaitingRoom
                } else {
                    ServiceType::Conference
                };
                Response::TokenGranted(Box::new(TokenGranted {
                    token,
                    expires,
                    participant_uuid: "us".into(),
                    display_name: String::new(),
                    version: Version {
                        version_id: (*pick(&mut self.rng, &["10", "39"])).into(),
                        pseudo_version: String::new(),
                    },
                    role: Role::Guest,
                    service_type: ServiceType::Conference,
                    current_service_type: service_type,
                    conference_name: None,
                    chat_enabled: false,
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
                }))
            }
            Command::RefreshToken => {
                let token = Token::new(self.name("t"));
                Response::TokenRefreshed(TokenRefreshed {
                    token,
                    expires,
                    role: None,
                    client_stats_update_interval: None,
                })
            }
            Command::Calls(..) => {
                let sdp = (*pick(&mut self.rng, &["v=0", "v=0", "v=0", ""])).to_owned();
                let call_uuid = CallUuid::from(self.name("c"));
                Response::CallAccepted(CallAccepted {
                    call_uuid,
                    sdp,
                    url: None,
                    secure_url: None,
                    turn: Vec::new(),
                })
            }
            Command::Update(..) => Response::UpdateAccepted(UpdateAccepted {
                call_uuid: None,
                sdp: "v=0".into(),
            }),
            Command::NewCandidate(..) => Response::CandidateTaken,
            Command::Ack(..) => Response::Acked,
            Command::DisconnectCall(..) => Response::CallDisconnected,
            Command::ReleaseToken(_) => Response::TokenReleased,
            other => panic!("a participant has no reason for {}", other.name()),
        }
    }

    pub(crate) fn failure(&mut self) -> RequestFailure {
        let pins = PinWanted {
            host_required: self.rng.bool(),
            guest_required: self.rng.bool(),
        };
        pick(
            &mut self.rng,
            &[
                RequestFailure::Unreachable("reset".into()),
                RequestFailure::Unreachable("refused".into()),
                RequestFailure::TimedOut(Duration::from_secs(10)),
                RequestFailure::Refused(Refusal::Unavailable(503)),
                RequestFailure::Refused(Refusal::InvalidToken),
                RequestFailure::Refused(Refusal::PinWanted(pins)),
                RequestFailure::Refused(Refusal::NotFound("gone".into())),
                RequestFailure::Refused(Refusal::Denied("hosts only".into())),
                RequestFailure::Refused(Refusal::CapacityReached(Capacity::Resource)),
            ],
        )
        .clone()
    }

    pub(crate) fn event(&mut self) -> Event {
        let uuid = *pick(&mut self.rng, &["us", "us", "ann", "ben"]);
        let mut row = ParticipantRow::new(uuid.into(), uuid, Role::Guest);
        row.has_media = self.rng.bool();
        row.is_muted = self.rng.bool();
        if self.rng.u8(..8) == 0 {
            row.service_type = ServiceType::WaitingRoom;
        }
        let candidate = NewCandidate {
            candidate: "x".into(),
            mid: "0".into(),
            ufrag: None,
            pwd: None,
        };
        match self.rng.u8(..30) {
            0..4 => Event::ParticipantSyncBegin,
            4..8 => Event::ParticipantSyncEnd,
            8..16 => Event::ParticipantCreate(Box::new(row)),
            16..20 => Event::ParticipantUpdate(Box::new(row)),
            20 => Event::ParticipantDelete(uuid.into()),
            21 => Event::RefreshToken,
            22 => Event::PeerDisconnect,
            23 => Event::NewCandidate(candidate),
            24 if self.rng.u8(..8) == 0 => Event::Disconnect(Disconnect {
                reason: "a host's will".into(),
            }),
            25 if self.rng.u8(..4) == 0 => Event::Refer(Refer {
                alias: "other".parse().expect("a good alias"),
                token: self.rng.bool().then(|| Token::new("once")),
            }),
            26 => Event::CallDisconnected(CallDisconnected {
                call_uuid: CallUuid::from(format!("c{}", self.next)),
                reason: String::new(),
            }),
            27 => Event::Unknown {
                name: "news".into(),
            },
            _ => Event::Ping,
        }
    }

    pub(crate) fn stream_input(&mut self) {
        let Some(stream) = self.stream else { return };
        let input = match self.rng.u8(..20) {
            0..4 => EventStreamInput::Opened,
            4 => EventStreamInput::Ended(StreamEnd::Lost("cut".into())),
            5 => EventStreamInput::Ended(StreamEnd::Refused(Refusal::InvalidToken)),
            6 => EventStreamInput::Alive,
            _ => EventStreamInput::Event(self.event()),
        };
        if matches!(input, EventStreamInput::Ended(_)) {
            self.model.open_streams.remove(&stream);
        }
        self.input(Input::EventStream(stream, input));
    }

    pub(crate) fn peer_input(&mut self) {
        let Some(peer) = self.peer else { return };
        let candidate = NewCandidate {
            candidate: "x".into(),
            mid: "0".into(),
            ufrag: None,
            pwd: None,
        };
        let input = match self.rng.u8(..20) {
            0..5 => PeerInput::Offer("v=0".into()),
            5..8 => PeerInput::Candidate(candidate),
            8 => PeerInput::GatheringComplete { mid: "0".into() },
            9..12 => PeerInput::IceConnected,
            12 => PeerInput::IceDisconnected,
            13 => PeerInput::IceFailed,
            14..18 => PeerInput::MediaFlowing,
            18 => PeerInput::MediaStopped,
            _ => PeerInput::Failed("gone".into()),
        };
        self.input(Input::Peer(peer, input));
    }

    pub(crate) fn step(&mut self) {
        match self.rng.u8(..20) {
            0..6 => self.reply(false),
            6..11 => self.stream_input(),
            11..15 => self.peer_input(),
            15 => self.input(Input::Timeout),
            16 => {
                let seconds = self.rng.u64(..40);
                self.wait(Duration::from_secs(seconds));
            }
            _ => {
                let milliseconds = self.rng.u64(..1500);
                self.wait(Duration::from_millis(milliseconds));
            }
        }
    }

    /// Leaves, with everything answered well within the time there is, and settles the accounts.
    pub(crate) fn leave(&mut self) {
        self.input(Input::Leave(LeaveReason::Stopped));
        let start = self.now;
        while !self.participant.has_ended() {
            assert!(self.now - start < Duration::from_secs(10), "never left");
            self.reply(true);
            self.wait(Duration::from_millis(50));
        }
        self.model.settle(self.now);
        assert!(
            self.model.open_peers.is_empty(),
            "a peer connection was left open"
        );
        assert!(
            self.model.open_streams.is_empty(),
            "an event stream was left open"
        );
    }

    pub(crate) fn run(mut self) -> BTreeMap<&'static str, usize> {
        /// Prints the seed when the world it is of comes to a bad end.
        struct Seed(u64);
        impl Drop for Seed {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    #[expect(clippy::print_stderr, reason = "the seed is what to look for")]
                    {
                        eprintln!("the failing seed is SEED={}", self.0);
                    }
                }
            }
        }
        let _seed = Seed(self.seed);
        if self.rng.u8(..20) > 0 {
            self.input(Input::Join);
        }
        for _ in 0..self.rng.usize(1..400) {
            self.step();
            if self.participant.has_ended() {
                break;
            }
        }
        self.leave();
        self.model.counts
    }
}

pub(crate) fn pick<'a, T>(rng: &mut fastrand::Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}
