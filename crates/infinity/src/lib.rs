//! The client REST API v2 of Pexip Infinity as types: requests, responses, events, paths, ids and
//! secrets.
//!
//! The same types serve a client and a Conferencing Node. A client decodes leniently: numbers as
//! text or numbers, unknown fields, any spelling of `status`. A node encodes strictly, exactly as
//! the official clients demand, in the spelling of a [`Profile`]. Nothing here does any IO, keeps
//! any state or reads a clock.
//!
//! | To | Start at |
//! |---|---|
//! | send a request, read its answer | [`Request`], [`Command::decode_response`] |
//! | answer a request | [`Path::decode`], [`Response::encode`], [`Refusal::encode`] |
//! | read or write an event | [`Event::decode`], [`Event::encode`] |
//! | know why a node said no | [`Refusal`], [`Refusal::remedy`] |
#![warn(missing_docs)]

mod call;
mod change;
mod command;
mod conference;
mod dial;
mod dtmf;
mod envelope;
pub mod event;
mod ice_servers;
mod ids;
mod lenient;
mod open_enum;
mod path;
mod profile;
mod refusal;
mod response;
mod roster;
mod secrets;
mod statistics;
mod token;
mod transfer;
mod version;

pub use call::{
    CallAccepted, CallType, Calls, EmptySdp, NewCandidate, Present, Update, UpdateAccepted,
};
pub use change::{Change, OverlayText, RoleChange};
pub use command::{Command, Request};
pub use conference::{ConferenceStatus, MessageText};
pub use dial::{Dial, DialRole};
pub use dtmf::{Digits, DigitsError, Dtmf};
pub use envelope::{Failure, Malformed, Reply};
pub use event::{Event, EventError, EventText};
pub use ice_servers::{StunServer, TurnServer};
pub use ids::{AliasError, CallUuid, ConferenceAlias, ParticipantUuid};
pub use path::{CallPath, ConferencePath, Method, ParticipantPath, Path, token_in_query};
pub use profile::Profile;
pub use refusal::{Capacity, IdentityProvider, PinWanted, ReceptionKind, Refusal, Remedy};
pub use response::Response;
pub use roster::{CallDirection, ParticipantRow, Protocol, Role, ServiceType, VideoMix};
pub use secrets::{Credential, Pin, Token};
pub use statistics::{MediaStatistics, Statistics};
pub use token::{MediaType, ReleaseToken, RequestToken, TokenGranted, TokenRefreshed};
pub use transfer::Transfer;
pub use version::Version;
