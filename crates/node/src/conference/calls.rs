//! Calls: the media legs of participants.

use std::time::Instant;

use infinity::event::{CallDisconnected, StageEntry};
use infinity::{
    CallAccepted, CallType, CallUuid, Calls, Event, NewCandidate, ParticipantUuid, Present,
    Refusal, Response, Update, UpdateAccepted,
};

use super::effect::Effect;
use super::participant::{Call, CallState};
use super::{Conference, timers};

/// So many calls has a participant at a time and no more: its own, and one each way for
/// presentations; a fourth for one that is about to take another's place.
const CALLS_AT_MOST: usize = 4;

/// What the room's media is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum RoomRequest {
    /// Answer an offer; the answer goes to [`Conference::call_answered`], or a refusal to
    /// [`Conference::call_refused`].
    Call {
        /// Whose call.
        participant: ParticipantUuid,
        /// The call.
        call: CallUuid,
        /// The offer (RFC 8866).
        offer: String,
        /// What the call does with the presentation.
        present: Option<Present>,
    },
    /// Answer a new offer in a call that is there; the answer goes to [`Conference::update_answered`].
    Update {
        /// The call.
        call: CallUuid,
        /// The offer.
        offer: String,
    },
    /// Take a candidate; the answer is [`Response::CandidateTaken`].
    Candidate {
        /// The call.
        call: CallUuid,
        /// The candidate.
        candidate: NewCandidate,
    },
}

impl Conference {
    pub(super) fn call(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        body: &Calls,
    ) -> Result<RoomRequest, Refusal> {
        self.own(me, who)?;
        if body.call_type != CallType::Webrtc {
            return Err(bad_request(format!(
                "call_type {:?} is not served here",
                body.call_type.as_str()
            )));
        }
        if body.sdp.trim().is_empty() {
            return Err(bad_request("sdp is missing".to_owned()));
        }
        if self.find(who)?.calls.len() >= CALLS_AT_MOST {
            return Err(Refusal::Denied(
                "Too many calls of one participant".to_owned(),
            ));
        }
        let call = CallUuid::from(self.new_uuid());
        self.find(who)?.calls.push(Call {
            uuid: call.clone(),
            state: CallState::Offered,
            has_video: false,
            present: body.present.clone(),
        });
        let (participant, offer, present) = (who.clone(), body.sdp.clone(), body.present.clone());
        Ok(RoomRequest::Call {
            participant,
            call,
            offer,
            present,
        })
    }

    /// Takes the room's answer to an offer.
    ///
    /// # Errors
    /// When the participant has gone in the meantime, or hung up.
    pub fn call_answered(
        &mut self,
        participant: &ParticipantUuid,
        call: &CallUuid,
        answer: String,
    ) -> Result<Response, Refusal> {
        let owner = self.find(participant).ok();
        let Some(owner) = owner.filter(|owner| owner.call(call).is_some()) else {
            self.effects.push_back(Effect::HangUp(call.clone()));
            return Err(no_such_call());
        };
        let replaced = owner.answered(call, takes_video(&answer));
        self.effects
            .extend(replaced.into_iter().map(Effect::HangUp));
        self.announce(participant);
        Ok(Response::CallAccepted(CallAccepted {
            call_uuid: call.clone(),
            sdp: answer,
            url: None,
            secure_url: None,
            turn: self.rules.ice_servers.turn_with_calls.clone(),
        }))
    }

    /// Takes note that the room could not answer an offer.
    pub fn call_refused(&mut self, participant: &ParticipantUuid, call: &CallUuid) {
        if let Ok(participant) = self.find(participant) {
            participant.calls.retain(|one| one.uuid != *call);
        }
    }

    pub(super) fn update(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
        body: &Update,
    ) -> Result<RoomRequest, Refusal> {
        self.own_call(me, who, call)?;
        if body.sdp.trim().is_empty() {
            return Err(bad_request("sdp is missing".to_owned()));
        }
        Ok(RoomRequest::Update {
            call: call.clone(),
            offer: body.sdp.clone(),
        })
    }

    /// Takes the room's answer to a new offer.
    pub fn update_answered(&mut self, call: &CallUuid, answer: String) -> Response {
        let owner = self
            .participants
            .iter_mut()
            .find(|participant| participant.call(call).is_some());
        if let Some(owner) = owner {
            let who = owner.uuid.clone();
            if let Some(call) = owner.call_mut(call) {
                call.has_video = takes_video(&answer);
            }
            self.announce(&who);
        }
        Response::UpdateAccepted(UpdateAccepted {
            call_uuid: Some(call.clone()),
            sdp: answer,
        })
    }

