//! The practice node: a Conferencing Node that people use alone to test their own clients.
//!
//! It speaks the client REST API v2 as a real node does, in the spelling of an [`infinity::Profile`],
//! over HTTPS and over plain HTTP on loopback, and its conferences have real media.
//!
//! | Module | Holds |
//! |---|---|
//! | [`conference`] | who is in, who may do what, who is told: without IO |
//! | `http` | the shell around it: HTTP, event streams, effects carried out, the operator's view |
//! | [`room`] | the media of a conference |
//! | [`fault`] | what goes wrong on purpose |
//! | [`settings`], [`conference_settings`] | what a node is told before it starts |
//!
//! Start at [`Node::start`].
#![warn(missing_docs)]

pub mod conference;
pub mod conference_settings;
mod error;
mod excuse;
pub mod fault;
mod handler;
mod http;
mod ice_servers;
mod node;
mod operator;
pub mod room;
pub mod settings;
mod tls;

pub use conference_settings::{ConferenceSettings, Guests, Service};
pub use error::NodeError;
pub use excuse::{Excuse, UnknownExcuse};
pub use fault::{Fault, Faults, UnknownFault};
pub use handler::{Handler, UnknownHandler};
pub use ice_servers::IceServers;
pub use node::{Node, RunningNode};
pub use operator::{OperatorToken, WeakOperatorToken};
pub use settings::{HttpCredentials, NodeSettings, SettingsError, TlsIdentity};
