//! The logic of a conference, without IO: it takes `now`, never awaits, never reads a clock, and
//! draws its randomness from a seed.
//!
//! Requests come in through [`Conference::handle`] and are answered at once, but for those that
//! the room's media has to answer ([`Verdict::AskRoom`]). What else is to happen comes out of
//! [`Conference::poll_effect`]; when to call back, out of [`Conference::poll_timeout`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use fastrand::Rng;
use infinity::event::StageEntry;
use infinity::{
    CallPath, Command, ConferenceAlias, ConferencePath, ConferenceStatus, Event, ParticipantPath,
    ParticipantUuid, Profile, Refusal, Response, Token, Transfer, Version,
};

use crate::conference_settings::ConferenceSettings;
use crate::excuse::Excuse;
use crate::fault::Faults;
use crate::ice_servers::IceServers;
use crate::room::Admission;

mod calls;
mod changes;
mod dialling;
mod digits;
mod effect;
mod entrance;
mod gateway;
mod hosts;
mod joining;
mod messages;
mod overview;
mod participant;
mod presenting;
mod streams;
mod timers;
mod tokens;
mod transferring;

pub use calls::RoomRequest;
pub use effect::{Effect, StreamId, Timer};
pub use overview::{CallOverview, Overview, ParticipantOverview, TokenOverview};
use participant::Participant;
use streams::Streams;
use tokens::Tokens;
use transferring::Invitations;

/// What all conferences of a node have in common.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which time's node to speak like.
    pub profile: Profile,
    /// How long a token lives without a refresh.
    pub token_life: Duration,
    /// How long a guest waits for a host before being sent away.
    pub waiting_room_life: Duration,
    /// So many participants and no more.
    pub participant_limit: usize,
    /// The STUN and TURN servers clients are told of.
    pub ice_servers: IceServers,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            token_life: Duration::from_secs(120),
            waiting_room_life: Duration::from_secs(900),
            participant_limit: 2000,
            ice_servers: IceServers::default(),
            faults: Faults::none(),
        }
    }
}

/// Who makes a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Requester<'a> {
    /// What stands in the `token` header or query.
    pub token: Option<&'a Token>,
    /// What stands in the `User-Agent` header.
    pub vendor: &'a str,
}

/// What becomes of a request that was not refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is done, and this is the answer.
    Answer(Response),
    /// The room's media has the answer.
    AskRoom(RoomRequest),
    /// Another conference is to take this participant: it is asked for a one-time token with
    /// [`Conference::invite`], which [`Conference::refer`] hands on.
    AskConference(ParticipantUuid, Transfer),
}

/// A conference.
pub struct Conference {
    settings: ConferenceSettings,
    rules: Rules,
    rng: Rng,
    /// The same moment on both clocks: rows carry Unix time.
    anchor: (Instant, Duration),
    /// In the order they came.
    participants: Vec<Participant>,
    tokens: Tokens,
    invitations: Invitations,
    streams: Streams,
    locked: bool,
    guests_muted: bool,
    /// A host has been here since the conference was last empty.
    started: bool,
    stage: Vec<StageEntry>,
    /// What is to be seen of a presentation, while there is one.
    pictures: Option<presenting::Pictures>,
    restart: Option<Instant>,
    /// Somebody was here, or was not let in.
    was_entered: bool,
    effects: VecDeque<Effect>,
}

impl Conference {
    /// A conference nobody is in. `unix_time` is what a wall clock shows at `now`; tokens and
    /// identifiers follow from `seed`.
    pub fn new(
        settings: ConferenceSettings,
        rules: Rules,
        now: Instant,
        unix_time: Duration,
        seed: u64,
    ) -> Self {
        let life = timers::real_token_life(&rules);
        Self {
            settings,
            rules,
            rng: Rng::with_seed(seed),
            anchor: (now, unix_time),
            participants: Vec::new(),
            tokens: Tokens::new(life),
            invitations: Invitations::default(),
            streams: Streams::default(),
            locked: false,
            guests_muted: false,
            started: false,
            stage: Vec::new(),
            pictures: None,
            restart: None,
            was_entered: false,
            effects: VecDeque::new(),
        }
    }

