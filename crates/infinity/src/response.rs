//! The answers to the requests, as a node writes them.

use serde_json::{Value, json};

use crate::{
    CallAccepted, ConferenceStatus, ParticipantRow, ParticipantUuid, Profile, Reply, TokenGranted,
    TokenRefreshed, UpdateAccepted,
    call::ACCEPTED_V10,
    conference::STATUS_V10,
    envelope,
    token::{GRANTED_V10, REFRESHED_V10},
};

/// The result of a request that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// To `request_token`.
    TokenGranted(Box<TokenGranted>),
    /// To `refresh_token`.
    TokenRefreshed(TokenRefreshed),
    /// To `release_token`; its content means nothing.
    TokenReleased,
    /// To `calls`.
    CallAccepted(CallAccepted),
    /// To `new_candidate`.
    CandidateTaken,
    /// To `take_floor` and `release_floor`.
    FloorChanged,
    /// To `ack`.
    Acked,
    /// To `update`.
    UpdateAccepted(UpdateAccepted),
    /// To the `disconnect` of a call.
    CallDisconnected,
    /// To `statistics`.
    StatisticsTaken,
    /// To `conference_status`.
    ConferenceStatus(ConferenceStatus),
    /// To `dial`: the new participants, of whom one at most will answer.
    Dialled(Vec<ParticipantUuid>),
    /// To `participants`.
    Participants(Vec<ParticipantRow>),
    /// To everything that is done or not: `mute`, `muteguests`, `lock`, `disconnect` …
    Done(bool),
}

impl Response {
    /// Writes the answer as a node of `profile` does.
    pub fn encode(&self, profile: Profile) -> Reply {
        Reply::success(&self.result(profile))
    }

    fn result(&self, profile: Profile) -> Value {
        match self {
            Self::TokenGranted(granted) => envelope::to_json(granted, profile, GRANTED_V10),
            Self::TokenRefreshed(refreshed) => envelope::to_json(refreshed, profile, REFRESHED_V10),
            Self::CallAccepted(accepted) => {
                let mut json = envelope::to_json(accepted, profile, ACCEPTED_V10);
                // A stream has addresses instead; peers that talk directly get an empty text.
                if let (Some(_), "", Value::Object(fields)) =
                    (&accepted.url, accepted.sdp.as_str(), &mut json)
                {
                    fields.remove("sdp");
                }
                json
            }
            // The web client throws when this is not null.
            Self::CandidateTaken | Self::FloorChanged | Self::StatisticsTaken => Value::Null,
            // The web client drops the call when this is not a boolean.
            Self::Acked | Self::TokenReleased => json!(true),
            Self::UpdateAccepted(accepted) => match profile {
                Profile::V10 => json!(accepted.sdp),
                Profile::Modern => envelope::to_json(accepted, profile, &[]),
            },
            // The web client throws when this is not null; the guide of version 10 says true.
            Self::CallDisconnected => match profile {
                Profile::V10 => json!(true),
                Profile::Modern => Value::Null,
            },
            Self::ConferenceStatus(status) => envelope::to_json(status, profile, STATUS_V10),
            Self::Dialled(uuids) => json!(uuids),
            Self::Participants(rows) => rows.iter().map(|row| row.to_json(profile)).collect(),
            Self::Done(done) => json!(done),
        }
    }
}
