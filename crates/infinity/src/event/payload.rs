//! What the events carry.

use serde::{Deserialize, Serialize};

use crate::{CallUuid, ConferenceAlias, ParticipantUuid, Token, lenient};

/// A chat message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The name of the sender.
    #[serde(default, deserialize_with = "lenient::text")]
    pub origin: String,
    /// The sender.
    #[serde(default, deserialize_with = "lenient::text")]
    pub uuid: String,
    /// The MIME type, mostly `text/plain`.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub media_type: String,
    /// What is said.
    #[serde(default, deserialize_with = "lenient::text")]
    pub payload: String,
    /// Whether it is for us alone; absent where it is for everybody.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub direct: bool,
}

/// A place on the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageEntry {
    /// Who.
    pub participant_uuid: ParticipantUuid,
    /// The place: 0 is the most recent speaker.
    #[serde(default, deserialize_with = "lenient::count")]
    pub stage_index: u32,
    /// 0: silent, 100: speaking.
    #[serde(default, deserialize_with = "lenient::count")]
    pub vad: u32,
}

/// How the picture is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The name of the layout, such as `1:7`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub view: String,
    /// Who is in it. Some nodes send a single one without brackets.
    #[serde(default, deserialize_with = "one_or_many")]
    pub participants: Vec<ParticipantUuid>,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ParticipantUuid>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelling {
        Many(Vec<ParticipantUuid>),
        One(String),
        None(()),
    }
    Ok(match Spelling::deserialize(deserializer)? {
        Spelling::Many(many) => many,
        Spelling::One(one) if one.is_empty() => Vec::new(),
        Spelling::One(one) => vec![one.into()],
        Spelling::None(()) => Vec::new(),
    })
}

/// Who presents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentationStart {
    /// The name of the presenter.
    #[serde(default, deserialize_with = "lenient::text")]
    pub presenter_name: String,
    /// The address of the presenter.
    #[serde(default, deserialize_with = "lenient::text")]
    pub presenter_uri: String,
    /// The presenter; absent in nodes of old.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "String::is_empty"
    )]
    pub presenter_uuid: String,
}

/// Which call was hung up, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallDisconnected {
    /// The call.
    pub call_uuid: CallUuid,
    /// Why, in the node's words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub reason: String,
}

/// Why we are being disconnected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnect {
    /// Why, in the node's words.
    #[serde(default, deserialize_with = "lenient::text")]
    pub reason: String,
}

/// Where we are to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refer {
    /// The conference.
    pub alias: ConferenceAlias,
    /// The one-time token that admits us there; absent in nodes of old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// Whether we are on hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnHold {
    /// Whether we are.
    #[serde(deserialize_with = "lenient::flag")]
    pub setting: bool,
}

/// A session description of direct media (RFC 8866).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSdp {
    /// The description.
    pub sdp: String,
}

/// A screen with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplashScreen {
    /// Which text of the theme.
    #[serde(default, deserialize_with = "lenient::text")]
    pub screen_key: String,
    /// For how many seconds; absent: until further notice.
    #[serde(
        default,
        deserialize_with = "lenient::optional_count",
        skip_serializing_if = "Option::is_none"
    )]
    pub display_duration: Option<u32>,
}
