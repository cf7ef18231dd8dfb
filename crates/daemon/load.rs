//! `standin load`: puts many callers on a node, measures what each lives through, and judges.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use driver::StopReason;
use load::{Equipment, Plan};
use peer::Shards;
use tokio::sync::watch;

use crate::config_file::ConfigFile;
use crate::destination::LEAVE_LIMIT;
use crate::exit::{Exit, Failure};
use crate::join::seconds;
use crate::print::{self, Form};
use crate::shutdown::{Signals, Stop};

mod knee;
mod level;
mod results;
mod settings;
mod shard;
mod view;

use level::Level;
use results::Results;
pub(crate) use settings::{LoadSettings, LoadWritten};
use shard::Part;
use view::View;

const AFTER_HELP: &str = "\
A scenario has every choice; config/load.toml describes them all. Flags go before the scenario.
Nodes other than this machine must be named in the scenario: allow = [\"node.example.com\"].

The first Ctrl-C lets every caller hang up and release its token, and reports what was measured until
then; the second ends at once.

Exit codes: 0 all thresholds held; 1 one did not; 2 the scenario is wrong; 4 the generator was overloaded,
so that nothing is said about the node; 130 interrupted.

Examples:
  standin load --node http://127.0.0.1:8080 --conference meet --participants 20 --hold 15
  standin load town-hall.toml --report report
  standin load town-hall.toml --shard 0/4 --start-at 1900000000 --report part-0     one of four processes
  standin load merge whole part-*/result.json                                       the four together
  standin load diff monday/result.json tuesday/result.json";

/// Put many callers on a node, measure what each lives through, and judge.
///
/// Each caller is a whole participant: it joins, keeps its token, sends and receives media, and leaves.
/// What they received is accounted for packet by packet, without decoding it.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct LoadArgs {
    /// What to do with results that are already there.
    #[command(subcommand)]
    results: Option<Results>,

    /// The scenario; without one, the flags and the defaults say it all
    #[arg(value_name = "SCENARIO.toml")]
    scenario: Option<PathBuf>,

    /// Conferencing Node: https://host[:port] or http://…; given more than once, callers take them in turn
    #[arg(long = "node", value_name = "URL")]
    nodes: Vec<String>,

    /// The conferences' alias; where there are several, an n in braces stands for the number
    #[arg(long, value_name = "ALIAS")]
    conference: Option<String>,

    /// How many conferences
    #[arg(long, value_name = "N")]
    conferences: Option<usize>,

    /// How many participants in each
    #[arg(long, value_name = "N")]
    participants: Option<usize>,

    /// How many of them talk
    #[arg(long, value_name = "N")]
    talkers: Option<usize>,

    /// How many of them send sound and picture
    #[arg(long, value_name = "N")]
    video_senders: Option<usize>,

    /// How many of them come and go
    #[arg(long, value_name = "N")]
    churners: Option<usize>,

    /// How many callers arrive a second
    #[arg(long, value_name = "N")]
    rate: Option<f64>,

    /// How long all stay once the last has arrived
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    hold: Option<Duration>,

    /// What talkers play: a file, `tone` or `silence`
    #[arg(long, value_name = "SOURCE")]
    audio: Option<String>,

    /// What video senders show: a file, or `bars`
    #[arg(long, value_name = "SOURCE")]
    video: Option<String>,

    /// File with the PIN of all conferences; without it, STANDIN_PIN
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,

    /// PEM file with the certificates to believe, instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca_file: Option<PathBuf>,

    /// Believe any certificate: for practice alone
    #[arg(long)]
    insecure: bool,

    /// The seed of all chance
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// What the test is judged by, such as 'join.total.p95 < 2s'; given more than once, all must hold.
    /// Replaces those of the scenario
    #[arg(long = "threshold", value_name = "LINE")]
    thresholds: Vec<String>,

    /// Find the knee: so many participants a conference, then as many again, until a threshold breaks
    #[arg(long, value_name = "N")]
    knee_step: Option<usize>,

    /// A directory for the report
    #[arg(long, value_name = "DIRECTORY")]
    report: Option<PathBuf>,

    /// Run this part of the test alone, such as 0/4; from Slurm and Kubernetes it is taken by itself
    #[arg(long, value_name = "I/N")]
    shard: Option<Part>,

    /// How many parts the test has, where the engine does not tell
    #[arg(long, value_name = "N", conflicts_with = "shard")]
    shards: Option<usize>,

    /// When the test starts, in seconds since 1970, so that its parts start together
    #[arg(long, value_name = "UNIX")]
    start_at: Option<f64>,

    /// List what is measured and what thresholds may be about, and end
    #[arg(long, exclusive = true)]
    figures: bool,

    /// Print the result as one JSON object, and no progress
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn load(args: LoadArgs) -> Result<Exit, Failure> {
    if args.figures {
        list_figures();
        return Ok(Exit::Done);
    }
    if let Some(results) = args.results {
        return results.run();
    }
    let signals = Signals::listen().map_err(Failure::failed)?;
    let form = if args.json { Form::Json } else { Form::Text };
    let part = args.part()?;
    let start_at = args.start_at;
    let settings = args.settings()?;
    let (told, interrupted) = watch::channel(None);
    tokio::spawn(async move {
        let stop = match signals.first().await {
            Stop::Interrupt => StopReason::Interrupted,
            Stop::Terminate => StopReason::Terminated,
        };
        told.send_replace(Some(stop));
        // Kept until the end: whoever waits for the signal waits on.
        told.closed().await;
    });
    let shards = Arc::new(Shards::new(settings.threads).map_err(Failure::failed)?);
    let mut test = Test {
        settings,
        part,
        shards,
        interrupted,
        view: View::new(form == Form::Json),
        form,
    };
    if test.settings.knee_step > 0 {
        knee::find(&mut test, Start::at(start_at)?).await
    } else {
        let participants = test.settings.scenario.participants;
        let level = test.level(participants, Start::at(start_at)?).await?;
        level.tell(&test)?;
        Ok(level.exit())
    }
}

/// A load test about to be run.
struct Test {
    settings: LoadSettings,
    part: Part,
    shards: Arc<Shards>,
    interrupted: watch::Receiver<Option<StopReason>>,
    view: View,
    form: Form,
}

impl Test {
    /// Runs it with so many participants in each conference.
    async fn level(&mut self, participants: usize, start: Start) -> Result<Level, Failure> {
        let mut scenario = self.settings.scenario.clone();
        scenario.participants = participants;
        scenario.check().map_err(Failure::usage)?;
        let plan = Plan::shard(&scenario, self.part.index, self.part.count);
        let callers = plan.callers.len();
        if self.form == Form::Text {
            print::progress(format_args!(
                "{callers} callers in {} on {}, for {:.0} s; Ctrl-C lets them leave",
                counted(scenario.conferences.len(), "conference"),
                counted(scenario.nodes.len(), "node"),
                plan.end.as_secs_f64(),
            ));
        }
        let equipment = Equipment {
            client: self.settings.client.clone(),
            connections: self.settings.connections,
            sound: self.settings.sound.clone(),
            picture: self.settings.picture.clone(),
            network: self.settings.network.clone(),
            limits: self.settings.limits,
            leave_limit: LEAVE_LIMIT,
            shards: Arc::clone(&self.shards),
        };
        let mut interrupted = self.interrupted.clone();
        let stop = async move {
            match interrupted.wait_for(Option::is_some).await {
                Ok(stop) => stop.unwrap_or(StopReason::Interrupted),
                Err(_) => std::future::pending().await,
            }
        };
        let view = &mut self.view;
        let ended = load::run(
            &scenario,
            plan,
            u32::try_from(self.part.index).unwrap_or(u32::MAX),
            equipment,
            Instant::now() + start.after,
            stop,
            |progress| view.show(progress),
        )
        .await;
        self.view.end();
        Ok(Level::judge(
            &self.settings,
            &scenario,
            self.part,
            start.moment,
            ended,
        ))
    }
}

impl LoadArgs {
    /// Returns the part of the test that is ours.
    fn part(&self) -> Result<Part, Failure> {
        if let Some(part) = self.shard {
            return Ok(part);
        }
        let of_engine = Part::of_engine(|name| env::var(name).ok(), self.shards);
        match of_engine.map_err(Failure::usage)? {
            None if self.shards.is_some_and(|count| count > 1) => Err(Failure::usage(
                "--shards says how many parts there are, and nothing says which is ours: give --shard I/N",
            )),
            part => Ok(part.unwrap_or(Part::WHOLE)),
        }
    }

    /// Reads the scenario and lays the flags over it.
    fn settings(self) -> Result<LoadSettings, Failure> {
        let file = match &self.scenario {
            Some(path) => Some(ConfigFile::read(path).map_err(Failure::usage)?),
            None => None,
        };
        let mut written = match &file {
            Some(file) => file.decode().map_err(Failure::usage)?,
            None => LoadWritten::default(),
        };
        // What stands in the scenario begins at its directory, what stands in a flag at ours.
        if let Some(file) = &file {
            written.resolve(|path| file.resolve(path));
        }
        let flags: [(&'static str, bool); 3] = [
            ("nodes", !self.nodes.is_empty()),
            ("conference", self.conference.is_some()),
            ("thresholds", !self.thresholds.is_empty()),
        ];
        self.lay_over(&mut written);
        written.check().map_err(|wrong| match &file {
            Some(file) if !flags.contains(&(wrong.key, true)) => {
                Failure::usage(file.complain(wrong.key, wrong.what))
            }
            _ => Failure::usage(format!("{}: {}", flag(wrong.key), wrong.what)),
        })
    }

    fn lay_over(self, written: &mut LoadWritten) {
        fn set<T>(key: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *key = value;
            }
        }
        if !self.nodes.is_empty() {
            written.nodes = self.nodes;
        }
        if !self.thresholds.is_empty() {
            written.thresholds = self.thresholds;
        }
        set(&mut written.conference, self.conference);
        set(&mut written.conferences, self.conferences);
        set(&mut written.participants, self.participants);
        set(&mut written.talkers, self.talkers);
        set(&mut written.video_senders, self.video_senders);
        set(&mut written.churners, self.churners);
        set(&mut written.rate, self.rate);
        set(
            &mut written.hold_seconds,
            self.hold.map(|hold| hold.as_secs_f64()),
        );
        set(&mut written.seed, self.seed);
        set(&mut written.knee_step, self.knee_step);
        written.audio = self.audio.or(written.audio.take());
        written.video = self.video.or(written.video.take());
        written.pin_file = self.pin_file.or(written.pin_file.take());
        written.report = self.report.or(written.report.take());
        if self.ca_file.is_some() || self.insecure {
            written.ca_file = self.ca_file;
            written.insecure = self.insecure;
        }
    }
}

/// Returns what stands for a key on the command line.
fn flag(key: &str) -> String {
    match key {
        "nodes" => "--node".to_owned(),
        "thresholds" => "--threshold".to_owned(),
        "hold_seconds" => "--hold".to_owned(),
        key => format!("--{}", key.replace('_', "-")),
    }
}

/// When a test starts.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// After this time.
    after: Duration,
    /// The same as a moment: equal, to the last digit, for all parts of a test.
    moment: SystemTime,
}

impl Start {
    /// At a moment in seconds since 1970; at once without one.
    fn at(start_at: Option<f64>) -> Result<Self, Failure> {
        let now = SystemTime::now();
        let Some(at) = start_at else {
            return Ok(Self::now());
        };
        let over = || {
            let now = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            Failure::usage(format!(
                "--start-at {at} is over: it is {} now",
                now.as_secs()
            ))
        };
        let moment = Duration::try_from_secs_f64(at)
            .ok()
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(at))
            .ok_or_else(over)?;
        let after = moment.duration_since(now).map_err(|_| over())?;
        Ok(Self { after, moment })
    }

    fn now() -> Self {
        Self {
            after: Duration::ZERO,
            moment: SystemTime::now(),
        }
    }
}

/// Prints what thresholds may be about.
fn list_figures() {
    print::line("Figures, each with .min .mean .max .count and any percentile, such as .p95:");
    for metric in load::metric::ALL {
        print::line(format_args!("  {:<20} {}", metric.name, metric.what));
    }
    print::line("Counts:");
    let rates = ["failures.rate", "failures", "capacity.rate"];
    let counters = load::Counter::ALL.map(load::Counter::name);
    for name in counters.into_iter().chain(rates) {
        print::line(format_args!("  {name}"));
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
