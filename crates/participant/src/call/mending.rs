//! Getting media to flow again, and hanging up.

use super::{
    CallMachine, CallNews, CallUuid, Candidates, Command, Duration, FLOW_LIMIT, Instant, Live,
    MediaCommand, Membership, Notice, Outbox, Output, PeerCommand, RequestId, Restart, Rung, State,
    Timer,
};

impl CallMachine {
    /// Tries the next thing to get media to flow.
    pub(super) fn mend(
        &mut self,
        now: Instant,
        why: String,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        let takes_update = self.terms.as_ref().is_some_and(|terms| terms.takes_update);
        let can_restart = takes_update
            && matches!(&self.state, State::Live(live) if live.restart == Restart::None);
        match self.ladder.climb(can_restart) {
            Rung::RestartIce => self.restart_ice(now, why, outbox),
            Rung::NewCall => self.call_again(now, why, membership, outbox),
            Rung::NewToken => {
                self.shut_down(now, Some(membership), false, outbox);
                return Some(CallNews::Failed { why, failure: None });
            }
        }
        None
    }

    /// Tries a new call, or more if that was tried before.
    pub(super) fn renew(
        &mut self,
        now: Instant,
        why: String,
        membership: &Membership,
        outbox: &mut Outbox,
    ) -> Option<CallNews> {
        self.ladder.climbed(Rung::RestartIce);
        self.mend(now, why, membership, outbox)
    }

    pub(super) fn restart_ice(&mut self, now: Instant, why: String, outbox: &mut Outbox) {
        let State::Live(live) = &mut self.state else {
            return;
        };
        if !matches!(self.candidates, Candidates::Unused) {
            // Those of the new generation, until the node knows of it; the old ones are void.
            self.candidates = Candidates::held();
            live.candidate = None;
        }
        live.restart = Restart::Offering;
        outbox.notice(Notice::Mending {
            by: "restarting ICE",
            why,
        });
        outbox.push(Output::Peer(live.peer, PeerCommand::RestartIce));
        outbox.start(Timer::Media, now, FLOW_LIMIT);
    }

    pub(super) fn call_again(
        &mut self,
        now: Instant,
        why: String,
        membership: &Membership,
        outbox: &mut Outbox,
    ) {
        outbox.notice(Notice::Mending {
            by: "calling again",
            why,
        });
        self.shut_down(now, Some(membership), true, outbox);
    }

    pub(super) fn pause(&mut self, now: Instant, outbox: &mut Outbox) -> Duration {
        let after = self.back_off.next(&mut outbox.rng);
        outbox.start(Timer::Call, now, after);
        self.state = State::Pausing;
        after
    }

    /// Closes the peer connection and hangs up; `again`: calls again after a pause.
    pub(super) fn shut_down(
        &mut self,
        now: Instant,
        membership: Option<&Membership>,
        again: bool,
        outbox: &mut Outbox,
    ) {
        for timer in [Timer::Ack, Timer::Media, Timer::Call, Timer::Statistics] {
            outbox.timers.stop(timer);
        }
        self.candidates = Candidates::Unused;
        self.remote_candidates.clear();
        if let State::Live(Live {
            peer,
            media_started: true,
            ..
        }) = self.state
        {
            outbox.push(Output::Media(peer, MediaCommand::Stop));
        }
        if let Some(peer) = self.peer() {
            outbox.push(Output::Peer(peer, PeerCommand::Close));
        }
        match std::mem::replace(&mut self.state, State::Absent) {
            State::Requested { request, .. } => self.state = State::Orphaned { request, again },
            State::Orphaned { request, .. } => self.state = State::Orphaned { request, again },
            State::HangingUp { request } => self.state = State::HangingUp { request },
            State::Live(live) => {
                let request = membership.and_then(|m| hang_up(now, m, live.call, outbox));
                if again {
                    self.pause(now, outbox);
                } else if let Some(request) = request {
                    self.state = State::HangingUp { request };
                }
            }
            State::Absent | State::Pausing | State::Preparing { .. } => {
                if again {
                    self.pause(now, outbox);
                }
            }
        }
    }
}

pub(super) fn hang_up(
    now: Instant,
    membership: &Membership,
    call: CallUuid,
    outbox: &mut Outbox,
) -> Option<RequestId> {
    let command = Command::DisconnectCall(membership.participant.clone(), call);
    outbox.request_as(now, membership, command)
}
