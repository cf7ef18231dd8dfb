//! A small world: one conference, some participants, and what lies between them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::{Duration, Instant},
};

use infinity::{CallUuid, Command, NewCandidate, Profile, Token};
use node::{
    ConferenceSettings,
    conference::{Conference, Rules, StreamId as NodeStream},
};
use participant::{
    EventStreamCommand, EventStreamInput, Input, LeaveReason, MediaCommand, Milestone, Notice,
    Options, Outgoing, Output, Participant, PeerCommand, PeerId, PeerInput, Rejoin, RequestFailure,
    StreamEnd, StreamId,
};

mod checks;
mod misfortunes;
mod node_side;

pub(crate) use misfortunes::{Misfortunes, Withheld};

const ANSWER: &str =
    "v=0\r\nm=audio 40000 UDP/TLS/RTP/SAVPF 111\r\nm=video 40000 UDP/TLS/RTP/SAVPF 96\r\n";

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
    Request {
        from: usize,
        outgoing: Box<Outgoing>,
    },
    OpenEvents {
        from: usize,
        stream: StreamId,
        token: Token,
    },
    CloseEvents(NodeStream),
    Input {
        to: usize,
        input: Box<Input>,
    },
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
    pub(crate) withheld: Option<Withheld>,
    now: Instant,
    rng: fastrand::Rng,
    conference: Conference,
    node_is_up: bool,
    callers: Vec<Caller>,
    /// Whose stream each of the node's is, and when the last event on it arrives: they keep their
    /// order.
    streams: BTreeMap<NodeStream, (usize, StreamId, Instant)>,
    parcels: BinaryHeap<Reverse<(Instant, u64)>>,
    contents: BTreeMap<u64, Parcel>,
    sent: u64,
    has_misfortune_planned: bool,
    tally: Tally,
}

impl World {
    pub(crate) fn new(profile: Profile, callers: usize, seed: u64) -> Self {
        let now = Instant::now();
        let alias: infinity::ConferenceAlias = "meet".parse().expect("a good alias");
        let rules = Rules {
            profile,
            ..Rules::default()
        };
        let settings = ConferenceSettings::open(alias.clone());
        let conference = Conference::new(
            settings,
            rules,
            now,
            Duration::from_secs(1_700_000_000),
            seed,
        );
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
            withheld: None,
            now,
            rng: fastrand::Rng::with_seed(seed),
            conference,
            node_is_up: true,
            callers,
            streams: BTreeMap::new(),
            parcels: BinaryHeap::new(),
            contents: BTreeMap::new(),
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

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut steps_at_once = 0;
        loop {
            self.plan_misfortune();
            let parcel = self.parcels.peek().map(|Reverse((at, _))| *at);
            let node = self
                .conference
                .poll_timeout()
                .map(|(at, _)| at)
                .filter(|_| self.node_is_up);
            let caller = (0..self.callers.len())
                .filter_map(|n| Some((self.callers[n].participant.poll_timeout()?.0, n)))
                .min();
            let next = [parcel, node, caller.map(|(at, _)| at)]
                .into_iter()
                .flatten()
                .min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            steps_at_once = if next > self.now {
                0
            } else {
                steps_at_once + 1
            };
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
        self.send(
            after,
            Parcel::Input {
                to,
                input: Box::new(input),
            },
        );
    }

    fn deliver(&mut self) {
        let Some(Reverse((_, number))) = self.parcels.pop() else {
            return;
        };
        match self
            .contents
            .remove(&number)
            .expect("each parcel has its content")
        {
            Parcel::Request { from, outgoing } => self.request_arrives(from, &outgoing),
            Parcel::OpenEvents {
                from,
                stream,
                token,
            } => self.open_events(from, stream, &token),
            Parcel::CloseEvents(stream) => self.conference.events_closed(stream),
            Parcel::Input { to, input } => self.input(to, *input),
            Parcel::NodeUp => self.node_is_up = true,
            Parcel::Misfortune => self.misfortune_strikes(),
        }
    }

    fn end_stream(&mut self, node_stream: NodeStream) {
        if let Some((to, stream, _)) = self.streams.remove(&node_stream) {
            let input = EventStreamInput::Ended(StreamEnd::Lost("cut".into()));
            let after = self.latency();
            self.send_input(to, after, Input::EventStream(stream, input));
        }
    }

    fn input(&mut self, caller: usize, input: Input) {
        if let Input::Reply(id, _) = &input {
            self.callers[caller].commands.remove(id);
        }
        self.callers[caller]
            .participant
            .handle_input(self.now, input);
        while let Some(output) = self.callers[caller].participant.poll_output() {
            self.carry_out(caller, output);
        }
    }

    fn carry_out(&mut self, from: usize, output: Output) {
        match output {
            Output::Request(outgoing) => self.request(from, outgoing),
            Output::EventStream(EventStreamCommand::Open { stream, token, .. }) => {
                let after = self.latency();
                self.send(
                    after,
                    Parcel::OpenEvents {
                        from,
                        stream,
                        token,
                    },
                );
            }
            Output::EventStream(EventStreamCommand::Close(closed)) => {
                let ours = self
                    .streams
                    .iter()
                    .find(|(_, (caller, stream, _))| *caller == from && *stream == closed);
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
                self.send_input(
                    from,
                    soon,
                    Input::Peer(peer, PeerInput::Candidate(candidate)),
                );
                let complete = PeerInput::GatheringComplete { mid: "0".into() };
                self.send_input(from, 2 * soon, Input::Peer(peer, complete));
            }
            PeerCommand::AddTurnServers(_) => {}
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
        let is_withheld = match &outgoing.request.command {
            Command::RefreshToken => self.withheld == Some(Withheld::Refresh),
            Command::ReleaseToken(_) => self.withheld == Some(Withheld::Release),
            _ => false,
        };
        self.callers[from]
            .commands
            .insert(outgoing.id, outgoing.request.command.clone());
        if is_withheld || self.is_lost() {
            self.tally.lost_requests += 1;
            self.lose(from, &outgoing);
            return;
        }
        let after = self.latency();
        self.send(
            after,
            Parcel::Request {
                from,
                outgoing: Box::new(outgoing),
            },
        );
    }

    /// Has the participant learn that nothing came back.
    fn lose(&mut self, to: usize, outgoing: &Outgoing) {
        let limit = outgoing.time_limit.unwrap_or(Duration::from_secs(20));
        let (after, failure) = if self.rng.bool() {
            (limit, RequestFailure::TimedOut(limit))
        } else {
            (
                self.latency(),
                RequestFailure::Unreachable("connection reset".into()),
            )
        };
        self.send_input(to, after, Input::Reply(outgoing.id, Err(failure)));
    }
}
