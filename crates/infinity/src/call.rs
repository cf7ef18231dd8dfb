//! `calls` and what is below it: the media leg.

use serde::{Deserialize, Serialize};

use crate::{CallUuid, TurnServer, lenient, open_enum::open_enum};

open_enum! {
    /// What kind of call is asked for.
    CallType {
        /// WebRTC.
        Webrtc = "WEBRTC",
        /// A stream.
        Rtmp = "RTMP",
    }
}

open_enum! {
    /// What a call does with the presentation.
    Present {
        /// The call carries the presentation we send.
        Send = "send",
        /// The call carries the presentation we receive.
        Receive = "receive",
        /// The presentation replaces the main picture.
        Main = "main",
    }
}

/// The body of `calls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The kind of call.
    pub call_type: CallType,
    /// The offer (RFC 8866).
    #[serde(default, deserialize_with = "lenient::text")]
    pub sdp: String,
    /// What the call does with the presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Present>,
}

impl Calls {
    /// Returns the body for an offer of main sound and picture.
    pub fn offer(sdp: String) -> Self {
        Self {
            call_type: CallType::Webrtc,
            sdp,
            present: None,
        }
    }
}

/// The result of `calls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAccepted {
    /// The id of the new call.
    pub call_uuid: CallUuid,
    /// The answer. Empty where peers shall talk directly.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sdp: String,
    /// TURN servers for this call.
    #[serde(
        default,
        deserialize_with = "lenient::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub turn: Vec<TurnServer>,
}

/// An answer with no SDP in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node answered without SDP: it wants media from peer to peer, which is not supported")]
pub struct EmptySdp;

impl CallAccepted {
    /// Returns the answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn answer(&self) -> Result<&str, EmptySdp> {
        if self.sdp.trim().is_empty() {
            Err(EmptySdp)
        } else {
            Ok(&self.sdp)
        }
    }
}

/// The body of `new_candidate`, and the data of the event of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewCandidate {
    /// The candidate (RFC 8839 §5.1); empty: there are no more.
    #[serde(default, deserialize_with = "lenient::text")]
    pub candidate: String,
    /// The `a=mid` of the m-line it belongs to.
    #[serde(default, deserialize_with = "lenient::text")]
    pub mid: String,
    /// The user name fragment of the ICE generation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ufrag: Option<String>,
    /// The password of that generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwd: Option<String>,
}

impl NewCandidate {
    /// Returns whether this says that there are no more candidates (RFC 8838 §8.2).
    pub fn is_end(&self) -> bool {
        self.candidate.is_empty()
    }
}

/// The body of `update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The new offer.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sdp: String,
}

/// The result of `update`: an object in newer nodes, the bare SDP in older ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateAccepted {
    /// The id of the call; absent where the node answered with bare SDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_uuid: Option<CallUuid>,
    /// The new answer.
    pub sdp: String,
}

impl<'de> Deserialize<'de> for UpdateAccepted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Sdp(String),
            Object {
                call_uuid: Option<CallUuid>,
                sdp: String,
            },
        }
        Ok(match Spelling::deserialize(deserializer)? {
            Spelling::Sdp(sdp) => Self {
                call_uuid: None,
                sdp,
            },
            Spelling::Object { call_uuid, sdp } => Self { call_uuid, sdp },
        })
    }
}
