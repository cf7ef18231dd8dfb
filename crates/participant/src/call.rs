//! Our call: from the offer to the last packet.

use std::time::{Duration, Instant};

use infinity::{
    CallAccepted, CallUuid, Calls, Command, MediaType, NewCandidate, Refusal, Remedy, Response,
    TokenGranted, TurnServer, Update,
};

use crate::{
    Gather, IceServers, MediaCommand, Milestone, Notice, Output, PeerCommand, PeerId, PeerInput,
    RequestFailure, RequestId, Timer,
    back_off::BackOff,
    candidates::Candidates,
    ladder::{Ladder, Rung},
    outbox::Outbox,
    token::Membership,
};

mod live;
mod mending;
mod peer;
mod replies;

use live::{Ack, Ice, Live, Restart};
use mending::hang_up;

/// How long an offer may take: gathering waits for STUN servers that do not answer.
const OFFER_LIMIT: Duration = Duration::from_secs(20);
/// How long after the answer `ack` is sent, whatever ICE says.
const ACK_LIMIT: Duration = Duration::from_secs(1);
/// How long media may take to flow, after the answer or after ICE has found its way.
const FLOW_LIMIT: Duration = Duration::from_secs(15);
/// How long ICE may look for its way again by itself.
const ICE_PATIENCE: Duration = Duration::from_secs(5);
/// How long media that flowed may stop.
const FLOW_PATIENCE: Duration = Duration::from_secs(10);
/// How often the node may refuse a call, or its `ack` be lost, before something else is tried.
const MOST_FAILURES: u32 = 3;
/// How many candidates of the node's are kept until the answer is there.
const MOST_REMOTE: usize = 64;

/// Our call.
///
/// | In            | On                              | Go            | Do                          |
/// |---------------|---------------------------------|---------------|-----------------------------|
/// | `Absent`      | there is a token                | `Preparing`   | open the peer               |
/// | `Preparing`   | the offer, and events are open  | `Requested`   | `calls`                     |
/// | `Requested`   | answer                          | `Live`        | set it; candidates flow     |
/// | `Requested`   | refused, may pass               | `Pausing`     | close the peer, back off    |
/// | `Requested`   | refused, final                  | `Absent`      | say so                      |
/// | `Live`        | ICE connected, or 1 s passed    | `Live`        | `ack`                       |
/// | `Live`        | `ack` sent and ICE connected    | `Live`        | media starts                |
/// | `Live`        | `ack` taken, ICE has no way yet, | `Live`        | restart ICE by `update`     |
/// |               | TURN servers came with answer   |               |                             |
/// | `Live`        | ICE failed, media does not flow | `Live`        | restart ICE by `update`     |
/// | `Live`        | the same again, or no `update`  | `Pausing`     | hang up, close the peer     |
/// | `Pausing`     | the pause is over               | `Preparing`   | open a peer                 |
/// | any           | media did not flow after that   | `Absent`      | say so: a new token         |
/// | `Requested`   | close                           | `Orphaned`    | –                           |
/// | `Orphaned`    | answer                          | `HangingUp`   | `calls/…/disconnect`        |
/// | `Live`        | close                           | `HangingUp`   | `calls/…/disconnect`        |
/// | `HangingUp`   | any reply                       | `Absent`      | –                           |
#[derive(Debug)]
enum State {
    Absent,
    Pausing,
    Preparing {
        peer: PeerId,
        offer: Option<String>,
    },
    Requested {
        peer: PeerId,
        request: RequestId,
    },
    Live(Live),
    /// The peer is gone while `calls` is under way; `again`: another call is wanted afterwards.
    Orphaned {
        request: RequestId,
        again: bool,
    },
    HangingUp {
        request: RequestId,
    },
}

/// What the rest of the participant must know.
#[derive(Debug)]
pub(crate) enum CallNews {
    /// The node says that our token is not good.
    TokenDoubted,
    /// No call is to be had with this token.
    Failed {
        why: String,
        /// What the node answered, where it was the node.
        failure: Option<RequestFailure>,
    },
}

/// What the node said about calls when it gave us the token.
#[derive(Debug)]
struct Terms {
    ice: IceServers,
    gather: Gather,
    media_type: Option<MediaType>,
    bandwidth_out: Option<u32>,
    takes_update: bool,
}

#[derive(Debug)]
pub(crate) struct CallMachine {
    state: State,
    terms: Option<Terms>,
    events_are_open: bool,
    candidates: Candidates,
    remote_candidates: Vec<NewCandidate>,
    ladder: Ladder,
    back_off: BackOff,
    refusals: u32,
}

