//! The rows of the roster: `participants`, `participant_create`, `participant_update`.

use serde::{Deserialize, Serialize};

use crate::{ParticipantUuid, Profile, lenient, open_enum::open_enum};

/// What a participant may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything. `HOST` with the token, `chair` in the roster.
    Host,
    /// Only its own affairs.
    Guest,
    /// The node did not say, or said something unknown.
    #[default]
    Unknown,
}

impl From<&str> for Role {
    fn from(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "host" | "chair" => Self::Host,
            "guest" => Self::Guest,
            _ => Self::Unknown,
        }
    }
}

/// A role as the token's answers spell it: `HOST`, `GUEST`.
pub(crate) mod role_in_token {
    use super::Role;
    use serde::{Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(crate) fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match role {
            Role::Host => "HOST",
            Role::Guest | Role::Unknown => "GUEST",
        })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Role, D::Error> {
        Ok(optional::deserialize(deserializer)?.unwrap_or_default())
    }

    pub(crate) mod optional {
        use super::{Deserializer, Role, Serializer};
        use serde::Deserialize as _;

        #[expect(clippy::ref_option, reason = "the signature is serde's")]
        pub(crate) fn serialize<S: Serializer>(
            role: &Option<Role>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            super::serialize(&role.unwrap_or_default(), serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Role>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(|text| Role::from(text.as_str())))
        }
    }
}

/// A role as `transfer` spells it: `host`, `guest`.
pub(crate) mod role_in_transfer {
    use super::Role;
    use serde::Serializer;

    pub(crate) use super::role_in_token::deserialize;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(crate) fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match role {
            Role::Host => "host",
            Role::Guest | Role::Unknown => "guest",
        })
    }
}

/// A role as the roster spells it: `chair`, `guest`.
pub(crate) mod role_in_row {
    use super::{Role, role_in_token};
    use serde::{Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub(crate) fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match role {
            Role::Host => "chair",
            Role::Guest | Role::Unknown => "guest",
        })
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Role, D::Error> {
        role_in_token::deserialize(deserializer)
    }
}

open_enum! {
    /// What a participant is connected to.
    ServiceType {
        /// The conference itself.
        Conference = "conference",
        /// Another system, through a gateway call.
        Gateway = "gateway",
        /// The waiting room of a locked conference, or of one whose host is not there.
        WaitingRoom = "waiting_room",
        /// The PIN entry screen, or a Virtual Reception.
        Ivr = "ivr",
        /// A dial-out that has not been answered.
        Connecting = "connecting",
        /// A conference in which guests see the host alone.
        Lecture = "lecture",
        /// A test call.
        TestCall = "test_call",
        /// A playlist.
        MediaPlayback = "media_playback",
    }
}

open_enum! {
    /// How a participant is connected.
    Protocol {
        /// Through this API, without media.
        Api = "api",
        /// WebRTC.
        Webrtc = "webrtc",
        /// SIP.
        Sip = "sip",
        /// H.323.
        H323 = "h323",
        /// Skype for Business.
        Mssip = "mssip",
        /// A stream.
        Rtmp = "rtmp",
    }
}

open_enum! {
    /// Who called whom.
    CallDirection {
        /// The participant called the conference.
        In = "in",
        /// The conference called the participant.
        Out = "out",
    }
}

/// Which mix a participant sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoMix {
    /// The name of the mix.
    #[serde(default, deserialize_with = "lenient::text")]
    pub mix_name: String,
    /// Since when, in seconds of Unix time.
    #[serde(default, with = "lenient::number")]
    pub timestamp: f64,
}

impl Default for VideoMix {
    fn default() -> Self {
        Self {
            mix_name: "main".to_owned(),
            timestamp: 0.0,
        }
    }
}

