//! `standin load merge` and `standin load diff`: results that are already there.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use load::{RunResult, changes, report};

use crate::exit::{Exit, Failure};
use crate::print;

/// What to do with results.
#[derive(Subcommand, Debug)]
pub(crate) enum Results {
    /// Add up the results of a test's parts, exactly as if one machine had run it all
    Merge(MergeArgs),
    /// Compare two results, figure by figure
    Diff(DiffArgs),
}

/// Add up the results of a test's parts, exactly as if one machine had run it all.
///
/// The verdict is worked out anew, and is the exit code: 0 all thresholds held, 1 one did not, 4 a
/// generator was overloaded.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The directory for the report of the whole; made if it is missing
    #[arg(value_name = "DIRECTORY")]
    report: PathBuf,

    /// Each part's result.json
    #[arg(value_name = "RESULT.json", required = true)]
    parts: Vec<PathBuf>,
}

/// Compare two results, figure by figure.
///
/// What differs by less than a hundredth is left out.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The result.json of the first
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,

    /// The result.json of the second
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,

    /// Print the changes as one JSON array
    #[arg(long)]
    json: bool,
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

fn read(path: &Path) -> Result<RunResult, Failure> {
    RunResult::read(path).map_err(Failure::usage)
}

fn merge(args: &MergeArgs) -> Result<Exit, Failure> {
    let parts: Result<Vec<RunResult>, Failure> = args.parts.iter().map(|path| read(path)).collect();
    let whole = RunResult::merge(parts?).map_err(Failure::usage)?;
    for shard in whole.missing_shards() {
        print::progress(format_args!(
            "part {shard} of {} is missing: this is not the whole test",
            whole.shards
        ));
    }
    let page = report::write_all(&args.report, &whole).map_err(Failure::failed)?;
    print::line(whole.verdict.line());
    print::line(format_args!("Report: {}", page.display()));
    Ok(super::level::exit_of(&whole))
}

fn diff(args: &DiffArgs) -> Result<Exit, Failure> {
    let changes = changes(&read(&args.before)?, &read(&args.after)?);
    if args.json {
        print::json(&changes);
        return Ok(Exit::Done);
    }
    if changes.is_empty() {
        print::line("Nothing changed by a hundredth or more.");
    }
    for change in changes {
        let ratio = match change.ratio {
            Some(ratio) => format!("× {ratio:.2}"),
            None => String::new(),
        };
        let (what, before, after) = (change.what, change.before, change.after);
        print::line(format!("{what:<26} {before:>14} → {after:<14} {ratio}").trim_end());
    }
    Ok(Exit::Done)
}
