//! What a worker does when: without IO and clock, as the rest of what decides.
//!
//! | State | When | Next | Does |
//! |---|---|---|---|
//! | `Joining` | connected, or 5 s without `ack` | `Joining` | `client_ready` |
//! | `Joining` | `ack` | `Ready` | – |
//! | `Joining` | 60 s without a master | `Over` | – |
//! | `Ready`, `Running` | `spawn`, later than the last | `Running` | `spawning`, callers, `spawning_complete` |
//! | `Ready` | `stop` | `Ready` | `client_stopped`, `client_ready` |
//! | `Running` | `stop` | `Leaving` | callers leave |
//! | `Leaving` | all gone | `Ready` | `stats`, `client_stopped`, `client_ready` |
//! | `Running` | `quit` | `Leaving` | `stats` at once and often, since the master waits half a second |
//! | `Leaving` | all gone | `Over` | `stats` |
//! | `Running` | we are to end | `Leaving` | callers leave |
//! | `Leaving` | all gone | `Over` | `stats`, `quit` |
//! | `Ready`, `Running` | the master is silent | `Leaving`, or at once `Joining` | callers leave; a new connection with a new id |
//!
//! A master answers each heartbeat of a worker that it knows. So silence is a master that has gone,
//! or another one in its place, which knows nobody and has to be asked anew.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use driver::StopReason;

use super::class::{Counts, Means};
use super::message::{FromMaster, Spawn, ToMaster};

mod standing;
mod step;

pub use step::{End, Event};
pub(super) use step::{Input, Output};

use standing::{State, Trust, Why};

/// How often a worker says that it is there (Locust's `HEARTBEAT_INTERVAL`).
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often it reports (`WORKER_REPORT_INTERVAL`).
const REPORT: Duration = Duration::from_secs(3);

/// How often it reports while the master is about to end, which waits for half a second.
const LAST_REPORTS: Duration = Duration::from_millis(150);

/// How long an `ack` may take before it is asked for again (`CONNECT_TIMEOUT`).
const ACK: Duration = Duration::from_secs(5);

/// How long a master that is connected may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// How long a lost connection may be away.
const AWAY: Duration = Duration::from_secs(5);

/// How long a master may be silent on a connection that was made again: it answers at once.
const RECOGNITION: Duration = Duration::from_secs(3);

/// How long a worker looks for a master, at first and when it has lost its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker of a Locust master. After each [`Self::handle`], do all of [`Self::poll_output`].
#[derive(Debug)]
pub(super) struct Worker {
    means: Means,
    state: State,
    is_up: bool,
    trust: Trust,
    /// Why the connection was not there the last time it was not.
    trouble: String,
    counts: Counts,
    /// By the master's clock.
    last_spawn: f64,
    /// What was complained about in this test.
    complained: Vec<String>,
    outputs: VecDeque<Output>,
    /// When `client_ready` is said again.
    ask: Option<Instant>,
    beat: Option<Instant>,
    report: Option<Instant>,
    silent: Option<Instant>,
}

impl Worker {
    pub(super) fn new(now: Instant, means: Means) -> Self {
        Self {
            means,
            state: State::Joining {
                until: now + PATIENCE,
            },
            is_up: false,
            trust: Trust::Heard,
            trouble: "no answer".to_owned(),
            counts: Counts::new(),
            last_spawn: 0.0,
            complained: Vec::new(),
            outputs: VecDeque::new(),
            ask: None,
            beat: None,
            report: None,
            silent: None,
        }
    }

