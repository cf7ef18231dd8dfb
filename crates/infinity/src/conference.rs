//! `conference_status`, `conference_update` and `message`: the conference as a whole.

use serde::{Deserialize, Serialize};

use crate::lenient;

/// The state of a conference, in `conference_status` and in `conference_update`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceStatus {
    /// Whether newcomers are held in the waiting room.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub locked: bool,
    /// Whether guests are muted.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub guests_muted: bool,
    /// Whether a host has come; nodes of old do not say.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub started: Option<bool>,
    /// Whether everybody is muted.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub all_muted: Option<bool>,
    /// Whether guests may unmute themselves.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub guests_can_unmute: Option<bool>,
    /// Whether media goes from peer to peer.
    #[serde(
        default,
        deserialize_with = "lenient::optional_flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub direct_media: Option<bool>,
}

/// What a node of version 10 says of a conference.
pub(crate) const STATUS_V10: &[&str] = &["locked", "guests_muted"];

/// The body of `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageText {
    /// The MIME type, mostly `text/plain`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// What is said.
    pub payload: String,
}
