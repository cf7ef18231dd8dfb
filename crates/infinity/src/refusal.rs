//! Every way in which a node says no.
//!
//! What a refusal is follows from the HTTP status code and the shape of `result`; `status` says
//! "success" as often as not.

use std::fmt;

use serde_json::Value;

mod decode;
mod encode;

/// Which PINs a conference wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinWanted {
    /// Whether hosts need one.
    pub host_required: bool,
    /// Whether guests need one. Where they do not, they join with [`crate::Pin::none`].
    pub guest_required: bool,
}

/// What kind of Virtual Reception asks for the alias to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceptionKind {
    /// Towards conferences of this installation.
    Standard,
    /// Towards Microsoft conferences.
    Mssip,
    /// Some other kind.
    Unknown(String),
}

/// A place where users prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// What users call it.
    pub name: String,
    /// Its id.
    pub uuid: String,
}

/// What there is not enough of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// `Out of resource`.
    Resource,
    /// `Out of transcoding resource`.
    Transcoding,
    /// `Participant limit reached`.
    Participants,
    /// `Insufficient licenses`.
    Licences,
    /// `Out of proxying resource`.
    Proxying,
}

/// Why a Conferencing Node refused a request, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The conference wants a PIN. After a PIN was given, this says that it was wrong.
    #[error("the conference wants a PIN{}: give the one of this conference", .0.whose())]
    PinWanted(PinWanted),
    /// The PIN is wrong.
    #[error("the PIN is wrong: check it with the host of the conference")]
    InvalidPin,
    /// The role asked for is not given to us.
    #[error("the node does not give us the role asked for: join without one, or with a host's PIN")]
    InvalidRole,
    /// A Virtual Reception asks which conference to connect to.
    #[error(
        "this is a Virtual Reception{}: say which conference it shall connect to{}",
        if .pin.is_some() { " that wants a PIN" } else { "" },
        if .pin.is_some() { ", and give its PIN" } else { "" },
    )]
    VirtualReception {
        /// Its kind.
        kind: ReceptionKind,
        /// The PIN it wants besides.
        pin: Option<PinWanted>,
    },
    /// The conference admits only users that an identity provider vouches for.
    #[error(
        "the conference wants a sign-in at {}, which needs a person: \
         ask its owner to let this participant in without one", names(.0)
    )]
    IdentityWanted(Vec<IdentityProvider>),
    /// The user is to sign in at an address with a browser.
    #[error(
        "the conference wants a sign-in with a browser, which needs a person: \
         ask its owner to let this participant in without one"
    )]
    Redirect {
        /// Where.
        url: String,
    },
    /// The sign-in failed.
    #[error("the sign-in was refused: ask the owner of the conference")]
    SignInFailed,
    /// The node wants a name.
    #[error("the node wants a display name: give one")]
    DisplayNameWanted,
    /// The token is not valid, or no longer.
    #[error("the node does not know our token any more: join again")]
    InvalidToken,
    /// A proxy in front of the node wants a user name and password.
    #[error(
        "the node, or a proxy before it, wants a user name and password: \
         put them into the address of the node"
    )]
    BadHttpCredentials,
    /// There is no such conference.
    #[error(
        "the node knows no such conference: check the alias, \
         and whether it is written with or without its domain"
    )]
    NoSuchConference,
    /// The Virtual Reception cannot connect to what we asked for.
    #[error("the Virtual Reception knows no such conference: check the extension")]
    NoSuchExtension,
    /// There is no Conferencing Node at this address.
    #[error("there is no Conferencing Node at this address: check it")]
    NoSuchNode,
    /// Something else than a Conferencing Node answered: a web server, or a proxy on the way.
    #[error(
        "something else than a Conferencing Node answered (HTTP {code}): \
         check the address, and what lies on the way"
    )]
    NotOfANode {
        /// The HTTP status code.
        code: u16,
    },
    /// This address sends its clients to another one.
    #[error(
        "the address of the node leads elsewhere (HTTP {code}): name the one it leads to, \
         often https:// instead of http://"
    )]
    Moved {
        /// The HTTP status code.
        code: u16,
    },
    /// The port speaks HTTPS, and was spoken to in plain HTTP.
    #[error("this port speaks HTTPS: write https:// in the address of the node")]
    TlsWanted,
    /// What the request was about does not exist: a participant or call that is gone, or a request
    /// that this node does not know.
    #[error("the node knows nothing of the kind ({0}): it is gone, or this node is too old for it")]
    NotFound(String),
    /// The node takes no newcomers for the time being.
    #[error("the node is in maintenance: try another one, or later")]
    Maintenance,
    /// There is no room for another participant.
    #[error("there is no room for another participant ({0}): try another node, or later")]
    CapacityReached(Capacity),
    /// The node, or a proxy before it, cannot answer at the moment.
    #[error("the node cannot answer at the moment (HTTP {0}): try again")]
    Unavailable(u16),
    /// The request is for hosts, or otherwise not for us.
    #[error("the node does not allow this to us ({0})")]
    Denied(String),
    /// Anything else.
    #[error("the node refused (HTTP {code}: {text})")]
    Other {
        /// The HTTP status code.
        code: u16,
        /// What it said.
        text: String,
    },
}

