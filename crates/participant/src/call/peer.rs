//! What the peer connection says, and what the node says to it.

use super::{
    CallMachine, CallNews, Command, FLOW_PATIENCE, ICE_PATIENCE, Ice, Instant, MOST_REMOTE,
    Membership, NewCandidate, Outbox, Output, PeerCommand, PeerId, PeerInput, Restart, State,
    Timer, Update,
};

impl CallMachine {
    /// Takes what a peer connection says.
    pub(crate) fn handle_peer(
        &mut self,
        now: Instant,
        peer: PeerId,
        input: PeerInput,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        if self.peer() != Some(peer) {
            outbox.ignore("the last words of an old peer connection");
            return None;
        }
        match (input, &mut self.state) {
            (PeerInput::Offer(sdp), State::Preparing { offer, .. }) => {
                *offer = Some(sdp);
                outbox.timers.stop(Timer::Call);
                self.try_to_call(now, membership, outbox);
            }
            (PeerInput::Offer(sdp), State::Live(live)) if live.restart == Restart::Offering => {
                let (participant, call) = (membership.participant.clone(), live.call.clone());
                let update = Command::Update(participant, call, Update { sdp });
                if let Some(request) = outbox.request_as(now, membership, update) {
                    live.restart = Restart::Requested(request);
                }
            }
            (PeerInput::Candidate(candidate), _) => {
                self.candidates.push(candidate);
                self.send_candidates(now, membership, outbox);
            }
            (PeerInput::GatheringComplete { mid }, _) => {
                let end = NewCandidate {
                    candidate: String::new(),
                    mid,
                    ufrag: None,
                    pwd: None,
                };
                self.candidates.push(end);
                self.send_candidates(now, membership, outbox);
            }
            (PeerInput::IceConnected, State::Live(live)) => {
                live.ice_connected(now, membership, outbox);
            }
            (PeerInput::IceDisconnected, State::Live(live)) => {
                live.ice = Ice::Lost;
                outbox.start(Timer::Media, now, ICE_PATIENCE);
            }
            // Of the generation that is being replaced.
            (PeerInput::IceFailed, State::Live(live)) if live.restart != Restart::None => {
                outbox.ignore("ICE failed while it is being restarted");
            }
            (PeerInput::IceFailed, State::Live(live)) => {
                live.ice = Ice::Lost;
                return self.mend(
                    now,
                    "ICE found no way to the node".into(),
                    membership,
                    outbox,
                );
            }
            (PeerInput::MediaFlowing, State::Live(live)) => {
                live.media_flows(outbox);
                self.ladder.reset();
                self.back_off.reset();
                self.refusals = 0;
            }
            (PeerInput::MediaStopped, State::Live(live)) if live.flows => {
                live.flows = false;
                outbox.start(Timer::Media, now, FLOW_PATIENCE);
            }
            (PeerInput::Measured(statistics), _) => {
                self.measured(now, statistics, membership, outbox);
            }
            (PeerInput::Failed(why), _) => return self.renew(now, why, membership, outbox),
            (
                PeerInput::Offer(_)
                | PeerInput::IceConnected
                | PeerInput::IceDisconnected
                | PeerInput::IceFailed
                | PeerInput::MediaFlowing
                | PeerInput::MediaStopped,
                _,
            ) => outbox.ignore("a word of the peer connection that comes too early or too late"),
        }
        None
    }

    /// Takes a candidate of the node's.
    pub(crate) fn remote_candidate(&mut self, candidate: NewCandidate, outbox: &mut Outbox) {
        match &self.state {
            State::Live(live) => {
                outbox.push(Output::Peer(
                    live.peer,
                    PeerCommand::AddCandidate(candidate),
                ));
            }
            State::Preparing { .. } | State::Requested { .. }
                if self.remote_candidates.len() < MOST_REMOTE =>
            {
                self.remote_candidates.push(candidate);
            }
            _ => outbox.ignore("a candidate without a call"),
        }
    }
}
