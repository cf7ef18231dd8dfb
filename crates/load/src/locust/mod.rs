//! A worker of a Locust master: Locust spawns, ramps and stops callers, balances workers, shows its
//! web page and writes its statistics, and the callers are the same as everywhere.
//!
//! `message` is what both sides say, `worker` decides, `statistics` counts in Locust's form, `crew`
//! lets callers come and go. `zmtp` and `link` are the little of ZeroMQ that a worker needs: one
//! kind of socket, and to be told at once when the connection is lost, which libraries of ZeroMQ
//! keep to themselves.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use driver::StopReason;
use tokio::time::{Interval, sleep_until};
use tracing::{debug, warn};

use crate::fleet::looks;
use crate::generator::{self, Usage, share_of_cores};
use crate::{Equipment, Measurements, Progress, Role, Scenario};

mod class;
mod crew;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod message;
mod statistics;
mod worker;
mod zmtp;

pub use worker::{End, Event};

use class::Means;
use crew::Crew;
use link::{Link, LinkEvent};
use message::{FromMaster, Heartbeat, ToMaster};
use statistics::Statistics;
use worker::{Input, Output, Worker};

/// What a worker tells while it works.
#[derive(Debug)]
pub enum Told<'a> {
    /// Something about the master.
    Master(Event),
    /// How far the present test has come. Its end is not known: it is zero.
    Progress(&'a Progress),
    /// A test is over, and everyone has left.
    Tested(Box<Tested>),
}

/// A test that is over.
#[derive(Debug)]
pub struct Tested {
    /// When it began.
    pub started: SystemTime,
    /// Our number among the master's workers, from 0.
    pub worker: u64,
    /// The most callers of each role that the master wanted at the same time.
    pub most: Vec<(Role, usize)>,
    /// All that was measured.
    pub measurements: Measurements,
}

