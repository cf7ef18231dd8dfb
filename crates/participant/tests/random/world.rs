//! A world in which anything may happen at any time.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use infinity::{Command, NewCandidate, Refusal, Remedy, Response};
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
