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
/// generator was overloaded, or a part cut short. Parts that are missing, there twice or of another run are named, and
/// nothing is judged: 2.
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
