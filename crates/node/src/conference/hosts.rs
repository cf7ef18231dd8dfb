//! What only hosts may do.

use infinity::{Event, ParticipantUuid, Refusal, Response};

use super::Conference;
use super::effect::Effect;
use crate::room::Admission;

/// What a participant is told whom a host has removed.
const REMOVED: &str = "API initiated participant disconnect";

/// What everybody is told when a host has ended the conference.
const ENDED: &str = "API initiated conference disconnect";

impl Conference {
    /// Does `what` if `me` is a host.
    pub(super) fn host_only<T: Into<Done>>(
        &mut self,
        me: &ParticipantUuid,
        what: impl FnOnce(&mut Self) -> T,
    ) -> Result<Response, Refusal> {
        let me = self.find(me)?;
        if !me.is_host() || me.admission == Admission::Waiting {
            return Err(Refusal::Denied("Host privileges are required".to_owned()));
        }
        what(self).into().0
    }

    pub(super) fn set_locked(&mut self, locked: bool) {
        self.locked = locked;
        self.send_to_all(Event::ConferenceUpdate(self.status()));
        if !locked {
            self.admit_all();
        }
    }

    pub(super) fn set_guests_muted(&mut self, muted: bool) {
        self.guests_muted = muted;
        self.send_to_all(Event::ConferenceUpdate(self.status()));
        let guests = self
            .participants
            .iter()
            .filter(|one| !(one.is_host() || muted && one.is_spared));
        for who in guests.map(|one| one.uuid.clone()).collect::<Vec<_>>() {
            self.set_muted(&who, muted);
            if let Ok(guest) = self.find(&who) {
                guest.is_spared = false;
            }
        }
    }

    pub(super) fn mute_participant(
        &mut self,
        who: &ParticipantUuid,
        muted: bool,
    ) -> Result<Response, Refusal> {
        let guests_muted = self.guests_muted;
        let one = self.find(who)?;
        one.is_spared = !muted && guests_muted && !one.is_host();
        self.set_muted(who, muted);
        Ok(Response::Done(true))
    }

    fn set_muted(&mut self, who: &ParticipantUuid, muted: bool) {
        let Ok(participant) = self.find(who) else {
            return;
        };
        if participant.is_muted != muted {
            participant.is_muted = muted;
            let silenced = participant.is_silenced();
            self.effects
                .push_back(Effect::SetMuted(who.clone(), silenced));
            self.announce(who);
        }
    }

    pub(super) fn admit_participant(&mut self, who: &ParticipantUuid) -> Result<Response, Refusal> {
        let waits = self.find(who)?.admission == Admission::Waiting;
        if waits {
            self.admit(who);
        }
        Ok(Response::Done(true))
    }

    pub(super) fn disconnect_participant(
        &mut self,
        who: &ParticipantUuid,
    ) -> Result<Response, Refusal> {
        self.find(who)?;
        self.remove(who, Some(REMOVED));
        Ok(Response::Done(true))
    }

    pub(super) fn disconnect_all(&mut self) {
        for who in self
            .participants
            .iter()
            .map(|one| one.uuid.clone())
            .collect::<Vec<_>>()
        {
            self.remove(&who, Some(ENDED));
        }
    }
}

/// What a host's request comes to: most cannot fail.
pub(super) struct Done(Result<Response, Refusal>);

impl From<()> for Done {
    fn from((): ()) -> Self {
        Self(Ok(Response::Done(true)))
    }
}

impl From<Result<(), Refusal>> for Done {
    fn from(result: Result<(), Refusal>) -> Self {
        Self(result.map(|()| Response::Done(true)))
    }
}

impl From<Result<Response, Refusal>> for Done {
    fn from(result: Result<Response, Refusal>) -> Self {
        Self(result)
    }
}