impl CallMachine {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Absent,
            terms: None,
            events_are_open: false,
            candidates: Candidates::Unused,
            remote_candidates: Vec::new(),
            ladder: Ladder::default(),
            back_off: BackOff::new(Duration::from_millis(500), Duration::from_secs(15)),
            refusals: 0,
        }
    }

    /// Returns whether media flows.
    pub(crate) fn flows(&self) -> bool {
        matches!(&self.state, State::Live(live) if live.flows)
    }

    /// Returns whether all is well with the call except that no media flows.
    pub(crate) fn is_only_silent(&self) -> bool {
        matches!(&self.state, State::Live(live) if live.ice == Ice::Connected && !live.flows)
    }

    /// Waits for media for another while.
    pub(crate) fn wait_for_media(&mut self, now: Instant, outbox: &mut Outbox) {
        outbox.start(Timer::Media, now, FLOW_LIMIT);
    }

    /// Returns whether a request is under way that must be waited for before leaving.
    pub(crate) fn is_parting(&self) -> bool {
        matches!(self.state, State::Orphaned { .. } | State::HangingUp { .. })
    }

    /// Begins with a new token.
    pub(crate) fn start(&mut self, now: Instant, granted: &TokenGranted, outbox: &mut Outbox) {
        *self = Self::new();
        self.terms = Some(Terms {
            ice: IceServers {
                stun: granted.stun.clone(),
                turn: granted.turn.clone(),
                relay_only: granted.use_relay_candidates_only,
            },
            gather: if granted.trickles() {
                Gather::Trickle
            } else {
                Gather::First
            },
            media_type: granted.call_type.clone(),
            bandwidth_out: granted.bandwidth_out,
            takes_update: granted.takes_update(),
        });
        self.prepare(now, outbox);
    }

    /// Takes note that the event stream is open: what the node says of the call will be heard.
    pub(crate) fn events_opened(
        &mut self,
        now: Instant,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        self.events_are_open = true;
        self.try_to_call(now, membership, outbox);
    }

    /// Takes a timer of its own.
    pub(crate) fn handle_timer(
        &mut self,
        now: Instant,
        timer: Timer,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        match (timer, &mut self.state) {
            (Timer::Call, State::Pausing) => {
                self.prepare(now, outbox);
                None
            }
            (Timer::Call, State::Preparing { .. }) => self.mend(
                now,
                "the offer was not ready in time".into(),
                membership,
                outbox,
            ),
            (Timer::Ack, State::Live(live)) => {
                live.send_ack(now, membership, outbox);
                None
            }
            (Timer::Media, State::Live(live)) => {
                let why = live.what_is_missing().to_owned();
                self.mend(now, why, membership, outbox)
            }
            _ => None,
        }
    }

    /// Takes note that the node has hung up `call`; nothing: whichever we have.
    pub(crate) fn hung_up(
        &mut self,
        now: Instant,
        call: Option<&CallUuid>,
        why: String,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        match &self.state {
            State::Live(live) if call.is_none_or(|call| *call == live.call) => {
                self.renew(now, why, membership, outbox)
            }
            _ => {
                outbox.ignore("the end of a call that we do not have");
                None
            }
        }
    }

    /// Closes the peer connection and hangs up, for good.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        membership: Option<&Membership>,
        outbox: &mut Outbox,
    ) {
        self.shut_down(now, membership, false, outbox);
        self.terms = None;
    }

    /// Gives up waiting for the replies to what [`Self::close`] asked for.
    pub(crate) fn abandon(&mut self) {
        self.state = State::Absent;
    }

    fn peer(&self) -> Option<PeerId> {
        match &self.state {
            State::Preparing { peer, .. } | State::Requested { peer, .. } => Some(*peer),
            State::Live(live) => Some(live.peer),
            State::Absent | State::Pausing | State::Orphaned { .. } | State::HangingUp { .. } => {
                None
            }
        }
    }

    fn prepare(&mut self, now: Instant, outbox: &mut Outbox) {
        let Some(terms) = &self.terms else { return };
        let peer = PeerId(outbox.id());
        self.candidates = match terms.gather {
            Gather::First => Candidates::Unused,
            Gather::Trickle => Candidates::held(),
        };
        self.remote_candidates.clear();
        outbox.push(Output::Peer(
            peer,
            PeerCommand::Open {
                ice: terms.ice.clone(),
                gather: terms.gather,
                media_type: terms.media_type.clone(),
                bandwidth_out: terms.bandwidth_out,
            },
        ));
        outbox.start(Timer::Call, now, OFFER_LIMIT);
        self.state = State::Preparing { peer, offer: None };
    }

    fn try_to_call(&mut self, now: Instant, membership: &Membership, outbox: &mut Outbox) {
        let State::Preparing { peer, offer } = &mut self.state else {
            return;
        };
        if !self.events_are_open {
            return;
        }
        let Some(sdp) = offer.take() else { return };
        let command = Command::Calls(membership.participant.clone(), Calls::offer(sdp));
        if let Some(request) = outbox.request_as(now, membership, command) {
            self.state = State::Requested {
                peer: *peer,
                request,
            };
            outbox.milestone(Milestone::Offered);
        }
    }

    fn send_candidates(&mut self, now: Instant, membership: &Membership, outbox: &mut Outbox) {
        let State::Live(live) = &mut self.state else {
            return;
        };
        let Some(candidate) = self.candidates.next() else {
            return;
        };
        let (participant, call) = (membership.participant.clone(), live.call.clone());
        let command = Command::NewCandidate(participant, call, candidate);
        live.candidate = outbox.request_as(now, membership, command);
    }
}
