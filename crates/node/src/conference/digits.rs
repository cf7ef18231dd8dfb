//! Telephone keys, pressed towards a participant or through a gateway.

use infinity::{CallUuid, Digits, ParticipantUuid, Refusal, Response};

use super::Conference;
use super::dialling::FarEnd;
use super::effect::Effect;
use crate::conference_settings::Service;

impl Conference {
    /// Presses keys towards a participant. A far end plays them back; to others there is no way
    /// yet but this request.
    pub(super) fn press(
        &mut self,
        who: &ParticipantUuid,
        digits: &Digits,
    ) -> Result<Response, Refusal> {
        match &self.find(who)?.far_end {
            Some(far_end) if far_end.is_connecting() => return Err(not_answered()),
            Some(_) => self
                .effects
                .push_back(Effect::PlayDigits(who.clone(), digits.clone())),
            None => {}
        }
        Ok(Response::Done(true))
    }

    /// Presses keys towards the far end of a gateway call. A conference has none.
    pub(super) fn press_in_call(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
        digits: &Digits,
    ) -> Result<Response, Refusal> {
        self.own_call(me, who, call)?;
        if !matches!(self.settings.service, Service::Gateway(_)) {
            return Err(Refusal::Denied("Not a gateway call".to_owned()));
        }
        let far_end = self.participants.iter().find(|one| {
            one.far_end
                .as_ref()
                .is_some_and(|far_end| !FarEnd::is_connecting(far_end))
        });
        let far_end = far_end.ok_or_else(not_answered)?.uuid.clone();
        self.effects
            .push_back(Effect::PlayDigits(far_end, digits.clone()));
        Ok(Response::Done(true))
    }
}

fn not_answered() -> Refusal {
    Refusal::Denied("The far end has not answered".to_owned())
}