/// Works for the master at `master`, host and port, until it says that there is no more to do, or
/// until `stop`. Then all hang up and release their tokens.
///
/// The scenario says where callers go and what they are like; how many there are and when they come
/// is the master's.
pub async fn work(
    master: &str,
    scenario: &Scenario,
    equipment: &Equipment,
    stop: impl Future<Output = StopReason>,
    told: impl FnMut(Told<'_>),
) -> End {
    let means = Means {
        video: scenario.video,
        most_callers: scenario.most_callers,
    };
    let id = node_id();
    let mut shell = Shell {
        master,
        scenario,
        equipment,
        worker: Worker::new(Instant::now(), means),
        link: Link::open(master.to_owned(), id.clone()),
        id,
        index: 0,
        statistics: Arc::new(Statistics::new()),
        test: None,
        usage: (Instant::now(), Usage::now()),
        told,
    };
    let mut stop = pin!(stop);
    let mut is_stopped = false;
    let end = loop {
        if let Some(end) = shell.carry_out().await {
            break end;
        }
        let due = shell.worker.poll_timeout();
        let input = tokio::select! {
            event = shell.link.event() => shell.input(event),
            () = wait_until(due) => Some(Input::Timer),
            input = of_test(&mut shell.test) => match input {
                OfTest::Look => {
                    shell.look();
                    None
                }
                OfTest::OneLeft => None,
                OfTest::AllGone => Some(shell.close()),
            },
            why = &mut stop, if !is_stopped => {
                is_stopped = true;
                Some(Input::Stop(why))
            }
        };
        if let Some(input) = input {
            shell.worker.handle(Instant::now(), input);
        }
    };
    shell.link.close().await;
    end
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// A worker, and what it works with.
struct Shell<'a, T> {
    master: &'a str,
    scenario: &'a Scenario,
    equipment: &'a Equipment,
    worker: Worker,
    link: Link,
    id: String,
    index: u64,
    statistics: Arc<Statistics>,
    test: Option<Test>,
    usage: (Instant, Usage),
    told: T,
}

/// A test that is on.
struct Test {
    crew: Crew,
    started: SystemTime,
    most: Vec<(Role, usize)>,
    is_leaving: bool,
    looks: Interval,
}

/// What happens to a test by itself.
enum OfTest {
    Look,
    OneLeft,
    AllGone,
}

async fn of_test(test: &mut Option<Test>) -> OfTest {
    let Some(test) = test else {
        return std::future::pending().await;
    };
    if test.is_leaving && test.crew.is_empty() {
        return OfTest::AllGone;
    }
    tokio::select! {
        () = test.crew.one_left(), if !test.crew.is_empty() => OfTest::OneLeft,
        _ = test.looks.tick() => OfTest::Look,
    }
}

impl<T: FnMut(Told<'_>)> Shell<'_, T> {
    fn input(&self, event: LinkEvent) -> Option<Input> {
        match event {
            LinkEvent::Up => Some(Input::Up),
            LinkEvent::Down(why) => Some(Input::Down(why)),
            LinkEvent::Message(bytes) => match FromMaster::decode(&bytes) {
                Ok(message) => {
                    debug!(?message, "the master says");
                    Some(Input::Message(message))
                }
                Err(error) => {
                    warn!(%error, "a message is passed over");
                    None
                }
            },
        }
    }

    /// Carries out all that the worker wants done; returns how it ended, once it has.
    async fn carry_out(&mut self) -> Option<End> {
        while let Some(output) = self.worker.poll_output() {
            match output {
                Output::Send(message) => self.send(&message),
                Output::Heartbeat(state) => self.beat(state),
                Output::Report => {
                    let report = self.statistics.report(self.worker.counts());
                    self.send(&ToMaster::Stats(Box::new(report)));
                }
                Output::Begin(run_time) => {
                    self.statistics.clear();
                    let crew = Crew::new(
                        self.scenario.clone(),
                        self.equipment.clone(),
                        self.index,
                        run_time,
                        Arc::clone(&self.statistics),
                    );
                    self.test = Some(Test {
                        crew,
                        started: SystemTime::now(),
                        most: Vec::new(),
                        is_leaving: false,
                        looks: looks(),
                    });
                }
                Output::Callers(wanted) => {
                    if let Some(test) = &mut self.test {
                        test.crew.set(&wanted);
                        for (role, count) in wanted {
                            test.noted(role, count);
                        }
                    }
                }
                Output::Leave => match &mut self.test {
                    Some(test) => {
                        test.is_leaving = true;
                        test.crew.leave();
                    }
                    None => self.worker.handle(Instant::now(), Input::AllGone),
                },
                Output::Connect { anew } => {
                    if anew {
                        self.id = node_id();
                    }
                    let old = std::mem::replace(
                        &mut self.link,
                        Link::open(self.master.to_owned(), self.id.clone()),
                    );
                    old.close().await;
                }
                Output::Tell(event) => {
                    if let Event::Accepted(Some(index)) = event {
                        self.index = index;
                    }
                    (self.told)(Told::Master(event));
                }
                Output::End(end) => return Some(end),
            }
        }
        None
    }

    fn send(&self, message: &ToMaster) {
        debug!(?message, "to the master");
        match message.encode(&self.id) {
            Ok(bytes) => self.link.send(&bytes),
            Err(error) => warn!(%error, "a message to the master cannot be written"),
        }
    }

    fn beat(&mut self, state: &'static str) {
        let now = (Instant::now(), Usage::now());
        let cpu = share_of_cores(self.usage, now);
        self.usage = now;
        self.send(&ToMaster::Heartbeat(Heartbeat {
            state,
            current_cpu_usage: (cpu * 1000.0).round() / 10.0,
            current_memory_usage: now.1.rss,
        }));
    }

    fn look(&mut self) {
        if let Some(test) = &mut self.test {
            let progress = test.crew.look();
            (self.told)(Told::Progress(&progress));
        }
    }

    /// Ends the test: everyone has left.
    fn close(&mut self) -> Input {
        self.look();
        if let Some(test) = self.test.take() {
            (self.told)(Told::Tested(Box::new(Tested {
                started: test.started,
                worker: self.index,
                most: test.most,
                measurements: test.crew.close(),
            })));
        }
        Input::AllGone
    }
}

impl Test {
    fn noted(&mut self, role: Role, count: usize) {
        match self.most.iter_mut().find(|(known, _)| *known == role) {
            Some((_, most)) => *most = count.max(*most),
            None => self.most.push((role, count)),
        }
    }
}

/// Returns a name that no other worker has, as Locust makes them: the host's and a number.
fn node_id() -> String {
    // A ZeroMQ identity is at most 255 bytes long (RFC 23).
    let host: String = generator::machine().host.chars().take(60).collect();
    format!("{host}_{:032x}", fastrand::u128(..))
}
