//! Everything in turns, each run a process of its own, and the medians of each.

use std::{
    io::{IsTerminal, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    engine::Call,
    joins::Joins,
    measure::Outcome,
    options::{Options, What},
    picture::Work,
    run::{Failure, Run},
    say,
    table::{self, Group},
    workload::Streams,
};

/// Callers with sound alone, to see whether cost stays flat.
const SOUND_CALLERS: [usize; 3] = [50, 200, 500];
/// More callers than the default, where all is asked for.
const MORE_CALLERS: [usize; 2] = [300, 400];
/// Joins through the engine: so many, so many a second, into so many conferences.
const JOINS: (usize, u32, usize) = (200, 150, 10);
/// Joins into one conference, to see what its growing roster costs: so many, so many a second.
const ROSTERS: ([usize; 4], u32) = ([10, 50, 100, 200], 25);
/// Participants of the node's conference, and how long each part of it is measured.
const ROOM: (usize, Duration) = (40, Duration::from_secs(4));

/// One row of what is told: its place in the tables, and its runs.
pub(crate) struct Row {
    pub(crate) group: Group,
    pub(crate) what: What,
    outcomes: Vec<Outcome>,
}

impl Row {
    fn new(group: Group, what: What) -> Self {
        Self {
            group,
            what,
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn median(&self) -> Outcome {
        Outcome::median(&self.outcomes)
    }
}

/// Runs all that is asked for, and prints it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let (mut rows, load) = (rows(options), load());
    let total = rows.len() * options.rounds;
    let begun = Instant::now();
    let mut done = 0;
    for _ in 0..options.rounds {
        for row in &mut rows {
            done += 1;
            progress(&format!(
                "{done} of {total}, {} s: {}",
                begun.elapsed().as_secs(),
                row.what.words().join(" ")
            ));
            row.outcomes.push(once(&row.what)?);
        }
    }
    progress("");
    say(&format!(
        "{}, load average before {}; medians of {} in turns, {} s each, {} s in all",
        machine(),
        load,
        options.rounds,
        options.time.as_secs(),
        begun.elapsed().as_secs()
    ));
    table::print(&rows);
    Ok(())
}

/// What is measured, in the order of a turn: floors beside those who are set against them.
fn rows(options: &Options) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut callers = options.callers.clone();
    if options.all {
        callers.extend(MORE_CALLERS);
    }
    let run = |callers, streams, receives| Run {
        callers,
        time: options.time,
        streams,
        receives,
    };
    for (part, group, receives) in [
        ("sending", Group::Sending, false),
        ("both", Group::Both, true),
    ] {
        for &callers in callers.iter().filter(|_| options.wants(part)) {
            let run = run(callers, Streams::Both, receives);
            rows.push(Row::new(group, What::Floor(run.clone())));
            rows.push(Row::new(group, What::Peer(run.clone())));
            if options.all {
                rows.push(Row::new(group, What::Unnumbered(run.clone())));
                rows.push(Row::new(group, What::Plain(run)));
            }
        }
    }
    if options.wants("sound") && !options.quick {
        for callers in SOUND_CALLERS {
            let run = run(callers, Streams::Audio, false);
            rows.push(Row::new(Group::Sound, What::Floor(run.clone())));
            rows.push(Row::new(Group::Sound, What::Peer(run)));
        }
    }
    if options.wants("joins") {
        for call in [Call::Video, Call::None] {
            for own_connections in [false, true] {
                let (callers, rate, conferences) = JOINS;
                let joins = Joins {
                    callers,
                    rate,
                    own_connections,
                    call,
                    conferences,
                };
                rows.push(Row::new(Group::Joins, What::Joins(joins)));
            }
        }
    }
    if options.wants("rosters") && !options.quick {
        let (all, rate) = ROSTERS;
        for callers in all {
            let joins = Joins {
                callers,
                rate,
                own_connections: false,
                call: Call::Sound,
                conferences: 1,
            };
            rows.push(Row::new(Group::Rosters, What::Joins(joins)));
        }
    }
    if options.wants("node") && !options.quick {
        let (participants, time) = ROOM;
        for video in [true, false] {
            for talkers in [1, 10] {
                let what = What::Room {
                    participants,
                    talkers,
                    video,
                    time,
                };
                rows.push(Row::new(Group::Room, what));
            }
        }
    }
    if options.wants("picture") {
        for work in Work::ALL {
            let time = options.time;
            rows.push(Row::new(Group::Picture, What::Picture { work, time }));
        }
    }
    rows
}

fn once(what: &What) -> Result<Outcome, Failure> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--run")
        .args(what.words())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let outcome = Outcome::parse(&text);
    outcome.ok_or_else(|| format!("{} gave no result: {text}", what.words().join(" ")).into())
}

/// One line that is written over on a terminal, and a line each time elsewhere.
#[expect(clippy::print_stderr, reason = "progress of a program for people")]
fn progress(line: &str) {
    let mut error = std::io::stderr();
    if error.is_terminal() {
        eprint!("\r\x1b[K{line}");
        // Progress that cannot be shown is none.
        let _ = error.flush();
    } else if !line.is_empty() {
        eprintln!("{line}");
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = named("model name").unwrap_or_else(|| "a processor without a name".to_owned());
    format!("{cores} × {model}")
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
