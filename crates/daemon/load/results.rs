//! `standin load merge` and `standin load diff`: results that are already there.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use load::{RunResult, Threshold, report};

use super::diff::{DiffArgs, diff};
use crate::exit::{Exit, Failure};
use crate::print;

/// What to do with results.
#[derive(Subcommand, Debug)]
pub(crate) enum Results {
    Merge(MergeArgs),
    Diff(DiffArgs),
}

/// Add up the results of a test's parts, exactly as if one machine had run it all.
///
/// The verdict is worked out anew, and is the exit code: 0 all thresholds held, 1 one did not, 4 a
/// generator was overloaded, or a part cut short. Parts that are missing, there twice or of another run are named, and
/// nothing is judged: 2.
///
/// Results of the workers of a Locust master are the parts of its test. Figures and counts add up
/// exactly; what is over time is put together to the interval. Whether a worker is missing, the master
/// alone knows.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The directory for the report of the whole; made if it is missing
    #[arg(value_name = "DIRECTORY")]
    report: PathBuf,

    /// Each part's result.json
    #[arg(value_name = "RESULT.json", required = true)]
    parts: Vec<PathBuf>,

    /// Judge what is there though parts are missing
    #[arg(long)]
    incomplete: bool,

    /// What the whole is judged by, such as 'join.total.p95 < 2s', in place of what the parts were to be
    #[arg(long = "threshold", value_name = "LINE")]
    thresholds: Vec<Threshold>,
}

impl Results {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Merge(args) => merge(&args),
            Self::Diff(args) => diff(&args),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<RunResult, Failure> {
    RunResult::read(path).map_err(Failure::usage)
}

fn merge(args: &MergeArgs) -> Result<Exit, Failure> {
    let parts: Result<Vec<RunResult>, Failure> = args.parts.iter().map(|path| read(path)).collect();
    let mut whole = RunResult::merge(parts?).map_err(Failure::usage)?;
    if !args.thresholds.is_empty() {
        whole.judge_by(&args.thresholds);
    }
    if let Some(missing) = missing(&whole) {
        if !args.incomplete {
            return Err(Failure::usage(format!(
                "{missing} missing, so nothing is said about the whole: name every part's \
                 result.json, or judge what is there with --incomplete"
            )));
        }
        print::progress(format_args!(
            "{missing} missing: this is not the whole test"
        ));
    }
    let page = report::write_all(&args.report, &whole).map_err(Failure::failed)?;
    if let Some(master) = &whole.run.master {
        print::line(format_args!(
            "{} of the Locust master at {master}; whether there were more, it alone knows",
            super::counted(whole.measurements.generators().len(), "worker")
        ));
    }
    print::line(whole.verdict.line());
    print::line(format_args!("Report: {}", page.display()));
    Ok(super::level::exit_of(&whole))
}

/// Says which parts are missing, if any are.
fn missing(whole: &RunResult) -> Option<String> {
    let missing: Vec<String> = whole.missing_shards().iter().map(u32::to_string).collect();
    let all = whole.shards;
    match missing.as_slice() {
        [] => None,
        [one] => Some(format!("part {one} of {all} is")),
        more => Some(format!("parts {} of {all} are", more.join(", "))),
    }
}