/// What is worth doing about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try the same again after a while.
    Retry,
    /// Try another node, or the same after a while.
    NextNode,
    /// Ask for a new token.
    JoinAgain,
    /// Ask the user for what is missing: a PIN, an alias.
    Ask,
    /// Nothing: it would be refused again.
    GiveUp,
}

impl Refusal {
    /// Reads a refusal; `code` is an HTTP status code other than 2xx.
    pub fn decode(code: u16, body: &[u8]) -> Self {
        decode::decode(code, body)
    }

    /// Returns what is worth doing about it. One arm per variant, so that a new one must decide.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::PinWanted(_)
            | Self::InvalidPin
            | Self::VirtualReception { .. }
            | Self::NoSuchExtension
            | Self::DisplayNameWanted => Remedy::Ask,
            Self::InvalidToken => Remedy::JoinAgain,
            Self::NoSuchNode
            | Self::NotOfANode { .. }
            | Self::Moved { .. }
            | Self::TlsWanted
            | Self::Maintenance
            | Self::CapacityReached(_) => Remedy::NextNode,
            Self::Unavailable(_) => Remedy::Retry,
            Self::InvalidRole
            | Self::IdentityWanted(_)
            | Self::Redirect { .. }
            | Self::SignInFailed
            | Self::BadHttpCredentials
            | Self::NoSuchConference
            | Self::NotFound(_)
            | Self::Denied(_)
            | Self::Other { .. } => Remedy::GiveUp,
        }
    }
}

impl PinWanted {
    fn whose(self) -> &'static str {
        match (self.host_required, self.guest_required) {
            (true, true) | (false, false) => "",
            (true, false) => " of hosts",
            (false, true) => " of guests",
        }
    }
}

impl Capacity {
    const ALL: [Self; 5] = [
        Self::Resource,
        Self::Transcoding,
        Self::Participants,
        Self::Licences,
        Self::Proxying,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Resource => "Out of resource",
            Self::Transcoding => "Out of transcoding resource",
            Self::Participants => "Participant limit reached",
            Self::Licences => "Insufficient licenses",
            Self::Proxying => "Out of proxying resource",
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

fn names(providers: &[IdentityProvider]) -> String {
    let names: Vec<_> = providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    if names.is_empty() {
        "an identity provider".to_owned()
    } else {
        names.join(" or ")
    }
}

/// Texts that both directions must agree on.
mod texts {
    pub(super) const INVALID_PIN: &str = "Invalid PIN";
    pub(super) const INVALID_ROLE: &str = "Invalid role";
    pub(super) const INVALID_TOKEN: &str = "Invalid token";
    pub(super) const SIGN_IN_FAILED: &str = "SSO Authentication Failed";
    pub(super) const NO_SUCH_CONFERENCE: &str = "Neither conference nor gateway found";
    pub(super) const NO_SUCH_EXTENSION: &str = "Conference extension not found";
    pub(super) const MAINTENANCE: &str = "System in maintenance mode";
}

/// Returns a text out of a JSON object; empty if it has none of that name.
fn text_of<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}