/// A participant as the roster shows it. Always complete: an update is never a difference.
///
/// Only the uuid must be there to decode one. Half of the flags are `YES`/`NO` on the wire and half
/// are booleans; either is accepted for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParticipantRow {
    /// Who.
    pub uuid: ParticipantUuid,
    /// The path of the participant within the conference.
    #[serde(default, deserialize_with = "lenient::text")]
    pub api_url: String,
    /// The name shown.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    /// The text shown over the picture.
    #[serde(default, deserialize_with = "lenient::text")]
    pub overlay_text: String,
    /// What the participant may do.
    #[serde(default, with = "role_in_row")]
    pub role: Role,
    /// Where the participant is.
    #[serde(default)]
    pub service_type: ServiceType,
    /// How the participant is connected.
    #[serde(default)]
    pub protocol: Protocol,
    /// Who called whom.
    #[serde(default)]
    pub call_direction: CallDirection,
    /// `On` or `Off`: whether its media is encrypted.
    #[serde(default, deserialize_with = "lenient::text")]
    pub encryption: String,
    /// Whether the participant has a call with media.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_media: bool,
    /// Whether a host, or `muteguests`, has muted the participant.
    #[serde(default, with = "lenient::yes_no")]
    pub is_muted: bool,
    /// Whether the participant has muted itself.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_client_muted: bool,
    /// Whether the participant's picture is off.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_video_muted: bool,
    /// Whether the picture shows nobody.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_video_silent: bool,
    /// Whether the participant presents.
    #[serde(default, with = "lenient::yes_no")]
    pub is_presenting: bool,
    /// Whether the call has a picture.
    #[serde(default, with = "lenient::yes_no")]
    pub is_video_call: bool,
    /// Whether the call has sound alone.
    #[serde(default, with = "lenient::yes_no")]
    pub is_audio_only_call: bool,
    /// Whether this is a stream or a recording.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_streaming_conference: bool,
    /// Whether the participant comes from outside.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_external: bool,
    /// Whether the participant can present.
    #[serde(default, with = "lenient::yes_no")]
    pub presentation_supported: bool,
    /// Whether the camera can be moved from afar.
    #[serde(default, with = "lenient::yes_no")]
    pub fecc_supported: bool,
    /// Whether the participant can be transferred.
    #[serde(default, with = "lenient::yes_no")]
    pub transfer_supported: bool,
    /// Whether the participant can be disconnected.
    #[serde(default, with = "lenient::yes_no")]
    pub disconnect_supported: bool,
    /// Whether the participant can be muted.
    #[serde(default, with = "lenient::yes_no")]
    pub mute_supported: bool,
    /// `ALLOW` or `DENY`: whether the participant may see presentations.
    #[serde(default, deserialize_with = "lenient::text")]
    pub rx_presentation_policy: String,
    /// Since when the participant is there, in seconds of Unix time.
    #[serde(default, with = "lenient::number")]
    pub start_time: f64,
    /// Since when the hand is raised, in seconds of Unix time; 0: it is not.
    #[serde(default, with = "lenient::number")]
    pub buzz_time: f64,
    /// Since when the participant is in the spotlight, in seconds of Unix time; 0: it is not.
    #[serde(default, with = "lenient::number")]
    pub spotlight: f64,
    /// The alias the participant dialled.
    #[serde(default, deserialize_with = "lenient::text")]
    pub local_alias: String,
    /// The participant's own address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub uri: String,
    /// What software the participant uses.
    #[serde(default, deserialize_with = "lenient::text")]
    pub vendor: String,
    /// The node of another system the participant is on.
    #[serde(default, deserialize_with = "lenient::text")]
    pub external_node_uuid: String,
    /// Whether the participant takes chat messages meant for it alone.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub supports_direct_chat: bool,
    /// Whether the participant can see a mix of its own.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub can_receive_personal_mix: bool,
    /// Which mix the participant sees.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub receive_from_video_mix: VideoMix,
}

/// The fields of a row in the guide of version 10, its sample included.
const ROW_V10: &[&str] = &[
    "api_url",
    "call_direction",
    "display_name",
    "encryption",
    "has_media",
    "is_muted",
    "is_presenting",
    "is_streaming_conference",
    "local_alias",
    "overlay_text",
    "presentation_supported",
    "protocol",
    "role",
    "rx_presentation_policy",
    "service_type",
    "spotlight",
    "start_time",
    "uri",
    "uuid",
    "vendor",
];

impl ParticipantRow {
    /// Returns the row of a participant that has called in through the API and has no media.
    pub fn new(uuid: ParticipantUuid, display_name: &str, role: Role) -> Self {
        Self {
            api_url: format!("/participants/{uuid}"),
            uuid,
            display_name: display_name.to_owned(),
            overlay_text: display_name.to_owned(),
            role,
            service_type: ServiceType::Conference,
            protocol: Protocol::Api,
            call_direction: CallDirection::In,
            encryption: "On".to_owned(),
            has_media: false,
            is_muted: false,
            is_client_muted: false,
            is_video_muted: false,
            is_video_silent: false,
            is_presenting: false,
            is_video_call: false,
            is_audio_only_call: false,
            is_streaming_conference: false,
            is_external: false,
            presentation_supported: false,
            fecc_supported: false,
            transfer_supported: false,
            disconnect_supported: true,
            mute_supported: true,
            rx_presentation_policy: "ALLOW".to_owned(),
            start_time: 0.0,
            buzz_time: 0.0,
            spotlight: 0.0,
            local_alias: String::new(),
            uri: String::new(),
            vendor: String::new(),
            external_node_uuid: String::new(),
            supports_direct_chat: false,
            can_receive_personal_mix: false,
            receive_from_video_mix: VideoMix::default(),
        }
    }

    /// Returns the row as a node of `profile` writes it.
    pub fn to_json(&self, profile: Profile) -> serde_json::Value {
        crate::envelope::to_json(self, profile, ROW_V10)
    }

    /// Returns the text of the row as a node of `profile` writes it.
    pub(crate) fn to_text(&self, profile: Profile) -> String {
        match profile {
            Profile::V10 => self.to_json(profile).to_string(),
            // Nothing is left out, so no tree of values is wanted on the way: a node writes a row for
            // everybody who comes, and one for each who is there already.
            // Only maps with keys other than texts could fail.
            Profile::Modern => serde_json::to_string(self).unwrap_or_default(),
        }
    }
}
