//! What the node answers to the requests of a call.

use super::{
    ACK_LIMIT, Ack, CallAccepted, CallMachine, CallNews, FLOW_LIMIT, Ice, Instant, Live,
    MOST_FAILURES, Membership, Milestone, Notice, Outbox, Output, PeerCommand, PeerId, Refusal,
    Remedy, RequestFailure, RequestId, Response, Restart, Rung, State, Timer, TurnServer, hang_up,
};

type Reply = Result<Response, RequestFailure>;

impl CallMachine {
    /// Takes a reply; hands it back if it is not to a request of this machine's.
    pub(crate) fn handle_reply(
        &mut self,
        now: Instant,
        id: RequestId,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Result<Option<CallNews>, Reply> {
        match &mut self.state {
            State::Requested { peer, request } if *request == id => {
                let peer = *peer;
                Ok(self.called(now, peer, reply, membership, outbox))
            }
            State::Orphaned { request, again } if *request == id => {
                let again = *again;
                self.orphan_called(now, again, reply, membership, outbox);
                Ok(None)
            }
            State::HangingUp { request } if *request == id => {
                self.state = State::Absent;
                Ok(None)
            }
            State::Live(live) if live.ack == Ack::Sent(id) => {
                Ok(self.acked(now, reply, membership, outbox))
            }
            State::Live(live) if live.restart == Restart::Requested(id) => {
                live.restart = Restart::None;
                Ok(self.updated(now, reply, membership, outbox))
            }
            State::Live(live) if live.candidate == Some(id) => {
                live.candidate = None;
                Ok(self.candidate_taken(now, reply, membership, outbox))
            }
            _ => Err(reply),
        }
    }

    fn called(
        &mut self,
        now: Instant,
        peer: PeerId,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        match reply {
            Ok(Response::CallAccepted(accepted)) => {
                self.answered(now, peer, accepted, membership, outbox)
            }
            Ok(_) => {
                let why = "the answer of another request".to_owned();
                self.state = State::Preparing { peer, offer: None };
                self.renew(now, why, membership, outbox)
            }
            Err(failure) => self.call_failed(now, peer, failure, outbox),
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        peer: PeerId,
        accepted: CallAccepted,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        let live = Live::new(peer, accepted.call_uuid.clone());
        self.state = State::Live(live);
        self.add_turn_servers(peer, &accepted.turn, outbox);
        let sdp = match accepted.answer() {
            Ok(sdp) => sdp.to_owned(),
            Err(empty) => {
                self.ladder.climbed(Rung::NewToken);
                return self.mend(now, empty.to_string(), membership, outbox);
            }
        };
        outbox.milestone(Milestone::Answered {
            call: accepted.call_uuid,
        });
        outbox.push(Output::Peer(peer, PeerCommand::SetAnswer(sdp)));
        for candidate in self.remote_candidates.drain(..) {
            outbox.push(Output::Peer(peer, PeerCommand::AddCandidate(candidate)));
        }
        outbox.start(Timer::Ack, now, ACK_LIMIT);
        outbox.start(Timer::Media, now, FLOW_LIMIT);
        self.candidates.release();
        self.send_candidates(now, membership, outbox);
        None
    }

    /// Takes the TURN servers that the node names with its answer: a fallback, for when ICE has
    /// found no way by the time of `ack`. A later call begins with them.
    fn add_turn_servers(&mut self, peer: PeerId, servers: &[TurnServer], outbox: &mut Outbox) {
        let Some(terms) = &mut self.terms else { return };
        let mut new = servers.to_vec();
        new.retain(|server| !terms.ice.turn.contains(server));
        if new.is_empty() {
            return;
        }
        terms.ice.turn.extend(new.iter().cloned());
        if let State::Live(live) = &mut self.state {
            live.has_untried_servers = terms.takes_update;
            outbox.push(Output::Peer(peer, PeerCommand::AddTurnServers(new)));
        }
    }

    fn call_failed(
        &mut self,
        now: Instant,
        peer: PeerId,
        failure: RequestFailure,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        outbox.push(Output::Peer(peer, PeerCommand::Close));
        self.state = State::Absent;
        if let RequestFailure::Refused(refusal) = &failure {
            self.refusals += 1;
            let may_pass = matches!(
                refusal.remedy(),
                Remedy::Retry | Remedy::NextNode | Remedy::JoinAgain
            );
            if !may_pass || self.refusals > MOST_FAILURES {
                let why = failure.to_string();
                return Some(CallNews::Failed {
                    why,
                    failure: Some(failure),
                });
            }
        }
        let is_token_doubted = is_token_doubted(&failure);
        let after = self.pause(now, outbox);
        outbox.notice(Notice::Retrying {
            request: "calls",
            failure,
            after,
        });
        is_token_doubted.then_some(CallNews::TokenDoubted)
    }

    /// Takes the answer to a `calls` whose peer connection is gone.
    fn orphan_called(
        &mut self,
        now: Instant,
        again: bool,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        self.state = State::Absent;
        let request = match reply {
            Ok(Response::CallAccepted(accepted)) => {
                hang_up(now, membership, accepted.call_uuid, outbox)
            }
            Ok(_) | Err(_) => None,
        };
        if again {
            self.pause(now, outbox);
        } else if let Some(request) = request {
            self.state = State::HangingUp { request };
        }
    }

    fn acked(
        &mut self,
        now: Instant,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        let State::Live(live) = &mut self.state else {
            return None;
        };
        let Err(failure) = reply else {
            live.ack = Ack::Done;
            outbox.milestone(Milestone::Acked);
            let helps = live.ice != Ice::Connected && live.restart == Restart::None;
            if std::mem::take(&mut live.has_untried_servers) && helps {
                let why = "no way without the TURN servers named with the answer";
                self.restart_ice(now, why.to_owned(), outbox);
            }
            return None;
        };
        live.lost_acks += 1;
        let may_pass = failure.is_of_the_network() || is_token_doubted(&failure);
        if !may_pass || live.lost_acks > MOST_FAILURES {
            let why = format!("the node does not take our ack: {failure}");
            return self.renew(now, why, membership, outbox);
        }
        let is_token_doubted = is_token_doubted(&failure);
        let after = self.back_off.next(&mut outbox.rng);
        live.ack = Ack::Due;
        outbox.start(Timer::Ack, now, after);
        outbox.notice(Notice::Retrying {
            request: "ack",
            failure,
            after,
        });
        is_token_doubted.then_some(CallNews::TokenDoubted)
    }

    fn updated(
        &mut self,
        now: Instant,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        let State::Live(live) = &self.state else {
            return None;
        };
        let why = match reply {
            Ok(Response::UpdateAccepted(accepted)) if !accepted.sdp.trim().is_empty() => {
                outbox.push(Output::Peer(
                    live.peer,
                    PeerCommand::SetAnswer(accepted.sdp),
                ));
                outbox.start(Timer::Media, now, FLOW_LIMIT);
                self.candidates.release();
                self.send_candidates(now, membership, outbox);
                return None;
            }
            Ok(_) => "the node answered the new offer without SDP".to_owned(),
            Err(failure) => format!("the node does not take a new offer: {failure}"),
        };
        self.mend(now, why, membership, outbox)
    }

    fn candidate_taken(
        &mut self,
        now: Instant,
        reply: Reply,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        let State::Live(live) = &mut self.state else {
            return None;
        };
        match reply {
            Err(failure) if failure.is_of_the_network() && !live.is_second_try => {
                live.is_second_try = true;
                self.candidates.repeat();
            }
            // The node knows no such request. It can still find us: our checks reach it.
            Err(RequestFailure::Refused(
                Refusal::NotFound(_) | Refusal::NoSuchNode | Refusal::NoSuchConference,
            )) => self.candidates.unused(),
            Ok(_) | Err(_) => {
                live.is_second_try = false;
                self.candidates.done();
            }
        }
        self.send_candidates(now, membership, outbox);
        None
    }
}

fn is_token_doubted(failure: &RequestFailure) -> bool {
    matches!(failure, RequestFailure::Refused(refusal) if refusal.remedy() == Remedy::JoinAgain)
}
