//! What events carry that came long after version 10: camera control, captions, breakout rooms, and
//! calls to a registered alias.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::{ConferenceAlias, ParticipantUuid, Token, lenient};

/// Somebody moves our camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fecc {
    /// `start`, `continue` or `stop`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub action: String,
    /// Where to.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub movement: Vec<Movement>,
    /// For how long at most, in milliseconds.
    #[serde(
        default,
        deserialize_with = "lenient::optional_count",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout: Option<u32>,
}

/// A movement of a camera along one axis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// `pan`, `tilt` or `zoom`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub axis: String,
    /// `left`, `right`, `up`, `down`, `in` or `out`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub direction: String,
}

/// A piece of what is said, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCaptions {
    /// The text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub data: String,
    /// Whether it will not change any more.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_final: bool,
    /// The language spoken; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_lang: Option<String>,
    /// The language of the text, if it was translated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tgt_lang: Option<String>,
}

/// A breakout room that one of our participants has come to, or left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakout {
    /// The room.
    pub breakout_uuid: String,
    /// The participant in it.
    pub participant_uuid: ParticipantUuid,
}

/// An event of a breakout room, told outside it.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakoutEvent {
    /// The room.
    pub breakout_uuid: String,
    /// The id that the event has there; may be empty.
    pub id: String,
    /// The event.
    pub event: Box<Event>,
}

/// The same as it goes over the wire.
#[derive(Serialize, Deserialize)]
pub(super) struct BreakoutEventWritten {
    pub(super) breakout_uuid: String,
    pub(super) event: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) data: serde_json::Value,
}

/// Somebody asks for a participant to go to a breakout room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakoutRefer {
    /// The room.
    pub breakout_uuid: String,
    /// What it is called.
    #[serde(default, deserialize_with = "lenient::text")]
    pub breakout_name: String,
    /// Who asks; absent where nobody in particular does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_uuid: Option<ParticipantUuid>,
}

/// A call to the alias that we are registered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Where to join to take it.
    pub conference_alias: ConferenceAlias,
    /// The one-time token that admits us there.
    pub token: Token,
    /// The alias that was called.
    #[serde(default, deserialize_with = "lenient::text")]
    pub local_alias: String,
    /// Who calls.
    #[serde(default, deserialize_with = "lenient::text")]
    pub remote_alias: String,
    /// The name of who calls.
    #[serde(default, deserialize_with = "lenient::text")]
    pub remote_display_name: String,
    /// What kind of call it is, such as `conference`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub service_type: String,
}

/// A call to our alias that is over before we took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingCancelled {
    /// The token it came with.
    pub token: Token,
}
