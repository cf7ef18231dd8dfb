//! Giving the token back.

use std::time::Instant;

use infinity::{Command, ReleaseToken, Request, Response};

use super::{Abandoned, Membership, State, TokenMachine, TokenNews};
use crate::{RequestFailure, RequestId, Timer, outbox::Outbox};

type Reply = Result<Response, RequestFailure>;

impl TokenMachine {
    /// Begins no request any more, but waits for the one under way.
    pub(crate) fn leave(&mut self, outbox: &mut Outbox) {
        self.is_leaving = true;
        for timer in [Timer::Join, Timer::Refresh, Timer::Expiry] {
            outbox.timers.stop(timer);
        }
    }

    /// Gives the token back, and says why. Does nothing where there is none, or where it has expired.
    pub(crate) fn release(&mut self, now: Instant, reason: &str, outbox: &mut Outbox) {
        self.leave(outbox);
        self.reason = Some(reason.to_owned());
        match std::mem::replace(&mut self.state, State::NoToken) {
            // A request under way has been waited for, or abandoned.
            requested @ State::Requested { .. } => self.state = requested,
            State::NoToken | State::Pausing => {}
            State::Held(membership) | State::Refreshing { membership, .. } => {
                self.send_release(now, membership, 1, outbox);
            }
            releasing @ State::Releasing { .. } => self.state = releasing,
        }
    }

    /// Gives up waiting for the request under way; a token that still comes of it is released.
    pub(crate) fn abandon_request(&mut self) {
        match std::mem::replace(&mut self.state, State::NoToken) {
            State::Requested { request, since } => {
                let conference = self.entrance.conference.clone();
                let node = self.entrance.node;
                self.abandoned = Some(Abandoned {
                    request,
                    since,
                    node,
                    conference,
                });
            }
            State::Refreshing {
                membership,
                request,
                since,
            } => {
                let (node, conference) = (membership.node, membership.conference.clone());
                self.abandoned = Some(Abandoned {
                    request,
                    since,
                    node,
                    conference,
                });
                self.state = State::Held(membership);
            }
            state
            @ (State::NoToken | State::Pausing | State::Held(_) | State::Releasing { .. }) => {
                self.state = state
            }
        }
    }

    /// Gives the release up: it has had its time.
    pub(crate) fn abandon_release(&mut self) {
        if self.is_releasing() {
            self.state = State::NoToken;
        }
    }

    pub(super) fn send_release(
        &mut self,
        now: Instant,
        membership: Membership,
        tries: u32,
        outbox: &mut Outbox,
    ) {
        let release = self.release_command();
        if let Some(request) = outbox.request_as(now, &membership, release) {
            self.state = State::Releasing {
                membership,
                request,
                tries,
            };
        }
    }

    fn release_command(&self) -> Command {
        Command::ReleaseToken(ReleaseToken {
            reason: self.reason.clone(),
        })
    }

    /// Releases a token that comes of a request given up before.
    pub(super) fn late_reply(
        &mut self,
        now: Instant,
        id: RequestId,
        reply: Reply,
        outbox: &mut Outbox,
    ) -> Result<Option<TokenNews>, Reply> {
        let Some(abandoned) = self.abandoned.take_if(|abandoned| abandoned.request == id) else {
            return Err(reply);
        };
        let (token, life) = match reply {
            Ok(Response::TokenGranted(granted)) => (granted.token, granted.expires),
            Ok(Response::TokenRefreshed(refreshed)) => (refreshed.token, refreshed.expires),
            Ok(_) | Err(_) => return Ok(None),
        };
        if now < abandoned.since + life {
            let command = self.release_command();
            let conference = abandoned.conference;
            let request = Request {
                conference,
                token: Some(token),
                command,
            };
            outbox.request(abandoned.node, request);
        }
        Ok(None)
    }
}