    /// Returns the next thing to do. Poll until `None` after every other call.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Does what a request asks for.
    ///
    /// # Errors
    /// When the conference refuses.
    pub fn handle(
        &mut self,
        now: Instant,
        by: Requester<'_>,
        command: &Command,
    ) -> Result<Verdict, Refusal> {
        if let Command::RequestToken { pin, body } = command {
            let granted = self.request_token(now, by, pin.as_ref(), body)?;
            return Ok(Verdict::Answer(Response::TokenGranted(Box::new(granted))));
        }
        let me = self.requester(now, by.token)?;
        let answer = match command {
            Command::RequestToken { .. } => return Err(Refusal::InvalidToken),
            Command::RefreshToken => Response::TokenRefreshed(self.refresh_token(now, by.token)?),
            Command::ReleaseToken(_) => {
                self.remove(&me, None);
                Response::TokenReleased
            }
            Command::Participants => Response::Participants(self.rows()),
            Command::ConferenceStatus => Response::ConferenceStatus(self.status()),
            Command::Dial(body) => self.host_only(&me, |it| it.dial(now, body))?,
            Command::Lock => self.host_only(&me, |it| it.set_locked(true))?,
            Command::Unlock => self.host_only(&me, |it| it.set_locked(false))?,
            Command::MuteGuests => self.host_only(&me, |it| it.set_guests_muted(true))?,
            Command::UnmuteGuests => self.host_only(&me, |it| it.set_guests_muted(false))?,
            Command::DisconnectAll => self.host_only(&me, Self::disconnect_all)?,
            Command::Message(text) => self.message(&me, None, text)?,
            Command::MessageTo(who, text) => self.message(&me, Some(who), text)?,
            Command::Change(who, change) => self.change(now, &me, who, change)?,
            Command::TakeFloor(who) => self.take_floor(now, &me, who)?,
            Command::ReleaseFloor(who) => self.release_floor(&me, who)?,
            // Guests have a say over themselves.
            Command::Mute(who) if *who == me => self.mute_participant(who, true)?,
            Command::Unmute(who) if *who == me => self.mute_participant(who, false)?,
            Command::Mute(who) => self.host_only(&me, |it| it.mute_participant(who, true))?,
            Command::Unmute(who) => self.host_only(&me, |it| it.mute_participant(who, false))?,
            Command::Admit(who) => self.host_only(&me, |it| it.admit_participant(who))?,
            // Everyone may show itself out.
            Command::Disconnect(who) if *who == me => self.disconnect_participant(who)?,
            Command::Disconnect(who) => self.host_only(&me, |it| it.disconnect_participant(who))?,
            Command::Calls(who, body) => return self.call(&me, who, body).map(Verdict::AskRoom),
            Command::Update(who, call, body) => {
                return self.update(&me, who, call, body).map(Verdict::AskRoom);
            }
            Command::NewCandidate(who, call, body) => {
                return self
                    .new_candidate(&me, who, call, body)
                    .map(Verdict::AskRoom);
            }
            Command::Ack(who, call) => self.ack(now, &me, who, call)?,
            Command::DisconnectCall(who, call) => self.disconnect_call(&me, who, call)?,
            Command::Dtmf(who, body) => self.host_only(&me, |it| it.press(who, &body.digits))?,
            Command::CallDtmf(who, call, body) => {
                self.press_in_call(&me, who, call, &body.digits)?
            }
            Command::Transfer(who, body) => {
                self.host_only(&me, |it| it.may_transfer(who))?;
                return Ok(Verdict::AskConference(who.clone(), body.clone()));
            }
            Command::Statistics(who, call, _) => {
                self.own_call(&me, who, call)?;
                Response::StatisticsTaken
            }
        };
        Ok(Verdict::Answer(answer))
    }

    /// Every alias that leads here, the conference's name first.
    pub fn aliases(&self) -> impl Iterator<Item = &ConferenceAlias> {
        self.settings.all_aliases()
    }

