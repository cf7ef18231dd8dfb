//! Coming, staying, going.

use std::time::{Duration, Instant};

use infinity::event::Disconnect;
use infinity::{
    Capacity, Event, MediaType, ParticipantUuid, Pin, Profile, Refusal, RequestToken, Role,
    ServiceType, Token, TokenGranted, TokenRefreshed,
};
use tracing::info;

use super::effect::Effect;
use super::participant::Participant;
use super::{Conference, Requester, entrance, timers};
use crate::room::Admission;

/// How often clients are asked for their statistics; about what real nodes ask for.
const STATISTICS_EVERY: Duration = Duration::from_secs(5);

impl Conference {
    pub(super) fn request_token(
        &mut self,
        now: Instant,
        by: Requester<'_>,
        pin: Option<&Pin>,
        body: &RequestToken,
    ) -> Result<TokenGranted, Refusal> {
        let role = match self.one_time_token(by, body) {
            Some(token) => {
                // One that finds no room is not used up.
                self.has_room_for(1)?;
                let role = self.invitations.redeem(now, token);
                role.ok_or(Refusal::InvalidToken)?
            }
            None => entrance::role(&self.settings, pin)?,
        };
        self.has_room_for(1)?;
        let uuid = ParticipantUuid::from(self.new_uuid());
        let token = self.tokens.issue(now, uuid.clone(), &mut self.rng);
        if self.participants.is_empty() {
            timers::arm_restart(self, now);
        }
        let knew_host_pin = role == Role::Host && self.settings.host_pin.is_some();
        let waits_for_host = role != Role::Host && !self.started;
        let admission = if waits_for_host || (self.locked && !knew_host_pin) {
            Admission::Waiting
        } else {
            Admission::InConference
        };
        let mut participant = Participant::new(
            uuid.clone(),
            display_name(body),
            role,
            admission,
            (now, self.unix_time(now)),
        );
        participant.vendor = by.vendor.to_owned();
        let granted = self.granted(token, &participant);
        info!(conference = %self.settings.alias, participant = %uuid, ?role, ?admission, "joined");
        self.enter(participant);
        if role == Role::Host && admission == Admission::InConference && !self.started {
            self.start();
        }
        Ok(granted)
    }

    /// The one-time token of somebody who was sent here: official clients put it into the body, and
    /// one of them into the header. A node of version 10 knows of none.
    fn one_time_token<'a>(&self, by: Requester<'a>, body: &'a RequestToken) -> Option<&'a Token> {
        let wanted = |token: &&Token| !matches!(token.expose(), "" | "none");
        let token = body.token.as_ref().filter(wanted).or(by.token);
        token.filter(|_| self.rules.profile != Profile::V10)
    }

    /// Refuses more participants than the conference takes.
    pub(super) fn has_room_for(&self, newcomers: usize) -> Result<(), Refusal> {
        let limit = self.settings.participant_limit;
        if self.participants.len() + newcomers > limit.unwrap_or(self.rules.participant_limit) {
            return Err(Refusal::CapacityReached(Capacity::Participants));
        }
        Ok(())
    }

    /// Takes a participant into the roster, and tells everyone.
    pub(super) fn enter(&mut self, mut participant: Participant) {
        let uuid = participant.uuid.clone();
        participant.is_muted = self.guests_muted && !participant.is_host();
        self.effects
            .push_back(Effect::SetAdmission(uuid.clone(), participant.admission));
        if participant.is_muted {
            self.effects.push_back(Effect::SetMuted(uuid, true));
        }
        let row = Box::new(participant.row(self.settings.alias.as_str()));
        self.participants.push(participant);
        self.send_to_all(Event::ParticipantCreate(row));
    }

