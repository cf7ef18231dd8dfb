//! The life of our token.

use std::time::{Duration, Instant};

use infinity::{
    Command, ConferenceAlias, ParticipantUuid, Pin, Response, Role, Token, TokenGranted,
    TokenRefreshed,
};

use crate::{
    Exit, Milestone, Notice, Options, RequestFailure, RequestId, Timer, back_off::BackOff,
    outbox::Outbox,
};

mod joining;
mod releasing;
mod wanted;

use wanted::pin_beside;

/// No token is refreshed again sooner than this, whatever its life.
const SHORTEST_REFRESH: Duration = Duration::from_millis(500);
/// How often a release is tried before the node is left to forget us by itself.
const RELEASE_TRIES: u32 = 3;

/// Who we are at which node, and what proves it.
#[derive(Debug)]
pub struct Membership {
    /// The node that gave the token: an index into the list of nodes.
    pub node: usize,
    /// The conference we are in.
    pub conference: ConferenceAlias,
    /// Who we are in its roster.
    pub participant: ParticipantUuid,
    /// What proves it.
    pub token: Token,
    /// When the token is good for nothing any more, unless it is refreshed.
    pub expires_at: Instant,
}

/// The life of our token. There is never more than one request for or with which it could change
/// under way.
///
/// | In            | On                         | Go           | Do                                |
/// |---------------|----------------------------|--------------|-----------------------------------|
/// | `NoToken`     | join                       | `Requested`  | `request_token`                   |
/// | `NoToken`     | join, after a pause        | `Pausing`    | –                                 |
/// | `Pausing`     | the pause is over          | `Requested`  | `request_token`                   |
/// | `Requested`   | success                    | `Held`       | refresh at half of its life       |
/// | `Requested`   | something is wanted that we have | `Requested` | again with it           |
/// | `Requested`   | failure, another node may do | `Pausing`  | back off once all nodes are tried |
/// | `Requested`   | failure, final, where we were sent | `Pausing` | back to where we came from   |
/// | `Requested`   | failure, final             | `NoToken`    | say so                            |
/// | `Held`        | half of its life, or told to | `Refreshing` | `refresh_token`                 |
/// | `Refreshing`  | success                    | `Held`       | refresh at half of the new life   |
/// | `Refreshing`  | failure, retryable         | `Held`       | back off                          |
/// | `Refreshing`  | failure, final             | `NoToken`    | say that it is gone               |
/// | any with one  | its life is over           | the same     | say that it is gone               |
/// | `Held`, `Refreshing` | release             | `Releasing`  | `release_token`                   |
/// | `Releasing`   | success, refusal, or enough tries | `NoToken` | –                             |
#[derive(Debug)]
enum State {
    NoToken,
    Pausing,
    Requested {
        request: RequestId,
        since: Instant,
    },
    Held(Membership),
    Refreshing {
        membership: Membership,
        request: RequestId,
        since: Instant,
    },
    Releasing {
        membership: Membership,
        request: RequestId,
        tries: u32,
    },
}

/// What the rest of the participant must know.
#[derive(Debug)]
pub(crate) enum TokenNews {
    /// We are a participant.
    Granted(Box<TokenGranted>),
    /// The token was refreshed.
    Refreshed {
        /// Our role, if the node says it.
        role: Option<Role>,
        /// How often the node wants statistics; nothing: it does not say.
        statistics_every: Option<Duration>,
    },
    /// The token is good for nothing any more.
    Gone {
        /// Why.
        why: String,
    },
    /// We will not be given one.
    Refused(Exit),
}

/// Where to ask, and with what.
#[derive(Debug)]
struct Entrance {
    node: usize,
    conference: ConferenceAlias,
    /// The one-time token of a `refer`.
    one_time: Option<Token>,
    pin: Option<Pin>,
    extension: Option<String>,
}

/// A request that nobody waits for any more.
#[derive(Debug)]
struct Abandoned {
    request: RequestId,
    since: Instant,
    node: usize,
    conference: ConferenceAlias,
}

