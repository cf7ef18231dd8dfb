//! `dial`: calling somebody into the conference.

use serde::{Deserialize, Serialize};

use crate::{Protocol, Role, lenient, open_enum::open_enum};

open_enum! {
    /// What a participant that is dialled shall be.
    DialRole {
        /// A guest.
        Guest = "GUEST",
        /// A host.
        Host = "HOST",
        /// A host, as version 10 spells it.
        Chair = "CHAIR",
    }
}

impl From<&DialRole> for Role {
    fn from(role: &DialRole) -> Self {
        Self::from(role.as_str())
    }
}

/// The body of `dial`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// What the participant shall be.
    pub role: DialRole,
    /// Whom to call.
    pub destination: String,
    /// How to call.
    pub protocol: Protocol,
    /// Where an RTMP call sends presentations, if not together with the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presentation_url: Option<String>,
    /// Whether this is a stream or a recording.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        serialize_with = "as_yes",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub streaming: bool,
}

/// Writes the flag in small letters, as this request alone has it; `no` is the default and absent.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn as_yes<S: serde::Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *flag { "yes" } else { "no" })
}
