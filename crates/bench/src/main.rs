//! What a caller costs: N callers against a bare far end in another process, whose time is not
//! counted, beside a floor that does nothing but protect and send the same packets.
//!
//! `make bench` runs it; `--help` says with what. Every single run is a process of its own, and
//! what is compared runs in turns; see [`compare`].

mod compare;
mod counted;
mod engine;
mod floor;
mod joins;
mod measure;
mod options;
mod ours;
mod picture;
mod plain;
mod room;
mod run;
mod table;
mod terminator;
mod workload;

use std::process::ExitCode;

use measure::Outcome;
use options::{Options, Task, What};
use run::Failure;

fn main() -> ExitCode {
    let task = match Options::read(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            say(&error);
            return ExitCode::from(2);
        }
    };
    let result = match task {
        Task::Help => {
            say(options::HELP);
            Ok(())
        }
        Task::Terminator => terminator::run().map_err(Failure::from),
        Task::PracticeNode => engine::run_node(),
        Task::One(what) => one(&what).map(|outcome| say(&outcome.line())),
        Task::Compare(options) => compare::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// One run, in this process.
fn one(what: &What) -> Result<Outcome, Failure> {
    match what {
        What::Floor(run) => Ok(floor::run(run)?),
        What::Plain(run) => plain::run(run),
        What::Peer(run) => ours::run(run, true),
        What::Unnumbered(run) => ours::run(run, false),
        What::Counted {
            callers,
            frames,
            receives,
            waste,
        } => counted::run(*callers, *frames, *receives, *waste),
        What::Joins(joins) => joins::run(joins),
        What::Room {
            participants,
            talkers,
            video,
            time,
        } => room::run(*participants, *talkers, *video, *time),
        What::Picture { work, time } => picture::run(*work, *time),
    }
}

#[expect(clippy::print_stdout, reason = "a bench's output is its purpose")]
fn say(line: &str) {
    println!("{line}");
}