#[derive(Debug)]
pub(crate) struct TokenMachine {
    options: Options,
    state: State,
    entrance: Entrance,
    /// How many nodes have failed us in a row.
    failed_nodes: usize,
    /// Whether we have been in the conference, so that a refusal may be a passing one.
    has_been_in: bool,
    /// Whether we are on the way out, so that nothing is asked for again.
    is_leaving: bool,
    joining: BackOff,
    refreshing: BackOff,
    /// What the node is told when the token is given back.
    reason: Option<String>,
    /// A request that was given up on the way out; a token that still comes of it is released.
    abandoned: Option<Abandoned>,
}

impl TokenMachine {
    pub(crate) fn new(options: Options) -> Self {
        let entrance = Entrance {
            node: 0,
            conference: options.conference.clone(),
            one_time: options.one_time_token.clone(),
            pin: pin_beside(options.one_time_token.as_ref(), &options),
            extension: None,
        };
        Self {
            joining: BackOff::new(options.first_pause, options.longest_pause),
            options,
            state: State::NoToken,
            entrance,
            failed_nodes: 0,
            has_been_in: false,
            is_leaving: false,
            refreshing: BackOff::new(Duration::from_millis(500), Duration::from_secs(15)),
            reason: None,
            abandoned: None,
        }
    }

    /// Returns who we are, while we have a token.
    pub(crate) fn membership(&self) -> Option<&Membership> {
        match &self.state {
            State::Held(membership)
            | State::Refreshing { membership, .. }
            | State::Releasing { membership, .. } => Some(membership),
            State::NoToken | State::Pausing | State::Requested { .. } => None,
        }
    }

