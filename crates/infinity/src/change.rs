//! What can be changed about a participant, by itself or by a host.

use serde::{Deserialize, Serialize};

use crate::{ParticipantPath, Role, lenient, roster::role_in_row};

/// A change of how a participant stands in the conference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has muted itself.
    ClientMute,
    /// It has unmuted itself.
    ClientUnmute,
    /// Its picture is not to be shown.
    VideoMute,
    /// Its picture may be shown again.
    VideoUnmute,
    /// It comes into the spotlight, behind those who are there already.
    SpotlightOn,
    /// It leaves the spotlight.
    SpotlightOff,
    /// It may see presentations.
    AllowRxPresentation,
    /// It may not see presentations.
    DenyRxPresentation,
    /// It raises its hand.
    Buzz,
    /// Its hand is lowered.
    ClearBuzz,
    /// It becomes a host, or a guest.
    Role(RoleChange),
    /// Another text stands over its picture.
    OverlayText(OverlayText),
}

/// The body of `role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChange {
    /// The role to take; `chair` or `guest` on the wire.
    #[serde(with = "role_in_row")]
    pub role: Role,
}

/// The body of `overlaytext`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayText {
    /// What to show.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
}

impl Change {
    /// Returns the name of the request, for logs and errors.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ClientMute => "participants/…/client_mute",
            Self::ClientUnmute => "participants/…/client_unmute",
            Self::VideoMute => "participants/…/video_muted",
            Self::VideoUnmute => "participants/…/video_unmuted",
            Self::SpotlightOn => "participants/…/spotlighton",
            Self::SpotlightOff => "participants/…/spotlightoff",
            Self::AllowRxPresentation => "participants/…/allowrxpresentation",
            Self::DenyRxPresentation => "participants/…/denyrxpresentation",
            Self::Buzz => "participants/…/buzz",
            Self::ClearBuzz => "participants/…/clearbuzz",
            Self::Role(_) => "participants/…/role",
            Self::OverlayText(_) => "participants/…/overlaytext",
        }
    }

    /// Returns where the request goes below its participant.
    pub(crate) fn path(&self) -> ParticipantPath {
        match self {
            Self::ClientMute => ParticipantPath::ClientMute,
            Self::ClientUnmute => ParticipantPath::ClientUnmute,
            Self::VideoMute => ParticipantPath::VideoMuted,
            Self::VideoUnmute => ParticipantPath::VideoUnmuted,
            Self::SpotlightOn => ParticipantPath::SpotlightOn,
            Self::SpotlightOff => ParticipantPath::SpotlightOff,
            Self::AllowRxPresentation => ParticipantPath::AllowRxPresentation,
            Self::DenyRxPresentation => ParticipantPath::DenyRxPresentation,
            Self::Buzz => ParticipantPath::Buzz,
            Self::ClearBuzz => ParticipantPath::ClearBuzz,
            Self::Role(_) => ParticipantPath::Role,
            Self::OverlayText(_) => ParticipantPath::OverlayText,
        }
    }

    /// Returns the change that a path names, if it needs no body.
    pub fn without_body(path: &ParticipantPath) -> Option<Self> {
        Some(match path {
            ParticipantPath::ClientMute => Self::ClientMute,
            ParticipantPath::ClientUnmute => Self::ClientUnmute,
            ParticipantPath::VideoMuted => Self::VideoMute,
            ParticipantPath::VideoUnmuted => Self::VideoUnmute,
            ParticipantPath::SpotlightOn => Self::SpotlightOn,
            ParticipantPath::SpotlightOff => Self::SpotlightOff,
            ParticipantPath::AllowRxPresentation => Self::AllowRxPresentation,
            ParticipantPath::DenyRxPresentation => Self::DenyRxPresentation,
            ParticipantPath::Buzz => Self::Buzz,
            ParticipantPath::ClearBuzz => Self::ClearBuzz,
            _ => return None,
        })
    }
}
