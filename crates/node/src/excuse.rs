//! What a node can be told to answer newcomers with, so that a client can be tried against every no.

use std::fmt;
use std::str::FromStr;

use infinity::{Capacity, IdentityProvider, Profile, Refusal, Version};

/// What another web server says of a page that it does not have.
const NOT_FOUND: &str = "<html><head><title>404 Not Found</title></head><body></body></html>\r\n";
/// What a proxy says of a node that it cannot reach.
const BAD_GATEWAY: &str =
    "<html><head><title>502 Bad Gateway</title></head><body></body></html>\r\n";
/// What a proxy says of a node that takes too long.
const TIMEOUT: &str =
    "<html><head><title>504 Gateway Time-out</title></head><body></body></html>\r\n";
/// What a network that wants its users to sign in says to everything.
const SIGN_IN: &str = "<html><head><title>Welcome</title></head><body>Sign in</body></html>\r\n";

/// One answer to `request_token` that admits nobody. The names say what a person would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Excuse {
    /// 403: users are to prove who they are to an identity provider.
    Identity,
    /// 403: users are to sign in with a browser.
    Redirect,
    /// 403: the sign-in failed.
    SignInFailed,
    /// 403: the role is not given.
    InvalidRole,
    /// 403: a name is wanted.
    DisplayName,
    /// 404 in HTML: another web server.
    NoNode,
    /// 415: the node does not like the kind of body.
    MediaType,
    /// 500: the node has failed.
    Internal,
    /// 502 in HTML: a proxy cannot reach the node.
    BadGateway,
    /// 503: there is no room for a participant.
    OutOfResource,
    /// 503: there is no room for a call.
    OutOfTranscoding,
    /// 503: there is no room behind a proxying node.
    OutOfProxying,
    /// 503: the conference is full.
    ParticipantLimit,
    /// 403, as some nodes have it: the conference is full.
    ParticipantLimitForbidden,
    /// 503: there are too few licences.
    Licences,
    /// 403, as some nodes have it: there are too few licences.
    LicencesForbidden,
    /// 504 in HTML: a proxy waits for the node in vain.
    GatewayTimeout,
    /// 200 in HTML: a network that wants its users to sign in.
    NotJson,
}

/// An answer as it goes out.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: String,
    pub(crate) is_json: bool,
}

impl Excuse {
    /// Every excuse, in the order of their HTTP status codes.
    pub const ALL: [Self; 18] = [
        Self::NotJson,
        Self::Identity,
        Self::Redirect,
        Self::SignInFailed,
        Self::InvalidRole,
        Self::DisplayName,
        Self::ParticipantLimitForbidden,
        Self::LicencesForbidden,
        Self::NoNode,
        Self::MediaType,
        Self::Internal,
        Self::BadGateway,
        Self::OutOfResource,
        Self::OutOfTranscoding,
        Self::OutOfProxying,
        Self::ParticipantLimit,
        Self::Licences,
        Self::GatewayTimeout,
    ];

    /// The name it goes by on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Redirect => "redirect",
            Self::SignInFailed => "sign-in-failed",
            Self::InvalidRole => "invalid-role",
            Self::DisplayName => "display-name",
            Self::NoNode => "no-node",
            Self::MediaType => "media-type",
            Self::Internal => "internal",
            Self::BadGateway => "bad-gateway",
            Self::OutOfResource => "out-of-resource",
            Self::OutOfTranscoding => "out-of-transcoding",
            Self::OutOfProxying => "out-of-proxying",
            Self::ParticipantLimit => "participant-limit",
            Self::ParticipantLimitForbidden => "participant-limit-403",
            Self::Licences => "licences",
            Self::LicencesForbidden => "licences-403",
            Self::GatewayTimeout => "gateway-timeout",
            Self::NotJson => "not-json",
        }
    }

    /// The answer, as a node of this profile and version would give it.
    pub(crate) fn answer(self, profile: Profile, version: &Version) -> Answer {
        let html = |code, body: &str| Answer {
            code,
            body: body.to_owned(),
            is_json: false,
        };
        let other = |code, text: &str| Refusal::Other {
            code,
            text: text.to_owned(),
        };
        let refusal = match self {
            Self::NoNode => return html(404, NOT_FOUND),
            Self::BadGateway => return html(502, BAD_GATEWAY),
            Self::GatewayTimeout => return html(504, TIMEOUT),
            Self::NotJson => return html(200, SIGN_IN),
            Self::Identity => Refusal::IdentityWanted(vec![IdentityProvider {
                name: "Example ID".to_owned(),
                uuid: "e2a6f3b8-0c7e-4b9d-9df1-1f4c9b7a0001".to_owned(),
            }]),
            Self::Redirect => Refusal::Redirect {
                url: "https://id.example.com/sign-in".to_owned(),
            },
            Self::SignInFailed => Refusal::SignInFailed,
            Self::InvalidRole => Refusal::InvalidRole,
            Self::DisplayName => Refusal::DisplayNameWanted,
            Self::MediaType => other(415, "Unsupported media type"),
            Self::Internal => other(500, "Internal error"),
            Self::OutOfResource => Refusal::CapacityReached(Capacity::Resource),
            Self::OutOfTranscoding => Refusal::CapacityReached(Capacity::Transcoding),
            Self::OutOfProxying => Refusal::CapacityReached(Capacity::Proxying),
            Self::ParticipantLimit => Refusal::CapacityReached(Capacity::Participants),
            Self::Licences => Refusal::CapacityReached(Capacity::Licences),
            // The text decides, whichever code it comes with.
            Self::ParticipantLimitForbidden => other(403, &Capacity::Participants.to_string()),
            Self::LicencesForbidden => other(403, &Capacity::Licences.to_string()),
        };
        let reply = refusal.encode(profile, version);
        Answer {
            code: reply.code,
            body: reply.body,
            is_json: true,
        }
    }
}

impl fmt::Display for Excuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An excuse was named that no node has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no node refuses with {name:?}: choose from {}", list())]
pub struct UnknownExcuse {
    name: String,
}

fn list() -> String {
    Excuse::ALL.map(Excuse::name).join(", ")
}

impl FromStr for Excuse {
    type Err = UnknownExcuse;

    fn from_str(name: &str) -> Result<Self, UnknownExcuse> {
        let mut all = Self::ALL.into_iter();
        all.find(|excuse| excuse.name() == name)
            .ok_or_else(|| UnknownExcuse {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conference::Conference;

    #[test]
    fn each_has_a_name_of_its_own_and_is_understood_as_something_of_its_own() {
        let version = Conference::version(Profile::Modern);
        let mut understood = Vec::new();
        for excuse in Excuse::ALL {
            assert_eq!(excuse.name().parse(), Ok(excuse));
            let answer = excuse.answer(Profile::Modern, &version);
            let is_json = serde_json::from_str::<serde_json::Value>(&answer.body).is_ok();
            assert_eq!(answer.is_json, is_json, "{excuse}");
            if answer.code != 200 {
                let refusal = Refusal::decode(answer.code, answer.body.as_bytes());
                let understood_as = (answer.code, refusal);
                assert!(
                    !understood.contains(&understood_as),
                    "{understood_as:?} twice"
                );
                understood.push(understood_as);
            }
        }
        let unknown = "sorry".parse::<Excuse>().expect_err("no such excuse");
        assert!(unknown.to_string().contains("out-of-resource"), "{unknown}");
    }
}
