//! `calls` and what is below it: the media leg.

use serde::{Deserialize, Serialize};

use crate::{CallUuid, TurnServer, ice_servers, lenient, open_enum::open_enum};

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
    /// The offer (RFC 8866); a stream has none.
    #[serde(
        default,
        deserialize_with = "lenient::text",
        skip_serializing_if = "String::is_empty"
    )]
    pub sdp: String,
    /// What the call does with the presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Present>,
    /// Whether a stream is a recording rather than a participant; spelt as the text `true`.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        serialize_with = "as_true",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub streaming: bool,
    /// The most a stream may take each way, in kbit/s.
    #[serde(
        default,
        deserialize_with = "lenient::optional_count",
        skip_serializing_if = "Option::is_none"
    )]
    pub bandwidth: Option<u32>,
}

/// Writes the flag as the guide has it in this request alone.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn as_true<S: serde::Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *flag { "true" } else { "false" })
}

impl Calls {
    /// Returns the body for an offer of main sound and picture.
    pub fn offer(sdp: String) -> Self {
        Self {
            call_type: CallType::Webrtc,
            sdp,
            present: None,
            streaming: false,
            bandwidth: None,
        }
    }

    /// Returns the body for a stream (RTMP), to which the answer gives addresses.
    pub fn stream() -> Self {
        Self {
            call_type: CallType::Rtmp,
            ..Self::offer(String::new())
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
    /// Where the stream of an RTMP call is to be sent or fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The same, with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_url: Option<String>,
    /// TURN servers for this call.
    #[serde(
        default,
        deserialize_with = "ice_servers::turn",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub turn: Vec<TurnServer>,
}

/// What a node of version 10 says in its answer to `calls`.
pub(crate) const ACCEPTED_V10: &[&str] = &["call_uuid", "sdp", "url", "secure_url"];

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
