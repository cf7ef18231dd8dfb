//! Coming by a token.

use std::time::{Duration, Instant};

use infinity::{Command, ConferenceAlias, Remedy, Request, RequestToken, Token, TokenGranted};

use super::wanted::{Wanted, pin_beside};
use super::{Membership, State, TokenMachine, TokenNews};
use crate::{Exit, Notice, Rejoin, RequestFailure, Timer, outbox::Outbox};

impl TokenMachine {
    /// Asks for a token at once.
    pub(crate) fn join(&mut self, now: Instant, outbox: &mut Outbox) {
        outbox.timers.stop(Timer::Join);
        let command = Command::RequestToken {
            pin: self.entrance.pin.clone(),
            body: RequestToken {
                display_name: self.options.display_name.clone(),
                conference_extension: self.entrance.extension.clone(),
                token: self.entrance.one_time.clone(),
                direct_media: Some(false),
                call_tag: self.options.call_tag.clone(),
                chosen_idp: None,
            },
        };
        let conference = self.entrance.conference.clone();
        let request = Request {
            conference,
            token: None,
            command,
        };
        let request = outbox.request(self.entrance.node, request);
        self.state = State::Requested {
            request,
            since: now,
        };
    }

    /// Asks for a token after a pause, and returns the pause.
    pub(crate) fn join_again(
        &mut self,
        now: Instant,
        next_node: bool,
        outbox: &mut Outbox,
    ) -> Duration {
        self.entrance.pin = self.options.pin.clone();
        self.entrance.extension = None;
        if next_node {
            self.use_next_node();
        }
        let pause = self.joining.next(&mut outbox.rng);
        self.pause(now, pause, outbox);
        pause
    }

    /// Asks for a token where we were sent, after `pause`.
    pub(crate) fn follow(
        &mut self,
        now: Instant,
        conference: ConferenceAlias,
        one_time: Option<Token>,
        pause: Duration,
        outbox: &mut Outbox,
    ) {
        self.entrance.conference = conference;
        self.entrance.pin = pin_beside(one_time.as_ref(), &self.options);
        self.entrance.one_time = one_time;
        self.entrance.extension = None;
        self.pause(now, pause, outbox);
    }

    fn pause(&mut self, now: Instant, pause: Duration, outbox: &mut Outbox) {
        outbox.start(Timer::Join, now, pause);
        self.is_leaving = false;
        self.state = State::Pausing;
    }

    fn use_next_node(&mut self) {
        self.entrance.node = (self.entrance.node + 1) % self.options.nodes.max(1);
    }

    pub(super) fn granted(
        &mut self,
        now: Instant,
        since: Instant,
        granted: Box<TokenGranted>,
        outbox: &mut Outbox,
    ) -> TokenNews {
        // A one-time token is good for one time.
        self.entrance.one_time = None;
        self.refreshing.reset();
        let membership = Membership {
            node: self.entrance.node,
            conference: self.entrance.conference.clone(),
            participant: granted.participant_uuid.clone(),
            token: granted.token.clone(),
            expires_at: since + granted.expires,
        };
        self.hold(now, since, granted.expires, membership, outbox)
            .unwrap_or(TokenNews::Granted(granted))
    }

    pub(super) fn join_failed(
        &mut self,
        now: Instant,
        failure: RequestFailure,
        outbox: &mut Outbox,
    ) -> Option<TokenNews> {
        if self.is_leaving {
            return None;
        }
        if let RequestFailure::Refused(refusal) = &failure {
            match self.what_is_wanted(refusal) {
                Wanted::Nothing => {}
                Wanted::Given => {
                    self.join(now, outbox);
                    return None;
                }
                Wanted::WithoutToken => {
                    let after = Duration::ZERO;
                    outbox.notice(Notice::Retrying {
                        request: "request_token",
                        failure,
                        after,
                    });
                    self.join(now, outbox);
                    return None;
                }
                Wanted::Missing(exit) => return self.refused(now, exit, outbox),
            }
        }
        let may_pass = matches!(failure.remedy(), Remedy::Retry | Remedy::NextNode)
            || (self.has_been_in
                && self.options.rejoin != Rejoin::Never
                && self.entrance.conference == self.options.conference);
        if may_pass {
            self.try_next_node(now, failure, outbox)
        } else {
            self.refused(now, Exit::Refused(failure), outbox)
        }
    }

    /// Takes a no for final, unless it was said where we were sent: then we go back to where we
    /// came from, if we join again after losses at all.
    fn refused(&mut self, now: Instant, exit: Exit, outbox: &mut Outbox) -> Option<TokenNews> {
        let home = &self.options.conference;
        if self.entrance.conference == *home || self.options.rejoin == Rejoin::Never {
            return Some(TokenNews::Refused(exit));
        }
        self.entrance.conference = home.clone();
        self.entrance.one_time = None;
        let after = self.join_again(now, false, outbox);
        let why = exit.to_string();
        outbox.notice(Notice::JoiningAgain { why, after });
        None
    }

    fn try_next_node(
        &mut self,
        now: Instant,
        failure: RequestFailure,
        outbox: &mut Outbox,
    ) -> Option<TokenNews> {
        self.failed_nodes += 1;
        self.use_next_node();
        if !self.failed_nodes.is_multiple_of(self.options.nodes.max(1)) {
            let after = Duration::ZERO;
            outbox.notice(Notice::Retrying {
                request: "request_token",
                failure,
                after,
            });
            self.join(now, outbox);
            return None;
        }
        if self.options.rejoin == Rejoin::Never {
            return Some(TokenNews::Refused(Exit::Refused(failure)));
        }
        let after = self.joining.next(&mut outbox.rng);
        outbox.notice(Notice::Retrying {
            request: "request_token",
            failure,
            after,
        });
        self.pause(now, after, outbox);
        None
    }
}
