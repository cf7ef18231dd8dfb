//! `transfer`: moving a participant to another conference.

use serde::{Deserialize, Serialize};

use crate::{ConferenceAlias, Pin, Role, roster::role_in_transfer};

/// The body of `transfer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What the participant shall be there; `host` or `guest` on the wire, as here alone.
    #[serde(with = "role_in_transfer")]
    pub role: Role,
    /// The conference it goes to.
    pub conference_alias: ConferenceAlias,
    /// The PIN that role needs there, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
}