    pub(super) fn new_candidate(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
        body: &NewCandidate,
    ) -> Result<RoomRequest, Refusal> {
        self.own_call(me, who, call)?;
        Ok(RoomRequest::Candidate {
            call: call.clone(),
            candidate: body.clone(),
        })
    }

    pub(super) fn ack(
        &mut self,
        now: Instant,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
    ) -> Result<Response, Refusal> {
        // Official clients ack again after each update: only the first one starts anything.
        if self.own_call(me, who, call)?.state == CallState::Answered {
            self.own_call(me, who, call)?.state = CallState::Started;
            self.effects.push_back(Effect::StartMedia(call.clone()));
            timers::arm_end_of_first_call(self, now, who);
            self.announce(who);
        }
        Ok(Response::Acked)
    }

    pub(super) fn disconnect_call(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
    ) -> Result<Response, Refusal> {
        self.own_call(me, who, call)?;
        self.drop_call(who, call);
        self.effects.push_back(Effect::HangUp(call.clone()));
        Ok(Response::CallDisconnected)
    }

    /// Takes note that a call has failed: its transport is lost, or it never came to be.
    pub fn call_failed(&mut self, call: &CallUuid, reason: &str) {
        let owner = self
            .participants
            .iter()
            .find(|participant| participant.call(call).is_some());
        let Some(who) = owner.map(|owner| owner.uuid.clone()) else {
            return;
        };
        let event = CallDisconnected {
            call_uuid: call.clone(),
            reason: reason.to_owned(),
        };
        self.send(self.streams.of(&who), Event::CallDisconnected(event));
        self.drop_call(&who, call);
        self.effects.push_back(Effect::HangUp(call.clone()));
    }

    /// Takes note of whose sound and picture arrive.
    pub fn media_flowing(&mut self, who: &ParticipantUuid, audio: bool, video: bool) {
        let alias = self.settings.alias.clone();
        let Ok(participant) = self.find(who) else {
            return;
        };
        let flows = audio || video;
        if participant.media_flows == flows {
            return;
        }
        let before = participant.row(alias.as_str());
        participant.media_flows = flows;
        // Since `ack` the roster may say so already, and everybody would be told the same again.
        if participant.row(alias.as_str()) != before {
            self.announce(who);
        }
    }

    /// Takes note of who is on stage, the most recent speaker first.
    pub fn stage_changed(&mut self, stage: Vec<StageEntry>) {
        let known = |entry: &StageEntry| {
            self.participants
                .iter()
                .any(|one| one.uuid == entry.participant_uuid)
        };
        self.stage = stage.into_iter().filter(known).collect();
        self.send_to_all(Event::Stage(self.stage.clone()));
    }

    fn drop_call(&mut self, who: &ParticipantUuid, call: &CallUuid) {
        if let Ok(participant) = self.find(who) {
            participant.calls.retain(|one| one.uuid != *call);
            if participant.calls.is_empty() {
                participant.media_flows = false;
            }
        }
        self.announce(who);
    }

    /// A participant has its own calls alone, host or not.
    fn own(&mut self, me: &ParticipantUuid, who: &ParticipantUuid) -> Result<(), Refusal> {
        self.find(who)?;
        if me == who {
            Ok(())
        } else {
            Err(Refusal::Denied(
                "The call of another participant".to_owned(),
            ))
        }
    }

    pub(super) fn own_call(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        call: &CallUuid,
    ) -> Result<&mut Call, Refusal> {
        self.own(me, who)?;
        self.find(who)?.call_mut(call).ok_or_else(no_such_call)
    }
}

fn no_such_call() -> Refusal {
    Refusal::NotFound("Call not found".to_owned())
}

fn bad_request(text: String) -> Refusal {
    Refusal::Other { code: 400, text }
}

/// Whether an answer takes main video: a rejected m-line has port 0 (RFC 3264 §6).
fn takes_video(answer: &str) -> bool {
    answer.split("\nm=").skip(1).any(|section| {
        section.starts_with("video ")
            && !section.starts_with("video 0 ")
            && !section.contains("a=content:slides")
    })
}
