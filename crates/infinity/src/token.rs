//! `request_token`, `refresh_token`, `release_token`: coming, staying, going.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    ParticipantUuid, Role, ServiceType, StunServer, Token, TurnServer, Version, ice_servers,
    lenient, open_enum::open_enum, roster::role_in_token,
};

/// The body of `request_token`. The PIN is not in it: it travels in a header.
///
/// Official clients send `"none"` for what they do not have; that is decoded as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestToken {
    /// The name the participant wants to be known by.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    /// The alias of the conference that a Virtual Reception shall connect to.
    #[serde(
        default,
        deserialize_with = "lenient::text_or_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub conference_extension: Option<String>,
    /// The one-time token of a `refer` event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// Whether the client can do peer-to-peer media, which the node may then ask of it.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub direct_media: Option<bool>,
    /// A text the caller is marked with in the node's own records.
    #[serde(
        default,
        deserialize_with = "lenient::text_or_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub call_tag: Option<String>,
    /// The identity provider chosen by the user.
    #[serde(
        default,
        deserialize_with = "lenient::text_or_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub chosen_idp: Option<String>,
}

open_enum! {
    /// Which media the conference allows a call.
    MediaType {
        /// Sound, picture and presentation.
        Video = "video",
        /// Sound and picture, no presentation.
        VideoOnly = "video-only",
        /// Sound alone.
        Audio = "audio",
    }
}

/// The result of `request_token`: we are a participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenGranted {
    /// The token for everything that follows.
    pub token: Token,
    /// How long the token is good for.
    #[serde(with = "lenient::seconds_text")]
    pub expires: Duration,
    /// Who we are in the roster.
    pub participant_uuid: ParticipantUuid,
    /// The name we are known by.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    /// What the node is.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub version: Version,
    /// What we may do.
    #[serde(default, with = "role_in_token")]
    pub role: Role,
    /// What we have reached.
    #[serde(default)]
    pub service_type: ServiceType,
    /// Where we are at the moment: a locked conference begins in its waiting room.
    #[serde(default)]
    pub current_service_type: ServiceType,
    /// The name of the conference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference_name: Option<String>,
    /// Whether there is chat.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub chat_enabled: bool,
    /// Whether the installation sends statistics to its maker.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub analytics_enabled: bool,
    /// The STUN servers to use. An empty list is not written: the web client dies of one.
    #[serde(
        default,
        deserialize_with = "ice_servers::stun",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub stun: Vec<StunServer>,
    /// The TURN servers to use.
    #[serde(
        default,
        deserialize_with = "ice_servers::turn",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub turn: Vec<TurnServer>,
    /// Whether media may go through a TURN server only.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub use_relay_candidates_only: bool,
    /// The most we may receive, in kbit/s.
    #[serde(
        default,
        deserialize_with = "lenient::optional_count",
        skip_serializing_if = "Option::is_none"
    )]
    pub bandwidth_in: Option<u32>,
    /// The most we may send, in kbit/s.
    #[serde(
        default,
        deserialize_with = "lenient::optional_count",
        skip_serializing_if = "Option::is_none"
    )]
    pub bandwidth_out: Option<u32>,
    /// Which media the conference allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_type: Option<MediaType>,
    /// Whether the node wants media to go from peer to peer.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub direct_media: bool,
    /// Whether the node takes candidates after the offer; nodes of old do not say.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub trickle_ice_enabled: Option<bool>,
    /// How often the node wants to be told of the client's media, with `statistics`; `None` for never.
    #[serde(
        default,
        with = "lenient::optional_millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_stats_update_interval: Option<Duration>,
}

/// What a node of version 10 says in its answer to `request_token`, according to its guide.
pub(crate) const GRANTED_V10: &[&str] = &[
    "token",
    "expires",
    "participant_uuid",
    "version",
    "role",
    "chat_enabled",
    "service_type",
    "stun",
    "display_name",
    "analytics_enabled",
    "current_service_type",
];

/// The first release that is known to take `new_candidate`.
///
/// The guide of version 10 has no such request. The exact release is not published; the official
/// clients of version 29 trickle.
const FIRST_TO_TRICKLE: u32 = 29;

impl TokenGranted {
    /// Returns whether a call can be renegotiated with `update`, which version 10 lacks too.
    pub fn takes_update(&self) -> bool {
        self.version.number().is_some_and(|n| n >= FIRST_TO_TRICKLE)
    }

    /// Returns whether candidates may follow the offer one by one (RFC 8838).
    ///
    /// Where the node does not say, its version decides; where that is unreadable too, no.
    pub fn trickles(&self) -> bool {
        let by_version = || self.version.number().is_some_and(|n| n >= FIRST_TO_TRICKLE);
        self.trickle_ice_enabled.unwrap_or_else(by_version)
    }
}

/// The result of `refresh_token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRefreshed {
    /// The token that replaces the old one.
    pub token: Token,
    /// How long it is good for.
    #[serde(with = "lenient::seconds_text")]
    pub expires: Duration,
    /// What we may do from now on; nodes of old do not say.
    #[serde(
        default,
        with = "role_in_token::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub role: Option<Role>,
    /// How often the node wants to be told of the client's media, with `statistics`; `None` for never.
    #[serde(
        default,
        with = "lenient::optional_millis",
        skip_serializing_if = "Option::is_none"
    )]
    pub client_stats_update_interval: Option<Duration>,
}

/// What a node of version 10 says in its answer to `refresh_token`.
pub(crate) const REFRESHED_V10: &[&str] = &["token", "expires"];

/// The body of `release_token`, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseToken {
    /// Why the participant goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
