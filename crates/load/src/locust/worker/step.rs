//! What happens to a worker, and what it does then.

use std::collections::BTreeMap;
use std::time::Duration;

use driver::StopReason;

use crate::Role;
use crate::locust::message::{FromMaster, ToMaster};

/// What happened.
#[derive(Debug)]
pub(in crate::locust) enum Input {
    /// The connection is there.
    Up,
    /// The connection is not there.
    Down(String),
    /// The master said this.
    Message(FromMaster),
    /// Every caller has left that was told to.
    AllGone,
    /// The worker is to end.
    Stop(StopReason),
    /// The time of [`super::Worker::poll_timeout`] has come.
    Timer,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(in crate::locust) enum Output {
    /// Send this.
    Send(ToMaster),
    /// Send a heartbeat with this state.
    Heartbeat(&'static str),
    /// Send what was counted, with [`super::Worker::counts`].
    Report,
    /// A test begins, which takes so long if that is known.
    Begin(Option<Duration>),
    /// There shall be so many callers of each role; nobody of those left out.
    Callers(BTreeMap<Role, usize>),
    /// Everyone shall leave; tell when they have ([`Input::AllGone`]).
    Leave,
    /// Make a new connection, with a new id or the old one.
    Connect {
        /// A worker that no master has heard of.
        anew: bool,
    },
    /// Tell people.
    Tell(Event),
    /// It is over.
    End(End),
}

/// What people are told about the master.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It took us as its worker of this number.
    Accepted(Option<u64>),
    /// It cannot be reached; it is tried again.
    Unreachable(String),
    /// It wants so many callers of each user class.
    Wanted(BTreeMap<String, u64>),
    /// Part of its wish cannot be had, for this reason.
    Complaint(String),
    /// It ended the test: everyone leaves.
    Stopped,
    /// It ended the test and wants no more of us.
    Quit,
    /// It is gone, or does not know us any more: everyone leaves.
    Silent,
}

/// How the work of a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The master said so.
    Quit,
    /// Whoever runs the worker said so.
    Stopped(StopReason),
    /// There is no master, for this reason.
    NoMaster(String),
}
