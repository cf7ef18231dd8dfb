//! Everything that happens because time has passed.

use std::time::{Duration, Instant};

use infinity::{Event, ParticipantUuid};

use super::effect::{Effect, Timer};
use super::{Conference, Rules};
use crate::fault::Fault;
use crate::room::Admission;

/// How often event streams show that they live. No interval is published; proxies cut at 30 s.
pub(super) const PING_EVERY: Duration = Duration::from_secs(10);

/// When [`Fault::PeerDisconnect`] and [`Fault::CallDisconnected`] strike, from the first ack.
const FIRST_CALL_ENDS_AFTER: Duration = Duration::from_secs(3);

/// What a participant is told whose first call is hung up on purpose.
const HUNG_UP: &str = "Call disconnected";

/// How often [`Fault::Restart`] strikes while somebody is here.
const RESTART_EVERY: Duration = Duration::from_secs(10);

/// What a participant is told whose token expired.
const EXPIRED: &str = "Timer expired awaiting token refresh";

/// What a guest is told who waited in vain.
const NO_HOST: &str =
    "Timeout waiting for conference host to join or permit access to locked conference";

/// How long tokens really live.
pub(super) fn real_token_life(rules: &Rules) -> Duration {
    if rules.faults.has(Fault::ExpireEarly) {
        rules.token_life / 4
    } else {
        rules.token_life
    }
}

/// Whether refreshing is refused on purpose.
pub(super) fn refuses_refresh(rules: &Rules) -> bool {
    rules.faults.has(Fault::Refresh403)
}

pub(super) fn arm_restart(conference: &mut Conference, now: Instant) {
    if conference.rules.faults.has(Fault::Restart) {
        conference.restart.get_or_insert(now + RESTART_EVERY);
    }
}

pub(super) fn arm_end_of_first_call(
    conference: &mut Conference,
    now: Instant,
    who: &ParticipantUuid,
) {
    let faults = &conference.rules.faults;
    if !faults.has(Fault::PeerDisconnect) && !faults.has(Fault::CallDisconnected) {
        return;
    }
    if let Ok(participant) = conference.find(who)
        && !participant.first_call_ended
    {
        participant.first_call_ended = true;
        participant.first_call_ends = Some(now + FIRST_CALL_ENDS_AFTER);
    }
}

impl Conference {
    /// Returns when to call [`Self::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, Timer)> {
        let waiting = self
            .participants
            .iter()
            .filter(|one| one.admission == Admission::Waiting);
        let waiting = waiting
            .map(|one| one.joined + self.rules.waiting_room_life)
            .min();
        let first_call_ends = self
            .participants
            .iter()
            .filter_map(|one| one.first_call_ends)
            .min();
        [
            (self.tokens.next_expiry(), Timer::TokenExpiry),
            (waiting, Timer::WaitingRoom),
            (self.streams.next_ping, Timer::Ping),
            (first_call_ends, Timer::EndOfFirstCall),
            (self.next_far_end(), Timer::FarEnd),
            (self.restart, Timer::Restart),
        ]
        .into_iter()
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min_by_key(|(at, _)| *at)
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.restart.is_some_and(|at| at <= now) {
            self.forget_everything();
            return;
        }
        for who in self.due(
            |one, rules| {
                (one.admission == Admission::Waiting).then(|| one.joined + rules.waiting_room_life)
            },
            now,
        ) {
            self.remove(&who, Some(NO_HOST));
        }
        for who in self.tokens.expired(now) {
            self.remove(&who, Some(EXPIRED));
        }
        for who in self.due(|one, _| one.first_call_ends, now) {
            self.end_first_call(&who);
        }
        self.hear_far_ends(now);
        if self.streams.next_ping.is_some_and(|at| at <= now) {
            self.streams.next_ping = Some(now + PING_EVERY);
            self.send_to_all(Event::Ping);
        }
    }

    /// Ends the first call of a participant as the faults have it.
    fn end_first_call(&mut self, who: &ParticipantUuid) {
        let Ok(participant) = self.find(who) else {
            return;
        };
        participant.first_call_ends = None;
        let call = participant.main_call();
        if self.rules.faults.has(Fault::PeerDisconnect) {
            self.send(self.streams.of(who), Event::PeerDisconnect);
        } else if let Some(call) = call {
            self.call_failed(&call, HUNG_UP);
        }
    }

    fn due(
        &self,
        at: impl Fn(&super::Participant, &Rules) -> Option<Instant>,
        now: Instant,
    ) -> Vec<ParticipantUuid> {
        let due = self
            .participants
            .iter()
            .filter(|one| at(one, &self.rules).is_some_and(|at| at <= now));
        due.map(|one| one.uuid.clone()).collect()
    }

    /// What a restart of the node leaves of a conference: nothing, and nobody is told.
    pub fn forget_everything(&mut self) {
        for stream in self.streams.all() {
            self.streams.forget(stream);
            self.effects.push_back(Effect::CloseStream(stream));
        }
        for gone in std::mem::take(&mut self.participants) {
            self.tokens.forget(&gone.uuid);
            self.effects
                .extend(gone.calls.into_iter().map(|call| Effect::HangUp(call.uuid)));
            self.effects.push_back(Effect::Forget(gone.uuid));
        }
        self.end();
    }
}
