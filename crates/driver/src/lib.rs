//! Carries out what a participant decides: requests, the event stream, the peer connection, the
//! media pump.
//!
//! A [`Caller`] is one participant with everything that belongs to it, on one [`peer::Shard`]. It
//! is told once what to do ([`CallerSettings`]), tells what happens to it ([`Notice`]) and ends
//! with an [`Outcome`]. Bot, announcer and load caller are the same caller. It decides nothing
//! about the conference: that is `participant`'s; it encodes nothing: that is `media`'s.
//!
//! | To | Start at |
//! |---|---|
//! | join a conference | [`start`] |
//! | make single requests, without media | [`api::Conference`] |
//! | open what is to be played | [`Material::open`] |
//! | know why it ended | [`EndReason`] |
#![warn(missing_docs)]

mod account;
pub mod api;
mod arrived;
mod caller;
mod discovery;
mod events;
mod figures;
mod frames;
mod gate;
mod http;
mod level;
mod listening;
mod material;
mod names;
mod notice;
mod outcome;
mod path;
mod picture;
mod placement;
mod proxy;
mod pump;
mod receive;
mod recording;
mod rest;
mod run;
mod seconds;
mod settings;
mod sinks;
mod sources;
mod statistics;
mod tls;

pub use account::{Received, ReceivedMedia};
pub use arrived::{ArrivedFrame, FrameQueue};
pub use caller::{Caller, Stopper, start};
pub use discovery::{DiscoveryError, NodeAddress, find_nodes};
pub use figures::{Answer, Figures, Gauge};
pub use frames::Frames;
pub use http::{HttpClient, Login, shown};
pub use listening::{AudioStats, InboundStats, VideoStats};
pub use material::Material;
pub use notice::{
    JoinStep, JoinTimes, Notice, NoticeKind, Other, OwnRow, Report, RosterFacts, State, Warning,
};
pub use outcome::{EndReason, Outcome, StopReason};
pub use path::MediaPath;
pub use settings::{CallerSettings, Network, Program, Rejoin};
pub use sinks::{Form, SinkNews, SinkSpec};
pub use tls::{Tls, TlsError};

/// Where callers run, and how their media leaves; see [`peer`].
pub use peer::{Dscp, Impairment, PeerStats, PortRange, Shard, Shards};

/// What a caller says to the node, in the words of the wire.
pub use infinity::{ConferenceAlias, Pin};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod scripted;
