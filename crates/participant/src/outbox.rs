//! Where the machines put what is to be done, and their timers.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use infinity::{Command, Request};

use crate::{
    Milestone, Notice, Outgoing, Output, RequestId, Timer, timer::TimerTable, token::Membership,
};

/// How long an ordinary request may take.
const ORDINARY: Duration = Duration::from_secs(10);
/// How long those may take for which the node does some work, such as building an answer.
const HEAVY: Duration = Duration::from_secs(30);
/// How long a refresh may take. If the answer got lost, the node has replaced the token already
/// and takes the old one for a little longer only: the next try has to come within that grace.
const REFRESH: Duration = Duration::from_secs(4);
/// How long a step on the way out may take that brings or gives back a token.
pub(crate) const PARTING: Duration = Duration::from_secs(2);
/// How long hanging up may take on the way out: releasing the token ends the call too.
pub(crate) const HANGING_UP: Duration = Duration::from_secs(1);

/// What the machines share: the queue of outputs, the timers, the source of chance.
#[derive(Debug)]
pub(crate) struct Outbox {
    outputs: VecDeque<Output>,
    pub(crate) timers: TimerTable,
    pub(crate) rng: fastrand::Rng,
    next_id: u64,
}

impl Outbox {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            outputs: VecDeque::new(),
            timers: TimerTable::default(),
            rng: fastrand::Rng::with_seed(seed),
            next_id: 0,
        }
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.push(Output::Notice(notice));
    }

    pub(crate) fn milestone(&mut self, milestone: Milestone) {
        self.notice(Notice::Milestone(milestone));
    }

    pub(crate) fn ignore(&mut self, what: &'static str) {
        self.notice(Notice::Ignored { what });
    }

    /// Returns a number that has not been used for anything.
    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn start(&mut self, timer: Timer, now: Instant, after: Duration) {
        self.timers.set(timer, now + after);
    }

    /// Has a request made of `node`.
    pub(crate) fn request(&mut self, node: usize, request: Request) -> RequestId {
        let id = RequestId(self.id());
        let time_limit = time_limit(&request.command);
        self.push(Output::Request(Outgoing {
            id,
            node,
            request,
            time_limit,
        }));
        id
    }

    /// Has a request made with our token; does nothing if the token has expired by `now`.
    pub(crate) fn request_as(
        &mut self,
        now: Instant,
        membership: &Membership,
        command: Command,
    ) -> Option<RequestId> {
        if now >= membership.expires_at {
            return None;
        }
        let token = Some(membership.token.clone());
        let conference = membership.conference.clone();
        Some(self.request(
            membership.node,
            Request {
                conference,
                token,
                command,
            },
        ))
    }
}

/// Returns how long the answer to `command` is waited for; nothing: as long as it takes.
pub fn time_limit(command: &Command) -> Option<Duration> {
    match command {
        // It may block until the node has media.
        Command::Ack(..) => None,
        Command::RequestToken { .. } | Command::Calls(..) | Command::Update(..) => Some(HEAVY),
        Command::RefreshToken => Some(REFRESH),
        Command::ReleaseToken(_) | Command::DisconnectCall(..) => Some(PARTING),
        _ => Some(ORDINARY),
    }
}
