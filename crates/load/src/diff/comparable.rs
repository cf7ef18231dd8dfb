//! Whether two runs are of the same, in words.

use crate::{Conclusion, RunResult};

/// Beginnings of lines that say where a run went, not what it was.
const WHERE: [&str; 2] = ["nodes: ", "callers: as the Locust master"];

/// Says why two runs cannot be compared, a sentence each.
pub(super) fn differences(before: &RunResult, after: &RunResult) -> Vec<String> {
    let mut all = Vec::new();
    let (old, new) = (what(before), what(after));
    let only = |these: &[&str], those: &[&str]| -> Vec<String> {
        let these = these.iter().filter(|line| !those.contains(line));
        these.map(|line| format!("\"{line}\"")).collect()
    };
    let (gone, come) = (only(&old, &new), only(&new, &old));
    // A knee is looked for among levels, and what is told is of the one that was found.
    let both_knees = before.knee.is_some() && after.knee.is_some();
    let is_other = !gone.is_empty() || !come.is_empty();
    if is_other && !both_knees {
        all.push(format!(
            "the scenarios differ: before {}, after {}",
            listed(&gone),
            listed(&come)
        ));
    }
    if before.knee.is_some() != after.knee.is_some() {
        all.push("one of them looked for a knee and the other did not".to_owned());
    }
    for (run, which) in [(before, "the first"), (after, "the second")] {
        let missing = run.missing_shards();
        if !missing.is_empty() {
            all.push(format!(
                "{which} is not a whole test: of {} parts {} are missing",
                run.shards,
                missing.len()
            ));
        }
        if run.verdict.conclusion == Conclusion::Invalid {
            all.push(format!(
                "{which} is invalid: its generator was overloaded ({})",
                run.verdict.exceeded.join("; ")
            ));
        }
        if run.verdict.conclusion == Conclusion::Interrupted {
            all.push(format!(
                "{which} was cut short ({})",
                run.verdict.interrupted.join("; ")
            ));
        }
    }
    all
}

/// What is different and does not matter to a comparison, a sentence each.
pub(super) fn notes(before: &RunResult, after: &RunResult) -> Vec<String> {
    let mut all = Vec::new();
    let nodes = |run: &RunResult| {
        let mut lines = run.run.described.iter();
        lines.find(|line| line.starts_with(WHERE[0])).cloned()
    };
    if let (Some(old), Some(new)) = (nodes(before), nodes(after))
        && old != new
    {
        all.push(format!("other {old}; after, {new}"));
    }
    let (old, new) = (before.run.seed, after.run.seed);
    if old != new {
        all.push(format!(
            "other seeds, {old} and {new}: who comes when, and whose link is poor, was drawn anew"
        ));
    }
    all
}

/// The lines that say what a run was.
fn what(run: &RunResult) -> Vec<&str> {
    let lines = run.run.described.iter().map(String::as_str);
    lines
        .filter(|line| !WHERE.iter().any(|begin| line.starts_with(begin)))
        .collect()
}

fn listed(lines: &[String]) -> String {
    match lines {
        [] => "nothing more".to_owned(),
        lines => lines.join(" and "),
    }
}