    /// Who is in, in the order they came.
    pub fn participants(&self) -> impl Iterator<Item = (&ParticipantUuid, Admission)> {
        self.participants
            .iter()
            .map(|participant| (&participant.uuid, participant.admission))
    }

    /// Whether a node of this profile has such a request at all.
    pub fn knows(profile: Profile, path: &ConferencePath) -> bool {
        let later = match path {
            ConferencePath::Theme => true,
            ConferencePath::Participant(_, path) => matches!(
                path,
                ParticipantPath::Call(
                    _,
                    CallPath::NewCandidate | CallPath::Update | CallPath::Statistics,
                ) | ParticipantPath::Transfer
                    | ParticipantPath::ClientMute
                    | ParticipantPath::ClientUnmute
                    | ParticipantPath::VideoMuted
                    | ParticipantPath::VideoUnmuted
                    | ParticipantPath::Buzz
                    | ParticipantPath::ClearBuzz
                    | ParticipantPath::Role
                    | ParticipantPath::OverlayText
                    | ParticipantPath::Message
                    | ParticipantPath::TakeFloor
                    | ParticipantPath::ReleaseFloor
            ),
            _ => false,
        };
        profile != Profile::V10 || !later
    }

    /// Whether somebody here has this token, or had it lately; or it is a one-time token.
    pub fn knows_token(&self, token: &Token) -> bool {
        self.tokens.knows(token) || self.invitations.knows(token)
    }

    /// What a node of this profile says it is.
    pub fn version(profile: Profile) -> Version {
        let (version_id, pseudo_version) = match profile {
            Profile::V10 => ("10", "25010.0.0"),
            Profile::Modern => ("39", "77524.0.0"),
        };
        Version {
            version_id: version_id.to_owned(),
            pseudo_version: pseudo_version.to_owned(),
        }
    }

    fn requester(&self, now: Instant, token: Option<&Token>) -> Result<ParticipantUuid, Refusal> {
        token
            .and_then(|token| self.tokens.holder(now, token))
            .ok_or(Refusal::InvalidToken)
    }

    fn find(&mut self, who: &ParticipantUuid) -> Result<&mut Participant, Refusal> {
        self.participants
            .iter_mut()
            .find(|participant| participant.uuid == *who)
            .ok_or_else(|| Refusal::NotFound("Participant not found".to_owned()))
    }

    fn rows(&self) -> Vec<infinity::ParticipantRow> {
        let alias = self.settings.alias.as_str();
        self.participants
            .iter()
            .map(|participant| participant.row(alias))
            .collect()
    }

    fn status(&self) -> ConferenceStatus {
        ConferenceStatus {
            locked: self.locked,
            guests_muted: self.guests_muted,
            started: Some(self.started),
            all_muted: Some(false),
            guests_can_unmute: Some(true),
            direct_media: Some(false),
        }
    }

    fn send(&mut self, to: Vec<StreamId>, event: Event) {
        if !to.is_empty() && !self.leaves_out(&event) {
            self.effects.push_back(Effect::Send { to, event });
        }
    }

    /// What newcomers are to be answered with, if nobody is to be admitted.
    pub(crate) fn excuse(&self) -> Option<Excuse> {
        self.rules.faults.excuse()
    }

    /// [`crate::Fault::Without`], for events.
    fn leaves_out(&self, event: &Event) -> bool {
        let Rules {
            faults, profile, ..
        } = &self.rules;
        faults.leave_out_event(event, *profile)
    }

    fn send_to_all(&mut self, event: Event) {
        self.send(self.streams.all(), event);
    }

    /// Tells everyone how `who` now stands in the roster.
    fn announce(&mut self, who: &ParticipantUuid) {
        let alias = self.settings.alias.as_str();
        if let Some(participant) = self
            .participants
            .iter()
            .find(|participant| participant.uuid == *who)
        {
            let row = Box::new(participant.row(alias));
            self.send_to_all(Event::ParticipantUpdate(row));
        }
    }

    /// Returns what a wall clock shows at `now`.
    fn unix_time(&self, now: Instant) -> Duration {
        self.anchor.1 + now.saturating_duration_since(self.anchor.0)
    }

    fn new_uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }
}
