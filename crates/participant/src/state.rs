//! How it stands with a participant, and how it ended.

use std::{fmt, time::Instant};

use infinity::ReceptionKind;

use crate::{LeaveReason, RequestFailure};

/// How it stands with a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has been asked for.
    Idle,
    /// A token has been asked for, or will be after a pause.
    Joining,
    /// The conference wants a PIN we do not have. Final.
    PinWanted,
    /// There is a token; the roster does not show us yet, or media does not flow yet.
    Connecting,
    /// Held in the waiting room.
    WaitingRoom,
    /// The roster shows us and media flows, if media is wanted.
    InConference,
    /// We were in the conference, and something is missing which is being mended.
    Degraded(Trouble),
    /// On the way out: the call and the token are being given back.
    Leaving,
    /// A host has removed us, or the node has forgotten us. Final.
    Removed,
    /// It is over. Final.
    Stopped,
}

/// What is missing while a participant is degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No media flows.
    Media,
    /// No events come.
    EventStream,
    /// The token could not be refreshed so far.
    Token,
    /// The roster does not show us.
    Roster,
}

/// How it stands, since when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How it stands.
    pub state: State,
    /// Since when.
    pub since: Instant,
    /// Why, as half a sentence for a person to read.
    pub why: String,
}

/// How a participant ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As asked, with everything given back that could be.
    Left(LeaveReason),
    /// A host, or the node, has removed us.
    Removed {
        /// Why, in the node's words; may be empty.
        reason: String,
    },
    /// The conference wants a PIN, and none was given.
    PinWanted,
    /// The PIN that was given is wrong.
    PinWrong,
    /// A Virtual Reception wants to know where to connect to, and nothing was given.
    ExtensionWanted {
        /// Its kind.
        kind: ReceptionKind,
        /// Whether it wants a PIN too, and none was given.
        wants_pin: bool,
    },
    /// Nobody let us in from the waiting room.
    WaitingRoomTimedOut,
    /// The node cannot be reached, cannot be trusted, or refused us.
    Refused(RequestFailure),
    /// The node admitted us, but the call did not come about or was lost beyond repair.
    CallFailed(String),
    /// The token was lost, and joining again was not wanted.
    Lost(String),
    /// We were not in the conference in time.
    JoinTimedOut {
        /// What was missing.
        missing: &'static str,
    },
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left(LeaveReason::Finished) => f.write_str("left the conference, all done"),
            Self::Left(LeaveReason::Stopped) => f.write_str("left the conference, as asked"),
            Self::Left(LeaveReason::Interrupted) => f.write_str("left the conference, interrupted"),
            Self::Left(LeaveReason::Failed) => f.write_str("left the conference after a failure"),
            Self::Removed { reason } if reason.is_empty() => {
                f.write_str("removed from the conference, the node does not say why")
            }
            Self::Removed { reason } => write!(f, "removed from the conference: {reason}"),
            Self::PinWanted => f.write_str("the conference wants a PIN: give one"),
            Self::PinWrong => {
                f.write_str("the PIN is wrong: check it with the host of the conference")
            }
            Self::ExtensionWanted { kind, wants_pin } => {
                let (towards, what) = match kind {
                    ReceptionKind::Mssip => (" towards Microsoft conferences", "conference id"),
                    _ => ("", "conference"),
                };
                let (also, pin) = match wants_pin {
                    true => (" that wants a PIN too", "its PIN, and "),
                    false => ("", ""),
                };
                write!(
                    f,
                    "this is a Virtual Reception{towards}{also}: give {pin}the {what} to connect to"
                )
            }
            Self::WaitingRoomTimedOut => f.write_str(
                "nobody let us in from the waiting room: ask a host to, or to unlock the conference",
            ),
            Self::Refused(failure) => failure.fmt(f),
            Self::CallFailed(why) => write!(f, "the call failed: {why}"),
            Self::Lost(why) => write!(f, "lost the conference: {why}"),
            Self::JoinTimedOut { missing } => {
                write!(f, "not in the conference in time: {missing}")
            }
        }
    }
}

/// What the state of a participant follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) is_asked_to_join: bool,
    /// Whether we are on the way out for good.
    pub(crate) is_stopping: bool,
    pub(crate) has_token: bool,
    pub(crate) is_listed: bool,
    pub(crate) is_waiting: bool,
    /// Whether there is to be a call at all.
    pub(crate) wants_media: bool,
    pub(crate) media_flows: bool,
    pub(crate) events_flow: bool,
    pub(crate) token_is_fresh: bool,
    /// Whether we have been in the conference with this token.
    pub(crate) has_been_in: bool,
}

impl Facts {
    pub(crate) fn state(self) -> State {
        if !self.is_asked_to_join {
            State::Idle
        } else if self.is_stopping {
            State::Leaving
        } else if !self.has_token {
            State::Joining
        } else if self.is_waiting {
            State::WaitingRoom
        } else if let Some(trouble) = self.trouble() {
            if self.has_been_in {
                State::Degraded(trouble)
            } else {
                State::Connecting
            }
        } else {
            State::InConference
        }
    }

    fn trouble(self) -> Option<Trouble> {
        if !self.is_listed {
            Some(Trouble::Roster)
        } else if self.wants_media && !self.media_flows {
            Some(Trouble::Media)
        } else if !self.events_flow {
            Some(Trouble::EventStream)
        } else if !self.token_is_fresh {
            Some(Trouble::Token)
        } else {
            None
        }
    }

    /// Returns what keeps us from being in the conference.
    pub(crate) fn what_is_missing(self) -> &'static str {
        if !self.has_token {
            return "there is no token";
        }
        match self.trouble() {
            Some(Trouble::Roster) => "the roster does not show us",
            Some(Trouble::Media) => "no media flows",
            Some(Trouble::EventStream) => "no events come",
            Some(Trouble::Token) => "the token could not be refreshed",
            None => "nothing is missing",
        }
    }

    /// Returns why the state is what it is.
    pub(crate) fn why(self) -> &'static str {
        match self.state() {
            State::Idle => "not asked to join",
            State::Joining => "a token is being asked for",
            State::Connecting | State::Degraded(_) => self.what_is_missing(),
            State::WaitingRoom => "a host has to let us in",
            State::InConference if self.wants_media => "the roster shows us and media flows",
            State::InConference => "the roster shows us",
            State::Leaving => "the call and the token are being given back",
            State::PinWanted | State::Removed | State::Stopped => "it is over",
        }
    }
}

impl Exit {
    /// Returns the state a participant is in after such an end.
    pub(crate) fn state(&self) -> State {
        match self {
            Self::Removed { .. } => State::Removed,
            Self::PinWanted | Self::PinWrong => State::PinWanted,
            Self::Left(_)
            | Self::ExtensionWanted { .. }
            | Self::WaitingRoomTimedOut
            | Self::Refused(_)
            | Self::CallFailed(_)
            | Self::Lost(_)
            | Self::JoinTimedOut { .. } => State::Stopped,
        }
    }
}