    /// How many callers there are of each user class.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns what is to be done next; ask until there is nothing.
    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns when to come with [`Input::Timer`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let until = match self.state {
            State::Joining { until } => Some(until),
            State::Ready | State::Running | State::Leaving(_) | State::Over => None,
        };
        [until, self.ask, self.beat, self.report, self.silent]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes note of what happened.
    pub(super) fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Up => self.up(now),
            Input::Down(why) => self.down(now, why),
            Input::Message(message) => self.message(now, message),
            Input::AllGone => self.all_gone(now),
            Input::Stop(reason) => self.stop(reason),
            Input::Timer => self.timer(now),
        }
    }

    fn up(&mut self, now: Instant) {
        self.is_up = true;
        match self.state {
            State::Joining { .. } => self.ask(now),
            State::Ready | State::Running | State::Leaving(_) => {
                self.beats(now);
                self.report = Some(now + REPORT);
                if self.trust != Trust::Back {
                    self.trust = Trust::Back;
                    self.silent = Some(now + RECOGNITION);
                }
            }
            State::Over => {}
        }
    }

    fn down(&mut self, now: Instant, why: String) {
        self.is_up = false;
        (self.ask, self.beat, self.report) = (None, None, None);
        self.trouble.clone_from(&why);
        match self.state {
            State::Joining { .. } => self.tell(Event::Unreachable(why)),
            State::Ready | State::Running if self.trust == Trust::Heard => {
                self.trust = Trust::Away;
                self.silent = Some(now + AWAY);
            }
            State::Ready | State::Running | State::Leaving(_) | State::Over => {}
        }
    }

    fn message(&mut self, now: Instant, message: FromMaster) {
        match (message, self.state) {
            (_, State::Over) => {}
            (FromMaster::Ack { index }, State::Joining { .. }) => {
                self.state = State::Ready;
                self.ask = None;
                self.last_spawn = 0.0;
                self.heard(now);
                self.report = Some(now + REPORT);
                self.tell(Event::Accepted(index));
                self.beats(now);
            }
            (FromMaster::Heartbeat, State::Ready | State::Running | State::Leaving(_)) => {
                self.heard(now);
            }
            (FromMaster::Spawn(spawn), State::Ready | State::Running) => {
                self.heard(now);
                self.send(ToMaster::Spawning);
                // No number is out of date, too.
                if spawn.timestamp > self.last_spawn {
                    self.last_spawn = spawn.timestamp;
                    self.spawn(&spawn);
                }
            }
            (FromMaster::Stop, State::Running) => {
                self.tell(Event::Stopped);
                self.leaves(Why::Stop);
            }
            (FromMaster::Stop, State::Ready) => self.is_free(),
            (FromMaster::Quit, State::Running | State::Leaving(Why::Stop)) => {
                self.tell(Event::Quit);
                self.push(Output::Report);
                self.report = Some(now + LAST_REPORTS);
                self.leaves(Why::Quit);
            }
            (FromMaster::Quit, State::Ready | State::Joining { .. }) => {
                self.tell(Event::Quit);
                self.push(Output::Report);
                self.end(End::Quit);
            }
            (FromMaster::Reconnect, _) => self.connects(false),
            (
                FromMaster::Ack { .. }
                | FromMaster::Heartbeat
                | FromMaster::Spawn(_)
                | FromMaster::Stop
                | FromMaster::Quit
                | FromMaster::SpawningComplete
                | FromMaster::Other(_),
                _,
            ) => {}
        }
    }

    /// The master is there, and knows us.
    fn heard(&mut self, now: Instant) {
        self.trust = Trust::Heard;
        self.silent = Some(now + SILENCE);
    }

    /// Lets there be as many callers as the master wants, as far as that can be had.
    fn spawn(&mut self, spawn: &Spawn) {
        let wished = &spawn.user_classes_count;
        if self.state == State::Ready {
            self.state = State::Running;
            self.complained.clear();
            self.push(Output::Begin(spawn.run_time()));
        }
        if self.counts != *wished {
            self.tell(Event::Wanted(wished.clone()));
        }
        let granted = self.means.grant(wished);
        for complaint in granted.complaints {
            if !self.complained.contains(&complaint) {
                self.complained.push(complaint.clone());
                self.send(ToMaster::Exception(complaint.clone()));
                self.tell(Event::Complaint(complaint));
            }
        }
        self.counts = granted.counts;
        self.push(Output::Callers(granted.roles));
        self.send(ToMaster::SpawningComplete(self.counts.clone()));
    }

    fn all_gone(&mut self, now: Instant) {
        let State::Leaving(why) = self.state else {
            return;
        };
        self.counts.values_mut().for_each(|count| *count = 0);
        match why {
            Why::Stop => {
                self.push(Output::Report);
                self.counts.clear();
                self.state = State::Ready;
                self.report = self.is_up.then(|| now + REPORT);
                self.is_free();
            }
            Why::Quit => {
                self.push(Output::Report);
                self.end(End::Quit);
            }
            Why::Lost => self.starts_over(now),
            Why::Ours(reason) => {
                self.push(Output::Report);
                self.send(ToMaster::Quit);
                self.end(End::Stopped(reason));
            }
        }
    }

    fn stop(&mut self, reason: StopReason) {
        match self.state {
            State::Joining { .. } => self.end(End::Stopped(reason)),
            State::Ready => {
                self.send(ToMaster::Quit);
                self.end(End::Stopped(reason));
            }
            State::Running => self.leaves(Why::Ours(reason)),
            State::Leaving(_) => self.state = State::Leaving(Why::Ours(reason)),
            State::Over => {}
        }
    }

    fn timer(&mut self, now: Instant) {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if let State::Joining { until } = self.state
            && until <= now
        {
            let why = self.trouble.clone();
            return self.end(End::NoMaster(why));
        }
        if is_due(self.silent) {
            self.silent = None;
            return self.lost(now);
        }
        if is_due(self.ask) {
            // It may wait for the old connection to end, which still has our id.
            self.connects(false);
        }
        if is_due(self.beat) {
            self.beats(now);
        }
        if is_due(self.report) {
            self.push(Output::Report);
            let pause = match self.state {
                State::Leaving(Why::Quit) => LAST_REPORTS,
                _ => REPORT,
            };
            self.report = Some(now + pause);
        }
    }

    /// The master is gone, or does not know us.
    fn lost(&mut self, now: Instant) {
        match self.state {
            State::Ready => {
                self.tell(Event::Silent);
                self.starts_over(now);
            }
            State::Running => {
                self.tell(Event::Silent);
                self.leaves(Why::Lost);
            }
            State::Leaving(Why::Stop) => self.state = State::Leaving(Why::Lost),
            State::Joining { .. } | State::Leaving(_) | State::Over => {}
        }
    }

    fn starts_over(&mut self, now: Instant) {
        self.state = State::Joining {
            until: now + PATIENCE,
        };
        self.counts.clear();
        (self.beat, self.report, self.silent) = (None, None, None);
        self.connects(true);
    }

    /// Makes a new connection; [`Input::Up`] follows.
    fn connects(&mut self, anew: bool) {
        self.is_up = false;
        (self.ask, self.beat, self.report) = (None, None, None);
        self.push(Output::Connect { anew });
    }

    fn ask(&mut self, now: Instant) {
        self.send(ToMaster::ClientReady);
        self.ask = Some(now + ACK);
        "it is connected, and does not take us as a worker".clone_into(&mut self.trouble);
    }

    fn beats(&mut self, now: Instant) {
        let state = match self.state {
            State::Running | State::Leaving(_) => "running",
            State::Joining { .. } | State::Ready | State::Over => "ready",
        };
        self.push(Output::Heartbeat(state));
        self.beat = Some(now + HEARTBEAT);
    }

    fn leaves(&mut self, why: Why) {
        self.state = State::Leaving(why);
        self.push(Output::Leave);
    }

    /// The next test may come.
    fn is_free(&mut self) {
        self.send(ToMaster::ClientStopped);
        self.send(ToMaster::ClientReady);
    }

    fn end(&mut self, end: End) {
        self.state = State::Over;
        (self.ask, self.beat, self.report, self.silent) = (None, None, None, None);
        self.push(Output::End(end));
    }

    fn send(&mut self, message: ToMaster) {
        self.push(Output::Send(message));
    }

    fn tell(&mut self, event: Event) {
        self.push(Output::Tell(event));
    }

    fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}

#[cfg(test)]
mod tests;
