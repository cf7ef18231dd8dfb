//! `standin run`: participants as a service, until told to stop.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use driver::{EndReason, StopReason};
use futures_util::FutureExt as _;
use futures_util::future::{Fuse, FusedFuture as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tracing::error;

use crate::exit::{Exit, Failure};
use crate::notify;
use crate::settings::{LogSettings, Ready};
use crate::shutdown::{Signals, Stop};

mod attendant;
mod company;
mod condition;
mod configuration;
mod control;
mod events;
mod hooks;
mod materials;
mod measured;
mod patience;
mod playing;
mod remote;
mod standing;
mod turning;

use company::{Company, Read};
pub(crate) use configuration::Configuration;
use control::Control;
pub(crate) use control::description;
use hooks::Hooks;
pub(crate) use materials::Materials;
pub(crate) use patience::LeaveRules;

const AFTER_HELP: &str = "\
config/standin.toml describes every key. One file is one participant; a file with the key
`participants`, or with tables [participant.NAME], is a service of many. Under systemd:
systemctl enable --now standin@NAME, which reads /etc/standin/NAME.toml, or standin, which reads
/etc/standin/standin.toml.

On SIGHUP the configuration is read again: participants that have changed begin anew, others do
not notice; where something is wrong, nothing changes and the log says what.

Ends with 0 on SIGTERM and with 130 on SIGINT, the tokens released. A single participant without
[control] ends by itself when joining again cannot help: a wrong PIN (6), or removal by a host (5).

Examples:
  standin check town-hall.toml
  standin run --config town-hall.toml";

/// Be one or many participants as a service, as a configuration says, until stopped.
///
/// Plays its media over and over, and joins again after the node or the network was lost.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RunArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// The configuration of a service, read but not yet checked.
#[derive(Debug)]
pub(crate) struct Service {
    path: PathBuf,
    configuration: Configuration,
}

/// While participants are waited for, systemd is asked for so much more time, so often.
const STILL_STARTING: Duration = Duration::from_secs(30);
const ASKED_EVERY: Duration = Duration::from_secs(10);

impl Service {
    /// Reads the configuration.
    pub(crate) fn read(args: &RunArgs) -> Result<Self, Failure> {
        Ok(Self {
            path: args.config.clone(),
            configuration: Configuration::read(&args.config)?,
        })
    }

    /// Returns how to log.
    pub(crate) fn log(&self) -> LogSettings {
        self.configuration.service.log
    }

    /// Runs until stopped.
    pub(crate) async fn run(self) -> Result<Exit, Failure> {
        let signals = Signals::listen().map_err(Failure::failed)?;
        let hangups = signal(SignalKind::hangup()).map_err(Failure::failed)?;
        let Configuration {
            service,
            is_one,
            participants,
        } = self.configuration;
        let checked = company::check(participants)?;
        let company = Company::new(&self.path, is_one, service.control.listen.is_some())
            .map_err(Failure::failed)?;
        let company = Arc::new(company);
        let is_alone = is_one && !service.control.is_somewhere();
        let destination = checked
            .first()
            .map(|(_, settings)| settings.destination.clone());
        // Before anybody joins: a service that cannot be told anything is not begun.
        let _control = Control::begin(&service.control, &company).await?;
        let hooks = Hooks::begin(service.hooks, &company.events)?;
        company.begin(checked, is_alone);
        let attending = Attending {
            company: Arc::clone(&company),
            is_ready: service.ready == Ready::Running,
        };
        let stop = attending.until_over(signals, hangups).await;
        let outcome = company.end(stop.map(StopReason::from));
        let outcome = outcome.await;
        hooks.end().await;
        match (stop, outcome, destination) {
            (Some(Stop::Interrupt), ..) => Ok(Exit::Interrupted),
            (None, Some(outcome), Some(destination))
                if !matches!(outcome.reason, EndReason::Stopped(_)) =>
            {
                Err(Failure::new(
                    Exit::from(&outcome.reason),
                    destination.complain(&outcome),
                ))
            }
            _ => Ok(Exit::Done),
        }
    }
}

/// A service at work.
struct Attending {
    company: Arc<Company>,
    /// It counts as started.
    is_ready: bool,
}

impl Attending {
    /// Runs until a signal, which is returned, or until the only participant is over.
    async fn until_over(
        mut self,
        signals: Signals,
        mut hangups: tokio::signal::unix::Signal,
    ) -> Option<Stop> {
        if self.is_ready {
            // Up as soon as the settings are known to be good: a node that is away is waited for.
            notify::ready();
        }
        let watchdog = notify::watchdog_interval();
        let mut ticks = interval(watchdog.unwrap_or(Duration::from_secs(3600)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asks = interval(ASKED_EVERY);
        asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = pin!(signals.first());
        // Signs of life and the signal to stop do not wait for media that are read again.
        let mut reading = pin!(Fuse::terminated());
        loop {
            tokio::select! {
                signal = &mut stop => {
                    notify::stopping();
                    return Some(signal);
                }
                _ = hangups.recv(), if reading.is_terminated() => {
                    notify::reloading();
                    reading.set(self.company.read_again().fuse());
                }
                read = &mut reading => self.follow(read).await,
                () = self.company.events.until_changed() => {
                    self.changed();
                    if self.company.is_over() {
                        return None;
                    }
                }
                _ = asks.tick(), if !self.is_ready => {
                    notify::still_starting(STILL_STARTING);
                }
                _ = ticks.tick(), if watchdog.is_some() => {
                    let company = Arc::clone(&self.company);
                    tokio::spawn(async move {
                        if company.turns().await {
                            notify::alive();
                        }
                    });
                }
            }
        }
    }

    async fn follow(&self, read: Result<Read, Failure>) {
        match read {
            Ok(read) => self.company.follow(read).await.tell(),
            Err(failure) => error!("nothing has changed, the configuration is wrong: {failure}"),
        }
        if self.is_ready {
            notify::ready();
        }
    }

    fn changed(&mut self) {
        notify::status(&self.company.words());
        if !self.is_ready && !self.company.look(|_, seen| seen.was_in).contains(&false) {
            self.is_ready = true;
            notify::ready();
        }
    }
}
