//! The decision maker: what a participant of a conference does next, and nothing else.
//!
//! It does no IO, reads no clock, awaits nothing and never fails. The caller feeds it what the
//! world did ([`Input`], with the time), carries out what it says ([`Output`]) and calls back when
//! it wants to be called ([`Participant::poll_timeout`]). Media does not pass through here, only
//! the word when it may start and must stop.
//!
//! Inside, three small machines stand side by side, each with its table of transitions: the token,
//! the event stream and the call.
//!
//! | To | Start at |
//! |---|---|
//! | drive a participant | [`Participant`] |
//! | know what a driver must do | [`Output`] |
//! | know what a driver must tell | [`Input`] |
//! | show what goes on | [`Notice`], [`Standing`] |
#![warn(missing_docs)]

mod back_off;
mod call;
mod candidates;
mod departure;
mod event_stream;
mod failure;
mod input;
mod ladder;
mod notice;
mod options;
mod outbox;
mod output;
mod participant;
mod presence;
mod roster;
mod state;
mod timer;
mod token;

pub use failure::RequestFailure;
pub use input::{EventStreamInput, Input, LeaveReason, PeerInput, StreamEnd};
pub use notice::{Milestone, Notice};
pub use options::{Options, Rejoin};
pub use outbox::time_limit;
pub use output::{
    EventStreamCommand, Gather, IceServers, MediaCommand, Outgoing, Output, PeerCommand, PeerId,
    RequestId, StreamId,
};
pub use participant::Participant;
pub use presence::Presence;
pub use roster::Roster;
pub use state::{Exit, Standing, State, Trouble};
pub use timer::Timer;
pub use token::Membership;
