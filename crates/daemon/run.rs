//! `standin run`: a participant as a service, until told to stop.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use driver::{Caller, EndReason, Notice, NoticeKind, Outcome, Program, StopReason};
use peer::{Shard, Shards};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::warn;

use crate::config_file::ConfigFile;
use crate::exit::{Exit, Failure};
use crate::notify;
use crate::recording;
use crate::settings::{LogSettings, RunSettings, Written};
use crate::shutdown::{Signals, Stop};

const AFTER_HELP: &str = "\
config/standin.toml describes every key. Under systemd: systemctl enable --now standin@NAME, which reads
/etc/standin/NAME.toml.

Ends with 0 on SIGTERM and with 130 on SIGINT, the token released; by itself only when joining again
cannot help: a wrong PIN (6), or removal by a host (5).

Examples:
  standin check town-hall.toml
  standin run --config town-hall.toml";

/// Be a participant as a service, as a configuration file says, until stopped.
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
    file: ConfigFile,
    written: Written,
}

impl Service {
    /// Reads the configuration.
    pub(crate) fn read(args: &RunArgs) -> Result<Self, Failure> {
        let file = ConfigFile::read(&args.config).map_err(Failure::usage)?;
        let written = Written::read(&file)?;
        Ok(Self { file, written })
    }

    /// Returns how to log.
    pub(crate) fn log(&self) -> LogSettings {
        self.written.log()
    }

    /// Runs until stopped.
    pub(crate) async fn run(self) -> Result<Exit, Failure> {
        let signals = Signals::listen().map_err(Failure::failed)?;
        let settings = self.written.check(&self.file)?;
        let shards = Shards::new(1).map_err(Failure::failed)?;
        let shard = shards.next();
        let destination = settings.destination.clone();
        let caller = driver::start(&shard, caller(settings)?);
        // Up as soon as the settings are known to be good: a node that is away is waited for.
        notify::ready();

        let outcome = attend(caller, &shard, signals).await;
        match &outcome.reason {
            EndReason::Stopped(_) => Ok(Exit::from(&outcome.reason)),
            reason => Err(Failure::new(
                Exit::from(reason),
                destination.complain(&outcome),
            )),
        }
    }
}

fn caller(settings: RunSettings) -> Result<driver::CallerSettings, Failure> {
    let mut caller = settings.destination.caller();
    if let Some(material) = settings.material {
        caller.video_codecs = material.video_codecs();
        caller.program = Program::Loop(material);
    }
    if let Some(codecs) = settings.codecs {
        caller.video_codecs = codecs;
    }
    caller.media = settings.media;
    caller.rejoin = settings.rejoin;
    caller.waiting_room_limit = settings.waiting_room_limit;
    caller.sinks = settings.sinks;
    recording::apply(settings.record, &mut caller).map_err(Failure::usage)?;
    Ok(caller)
}

/// Waits for the caller's end, and tells systemd how it is.
async fn attend(mut caller: Caller, shard: &Shard, signals: Signals) -> Outcome {
    let watchdog = notify::watchdog_interval();
    let mut ticks = interval(watchdog.unwrap_or(Duration::from_secs(3600)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(signals.first());
    let mut stopped = false;
    loop {
        tokio::select! {
            notice = caller.notice() => match notice {
                Some(notice) => pass_on(&notice),
                None => break,
            },
            signal = &mut stop, if !stopped => {
                stopped = true;
                notify::stopping();
                caller.stop(match signal {
                    Stop::Interrupt => StopReason::Interrupted,
                    Stop::Terminate => StopReason::Terminated,
                });
            }
            _ = ticks.tick(), if watchdog.is_some() => {
                if answers(shard).await {
                    notify::alive();
                } else {
                    warn!("the media thread does not answer; systemd is told nothing");
                }
            }
        }
    }
    caller.join().await
}

/// Returns whether the thread that carries the caller still gets round to its tasks.
async fn answers(shard: &Shard) -> bool {
    timeout(Duration::from_secs(5), shard.spawn(async {}))
        .await
        .is_ok()
}

/// Passes what there is to know in `systemctl status`; the driver logs it all.
fn pass_on(notice: &Notice) {
    if let NoticeKind::State(state) = &notice.kind {
        notify::status(&state.to_string());
    }
}
