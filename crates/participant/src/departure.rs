//! The way out: the call and the token are given back, whatever else is going on.

use infinity::{ConferenceAlias, Token};

use crate::Exit;

/// The way out.
///
/// | In          | On                                        | Go          | Do                    |
/// |-------------|-------------------------------------------|-------------|-----------------------|
/// | –           | depart                                    | `Settling`  | close the event stream and the peer connection, `calls/…/disconnect` |
/// | `Settling`  | nothing is under way that may bring a token or a call | `Releasing` | `release_token` |
/// | `Settling`  | 1 s passed, 2 s if a token was asked for, and we stop | `Releasing` | `release_token` |
/// | `Releasing` | a reply, or 2 s passed                    | –           | stop, or join again   |
///
/// A departure that ends in joining again waits for the token request under way however long it
/// takes, so that there are never two.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) step: Step,
    pub(crate) then: Then,
    /// Whether what we wait for has had its time.
    pub(crate) is_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Waiting for replies that may bring something that must be given back.
    Settling,
    /// Waiting for the reply to `release_token`.
    Releasing,
}

/// What comes after.
#[derive(Debug)]
pub(crate) enum Then {
    /// Nothing.
    Stop(Exit),
    /// The same conference again.
    JoinAgain { why: String, next_node: bool },
    /// The conference we were sent to.
    Follow {
        conference: ConferenceAlias,
        token: Option<Token>,
    },
}

impl Departure {
    pub(crate) fn new(then: Then) -> Self {
        Self {
            step: Step::Settling,
            then,
            is_late: false,
        }
    }
}