    fn granted(&self, token: Token, participant: &Participant) -> TokenGranted {
        let modern = self.rules.profile != Profile::V10;
        TokenGranted {
            token,
            expires: self.rules.token_life,
            participant_uuid: participant.uuid.clone(),
            display_name: participant.display_name.clone(),
            version: Self::version(self.rules.profile),
            role: participant.role,
            service_type: ServiceType::Conference,
            current_service_type: match participant.admission {
                Admission::Waiting => ServiceType::WaitingRoom,
                Admission::InConference => ServiceType::Conference,
            },
            conference_name: Some(self.settings.alias.to_string()),
            chat_enabled: true,
            analytics_enabled: false,
            stun: self.rules.ice_servers.stun.clone(),
            turn: self.rules.ice_servers.turn.clone(),
            use_relay_candidates_only: self.rules.ice_servers.use_relay_candidates_only,
            bandwidth_in: None,
            bandwidth_out: None,
            call_type: Some(MediaType::Video),
            direct_media: false,
            trickle_ice_enabled: Some(modern),
            client_stats_update_interval: Some(STATISTICS_EVERY),
        }
    }

    pub(super) fn refresh_token(
        &mut self,
        now: Instant,
        token: Option<&Token>,
    ) -> Result<TokenRefreshed, Refusal> {
        if timers::refuses_refresh(&self.rules) {
            return Err(Refusal::InvalidToken);
        }
        let token = token.ok_or(Refusal::InvalidToken)?;
        let me = self.requester(now, Some(token))?;
        let role = self.find(&me)?.role;
        let token = self
            .tokens
            .refresh(now, token, &mut self.rng)
            .ok_or(Refusal::InvalidToken)?;
        Ok(TokenRefreshed {
            token,
            expires: self.rules.token_life,
            role: Some(role),
            client_stats_update_interval: Some(STATISTICS_EVERY),
        })
    }

    /// The first host is here: the guests who wait come in.
    fn start(&mut self) {
        self.started = true;
        self.send_to_all(Event::ConferenceUpdate(self.status()));
        if !self.locked {
            self.admit_all();
        }
    }

    pub(super) fn admit_all(&mut self) {
        let waiting = self
            .participants
            .iter()
            .filter(|one| one.admission == Admission::Waiting);
        for who in waiting.map(|one| one.uuid.clone()).collect::<Vec<_>>() {
            self.admit(&who);
        }
    }

    pub(super) fn admit(&mut self, who: &ParticipantUuid) {
        let Ok(participant) = self.find(who) else {
            return;
        };
        participant.admission = Admission::InConference;
        info!(participant = %who, "let in");
        let is_host = participant.is_host();
        self.effects
            .push_back(Effect::SetAdmission(who.clone(), Admission::InConference));
        self.announce(who);
        self.show_presentation(who);
        if is_host && !self.started {
            self.start();
        }
    }

    /// Takes a participant out: calls, streams, token, row. With a `reason` its own streams are
    /// told first; who leaves by itself needs none.
    pub(super) fn remove(&mut self, who: &ParticipantUuid, reason: Option<&str>) {
        let Some(index) = self
            .participants
            .iter()
            .position(|participant| participant.uuid == *who)
        else {
            return;
        };
        let gone = self.participants.remove(index);
        info!(conference = %self.settings.alias, participant = %who, reason, "left");
        if let Some(reason) = reason {
            let event = Event::Disconnect(Disconnect {
                reason: reason.to_owned(),
            });
            self.send(self.streams.of(who), event);
        }
        self.close_streams_of(who);
        self.tokens.forget(who);
        self.effects
            .extend(gone.calls.into_iter().map(|call| Effect::HangUp(call.uuid)));
        self.effects.push_back(Effect::Forget(gone.uuid));
        self.stage.retain(|entry| entry.participant_uuid != *who);
        if gone.is_presenting {
            self.presentation_ended(who);
        }
        self.send_to_all(Event::ParticipantDelete(who.clone()));
        match self.participants.first() {
            None => self.end(),
            // Far ends hang up when nobody is left to talk to.
            Some(first) if self.participants.iter().all(|one| one.far_end.is_some()) => {
                let next = first.uuid.clone();
                self.remove(&next, None);
            }
            Some(_) => {}
        }
    }

    /// Nobody is here any more: the next conversation begins afresh.
    pub(super) fn end(&mut self) {
        self.locked = false;
        self.guests_muted = false;
        self.started = false;
        self.stage.clear();
        self.restart = None;
    }
}

fn display_name(body: &RequestToken) -> String {
    let name = body.display_name.trim();
    if name.is_empty() {
        "Participant".to_owned()
    } else {
        name.to_owned()
    }
}
