//! What an operator may know of a conference at any moment. Not part of the client REST API.

use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantRow, ParticipantUuid, Present};

use super::Conference;
use super::effect::StreamId;
use super::participant::{CallState, Participant};
use crate::conference_settings::Guests;

/// A conference as it stands.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Newcomers without the host PIN have to wait.
    pub locked: bool,
    /// Guests are muted, those who come too.
    pub guests_muted: bool,
    /// A host has been here since the conference was last empty.
    pub started: bool,
    /// Hosts need a PIN.
    pub wants_host_pin: bool,
    /// Who may come in as a guest, where hosts need a PIN.
    pub guests: &'static str,
    /// So many participants and no more.
    pub participant_limit: usize,
    /// Everybody, in the order they came.
    pub participants: Vec<ParticipantOverview>,
}

/// A participant as it stands.
#[derive(Clone, Debug)]
pub struct ParticipantOverview {
    /// What the others see of it in the roster.
    pub row: ParticipantRow,
    /// How long it has been here.
    pub here_for: Duration,
    /// Its token; `None` for one that the conference has called.
    pub token: Option<TokenOverview>,
    /// Its event streams that are open.
    pub streams: Vec<StreamId>,
    /// Its calls.
    pub calls: Vec<CallOverview>,
}

/// A token as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenOverview {
    /// Since it was given out, or last refreshed.
    pub age: Duration,
    /// Until it expires.
    pub left: Duration,
    /// How often the first one was replaced.
    pub refreshes: u64,
}

/// A call as the conference knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOverview {
    /// Its id.
    pub uuid: CallUuid,
    /// `offered`, `answered`, or `started` by the first `ack`.
    pub state: &'static str,
    /// What it does with a presentation.
    pub present: Option<Present>,
}

impl Conference {
    /// Returns how the conference stands.
    pub fn overview(&self, now: Instant) -> Overview {
        let limit = self.settings.participant_limit;
        Overview {
            locked: self.locked,
            guests_muted: self.guests_muted,
            started: self.started,
            wants_host_pin: self.settings.host_pin.is_some(),
            guests: match self.settings.guests {
                Guests::Nobody => "nobody",
                Guests::WithPin(_) => "with_pin",
                Guests::WithoutPin => "without_pin",
            },
            participant_limit: limit.unwrap_or(self.rules.participant_limit),
            participants: self
                .participants
                .iter()
                .map(|participant| self.overview_of(now, participant))
                .collect(),
        }
    }

    /// Whose event stream this is.
    pub fn listener(&self, stream: StreamId) -> Option<&ParticipantUuid> {
        self.streams.listener(stream)
    }

    fn overview_of(&self, now: Instant, participant: &Participant) -> ParticipantOverview {
        ParticipantOverview {
            row: participant.row(self.settings.alias.as_str()),
            here_for: now.saturating_duration_since(participant.joined),
            token: self.tokens.overview(now, &participant.uuid),
            streams: self.streams.of(&participant.uuid),
            calls: participant
                .calls
                .iter()
                .map(|call| CallOverview {
                    uuid: call.uuid.clone(),
                    state: match call.state {
                        CallState::Offered => "offered",
                        CallState::Answered => "answered",
                        CallState::Started => "started",
                    },
                    present: call.present.clone(),
                })
                .collect(),
        }
    }
}
