//! What `standin load` is told on the command line, laid over the scenario.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::locust::Master;
use super::results::Results;
use super::settings::{LoadSettings, LoadWritten};
use super::shard::Part;
use crate::config_file::ConfigFile;
use crate::exit::Failure;
use crate::join::seconds;

const AFTER_HELP: &str = "\
A scenario has every choice; config/load.toml describes them all. Flags win over it.
Nodes other than this machine must be named in it: allow = [\"node.example.com\"].

The first Ctrl-C lets every caller hang up and release its token, and reports what was measured
until then; the second ends at once.

Exit codes: 0 all thresholds held, or a part of a test has measured (the parts are judged together);
1 a threshold was missed; 2 the scenario is wrong; 3 there is no Locust master; 4 the generator was
overloaded, so that nothing is said about the node; 130 interrupted.

Examples:
  standin load --node http://127.0.0.1:8080 --conference meet --participants 20 --hold 15
  standin load town-hall.toml --report report

  who comes when, without a call:
  standin load town-hall.toml --plan

  one of four processes, then all four together:
  standin load town-hall.toml --shard 0/4 --start-at 1900000000 --report part-0
  standin load merge whole part-*/result.json

  two results side by side, and whether the second is worse:
  standin load diff monday/result.json tuesday/result.json

  what stands in result.json, for programs:
  standin load --schema result

  Locust says who comes when:
  standin load town-hall.toml --locust locust-master";

/// Put many callers on a node, measure what each lives through, and judge.
///
/// Each caller is a whole participant: it joins, keeps its token, sends and receives media, and leaves.
/// What they received is accounted for packet by packet; those of --decode-callers decode it too.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct LoadArgs {
    /// What to do with results that are already there.
    #[command(subcommand)]
    pub(super) results: Option<Results>,

    /// The scenario; without one, the flags and the defaults say it all
    #[arg(value_name = "SCENARIO.toml")]
    scenario: Option<PathBuf>,

    /// Conferencing Node: https://host[:port] or http://…; given more than once, callers take them in turn
    #[arg(help_heading = "Where to", long = "node", value_name = "URL")]
    nodes: Vec<String>,

    /// The conferences' alias; where there are several, an n in braces stands for the number
    #[arg(help_heading = "Where to", long, value_name = "ALIAS")]
    conference: Option<String>,

    /// How many conferences
    #[arg(help_heading = "Where to", long, value_name = "N")]
    conferences: Option<usize>,

    /// How many participants in each
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    participants: Option<usize>,

    /// How many of them talk
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    talkers: Option<usize>,

    /// How many of them send sound and picture
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    video_senders: Option<usize>,

    /// How many of them come and go
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    churners: Option<usize>,

    /// How many callers arrive a second
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    rate: Option<f64>,

    /// How long all stay once the last has arrived
    #[arg(help_heading = "Who comes", long, value_name = "SECONDS", value_parser = seconds)]
    hold: Option<Duration>,

    /// What talkers play: a file, `tone` or `silence`
    #[arg(help_heading = "Who comes", long, value_name = "SOURCE")]
    audio: Option<String>,

    /// What video senders show: a file, or `bars`
    #[arg(help_heading = "Who comes", long, value_name = "SOURCE")]
    video: Option<String>,

    /// Marks in sound and picture, by which callers that decode know how long both were under way
    #[arg(long)]
    marks: bool,

    /// How many callers decode what they receive; the others account for packets alone
    #[arg(long, value_name = "N")]
    decode_callers: Option<usize>,

    /// Send media through a TURN server alone: one that the node names
    #[arg(long)]
    relay_only: bool,

    /// File with the PIN of all conferences; without it, STANDIN_PIN
    #[arg(help_heading = "Where to", long, value_name = "FILE")]
    pin_file: Option<PathBuf>,

    /// PEM file with the certificates to believe, instead of the system's
    #[arg(
        help_heading = "Where to",
        long,
        value_name = "FILE",
        conflicts_with = "insecure"
    )]
    ca_file: Option<PathBuf>,

    /// Believe any certificate: for practice alone
    #[arg(help_heading = "Where to", long)]
    insecure: bool,

    /// The seed of all chance
    #[arg(help_heading = "Who comes", long, value_name = "N")]
    seed: Option<u64>,

    /// What the test is judged by, such as 'join.total.p95 < 2s'; given more than once, all must hold.
    /// Replaces those of the scenario
    #[arg(
        help_heading = "Verdict and report",
        long = "threshold",
        value_name = "LINE"
    )]
    thresholds: Vec<String>,

    /// Find the knee: so many participants a conference, then as many again, until a threshold breaks
    #[arg(help_heading = "Verdict and report", long, value_name = "N")]
    knee_step: Option<usize>,

    /// Serve a live page, and /metrics for Prometheus, at this address or port, such as 127.0.0.1:9100
    #[arg(help_heading = "Verdict and report", long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,

    /// A directory for the report
    #[arg(help_heading = "Verdict and report", long, value_name = "DIRECTORY")]
    report: Option<PathBuf>,

    /// Run this part of the test alone, such as 0/4; Slurm and Kubernetes tell it by themselves
    #[arg(help_heading = "On several machines", long, value_name = "I/N")]
    shard: Option<Part>,

    /// How many parts the test has, where the engine does not tell
    #[arg(
        help_heading = "On several machines",
        long,
        value_name = "N",
        conflicts_with = "shard"
    )]
    shards: Option<usize>,

    /// When the test starts, in seconds since 1970, so that its parts start together
    #[arg(help_heading = "On several machines", long, value_name = "UNIX")]
    pub(super) start_at: Option<f64>,

    /// Print who comes when and does what, one JSON object a caller, and end; opens no socket
    #[arg(help_heading = "Who comes", long)]
    pub(super) plan: bool,

    /// Work for the Locust master there, at port 5557 unless given: it says how many callers of each kind
    /// there are. Its locustfile is config/locustfile.py
    #[arg(help_heading = "On several machines", 
        long,
        value_name = "MASTER",
        conflicts_with_all = [
            "participants", "talkers", "video_senders", "churners", "rate", "hold", "knee_step",
            "shard", "shards", "start_at", "plan",
        ]
    )]
    pub(super) locust: Option<Master>,

    /// List what is measured and what thresholds may be about, and end
    #[arg(help_heading = "Verdict and report", long, exclusive = true)]
    pub(super) figures: bool,

    /// Print the JSON Schema of `result.json`, or of a line of `series.ndjson`, and end
    #[arg(
        help_heading = "Verdict and report",
        long,
        value_name = "FILE",
        exclusive = true
    )]
    pub(super) schema: Option<SchemaOf>,

    /// Print the result as one JSON object, and no progress
    #[arg(help_heading = "Verdict and report", long)]
    pub(super) json: bool,
}

/// What there is a JSON Schema for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaOf {
    /// `result.json`, which is also what --json prints
    Result,
    /// A line of `series.ndjson`
    Series,
}

impl SchemaOf {
    /// Returns the schema.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Result => load::schema::RESULT.trim_end(),
            Self::Series => load::schema::SERIES.trim_end(),
        }
    }
}

impl LoadArgs {
    /// Returns the part of the test that is ours.
    pub(super) fn part(&self) -> Result<Part, Failure> {
        if self.locust.is_some() {
            // Whatever engine started it, the master says what is its part.
            return Ok(Part::WHOLE);
        }
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
    pub(super) fn settings(self) -> Result<LoadSettings, Failure> {
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
        let is_locust = self.locust.is_some();
        self.lay_over(&mut written);
        if is_locust && (written.marks || written.decode_callers > 0) {
            return Err(Failure::usage(
                "a Locust worker neither marks what is sent nor decodes what comes: leave out marks and \
                 decode_callers, or run the test without --locust",
            ));
        }
        if is_locust {
            written.leave_callers_to_others();
        }
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
        set(&mut written.decode_callers, self.decode_callers);
        written.marks |= self.marks;
        written.relay_only |= self.relay_only;
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
        written.listen = self.listen.or(written.listen.take());
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