    /// Returns whether a request is under way that may bring a token.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(
            self.state,
            State::Requested { .. } | State::Refreshing { .. }
        )
    }

    /// Returns whether a request is under way that may bring a token where there is none.
    pub(crate) fn is_asking_anew(&self) -> bool {
        matches!(self.state, State::Requested { .. })
    }

    /// Returns whether a release is under way.
    pub(crate) fn is_releasing(&self) -> bool {
        matches!(self.state, State::Releasing { .. })
    }

    /// Returns whether the token has not been refreshed in spite of trying.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.refreshing.failures() > 0
    }

    /// Takes note that we have come all the way.
    pub(crate) fn arrived(&mut self) {
        self.has_been_in = true;
        self.failed_nodes = 0;
        self.joining.reset();
    }

    /// Refreshes the token now, unless that is under way.
    pub(crate) fn refresh(&mut self, now: Instant, outbox: &mut Outbox) {
        let State::Held(membership) = &self.state else {
            return;
        };
        // Once its life is over `Timer::Expiry` says so, and nothing is asked with it any more.
        let Some(request) = outbox.request_as(now, membership, Command::RefreshToken) else {
            return;
        };
        outbox.timers.stop(Timer::Refresh);
        if let State::Held(membership) = std::mem::replace(&mut self.state, State::NoToken) {
            self.state = State::Refreshing {
                membership,
                request,
                since: now,
            };
        }
    }

    /// Takes a timer of its own.
    pub(crate) fn handle_timer(
        &mut self,
        now: Instant,
        timer: Timer,
        outbox: &mut Outbox,
    ) -> Option<TokenNews> {
        match (timer, &self.state) {
            (Timer::Join, State::Pausing) => self.join(now, outbox),
            (Timer::Refresh, State::Held(_)) => self.refresh(now, outbox),
            (Timer::Expiry, State::Held(_) | State::Refreshing { .. }) => {
                outbox.timers.stop(Timer::Refresh);
                return Some(expired());
            }
            _ => {}
        }
        None
    }

    /// Takes a reply; hands it back if it is not to a request of this machine's.
    pub(crate) fn handle_reply(
        &mut self,
        now: Instant,
        id: RequestId,
        reply: Result<Response, RequestFailure>,
        outbox: &mut Outbox,
    ) -> Result<Option<TokenNews>, Result<Response, RequestFailure>> {
        match std::mem::replace(&mut self.state, State::NoToken) {
            State::Requested { request, since } if request == id => Ok(match reply {
                Ok(Response::TokenGranted(granted)) => {
                    Some(self.granted(now, since, granted, outbox))
                }
                Ok(_) => self.join_failed(now, unexpected("request_token"), outbox),
                Err(failure) => self.join_failed(now, failure, outbox),
            }),
            State::Refreshing {
                membership,
                request,
                since,
            } if request == id => Ok(match reply {
                Ok(Response::TokenRefreshed(refreshed)) => {
                    Some(self.refreshed(now, since, membership, refreshed, outbox))
                }
                Ok(_) => self.refresh_failed(now, membership, unexpected("refresh_token"), outbox),
                Err(failure) => self.refresh_failed(now, membership, failure, outbox),
            }),
            State::Releasing {
                membership,
                request,
                tries,
            } if request == id => {
                match reply {
                    Err(failure) if failure.may_pass() => {
                        if tries < RELEASE_TRIES {
                            self.send_release(now, membership, tries + 1, outbox);
                        }
                    }
                    // A refusal says that there is nothing to release any more.
                    Ok(_) | Err(_) => outbox.milestone(Milestone::TokenReleased),
                }
                Ok(None)
            }
            state => {
                self.state = state;
                self.late_reply(now, id, reply, outbox)
            }
        }
    }

    fn refreshed(
        &mut self,
        now: Instant,
        since: Instant,
        mut membership: Membership,
        refreshed: TokenRefreshed,
        outbox: &mut Outbox,
    ) -> TokenNews {
        self.refreshing.reset();
        membership.token = refreshed.token;
        membership.expires_at = since + refreshed.expires;
        outbox.notice(Notice::Refreshed);
        self.hold(now, since, refreshed.expires, membership, outbox)
            .unwrap_or(TokenNews::Refreshed {
                role: refreshed.role,
                statistics_every: refreshed.client_stats_update_interval,
            })
    }

    /// Keeps a token whose life began, for all we know, when it was asked for:
    ///
    /// ```text
    /// asked           answered        half                      expires
    ///   |----------------|--------------|--------------------------|
    ///   since           now          refresh              never used from here
    /// ```
    ///
    /// Returns the news where the answer took longer than the token lives.
    fn hold(
        &mut self,
        now: Instant,
        since: Instant,
        life: Duration,
        membership: Membership,
        outbox: &mut Outbox,
    ) -> Option<TokenNews> {
        let expires_at = membership.expires_at;
        self.state = State::Held(membership);
        if now >= expires_at {
            outbox.timers.stop(Timer::Expiry);
            return Some(expired());
        }
        if !self.is_leaving {
            let refresh_at = (since + life / 2).max(now + SHORTEST_REFRESH);
            outbox.timers.set(Timer::Refresh, refresh_at);
            outbox.timers.set(Timer::Expiry, expires_at);
        }
        None
    }

    fn refresh_failed(
        &mut self,
        now: Instant,
        membership: Membership,
        failure: RequestFailure,
        outbox: &mut Outbox,
    ) -> Option<TokenNews> {
        let is_final = !failure.may_pass();
        if is_final {
            outbox.timers.stop(Timer::Refresh);
            outbox.timers.stop(Timer::Expiry);
            self.refreshing.reset();
            return Some(TokenNews::Gone {
                why: failure.to_string(),
            });
        }
        self.state = State::Held(membership);
        if !self.is_leaving {
            let after = self.refreshing.next(&mut outbox.rng);
            outbox.start(Timer::Refresh, now, after);
            outbox.notice(Notice::Retrying {
                request: "refresh_token",
                failure,
                after,
            });
        }
        None
    }
}

fn expired() -> TokenNews {
    let why = "the token expired before it was refreshed".to_owned();
    TokenNews::Gone { why }
}

/// Returns the failure of a request whose answer is of another request's kind.
fn unexpected(request: &'static str) -> RequestFailure {
    RequestFailure::Malformed(infinity::Malformed {
        request,
        detail: "the answer of another request".to_owned(),
    })
}
