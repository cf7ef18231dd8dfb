//! JUnit XML, which continuous integration reads: one test case a threshold, and two for whether they
//! could be judged at all.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::when;
use crate::RunResult;

/// The run as a JUnit test suite.
pub fn junit(result: &RunResult) -> String {
    let verdict = &result.verdict;
    let conditions = [
        ("the generator kept up", &verdict.exceeded),
        ("the test ran to its end", &verdict.interrupted),
    ];
    let errors = conditions.iter().filter(|(_, why)| !why.is_empty()).count();
    let failures = verdict
        .thresholds
        .iter()
        .filter(|judged| !judged.holds)
        .count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" timestamp=\"{}\">",
        Escaped(&result.run.title),
        verdict.thresholds.len() + conditions.len(),
        when::utc(result.run.started_ms).trim_end_matches('Z'),
    );
    for (name, why) in conditions {
        let _ = write!(
            text,
            "  <testcase classname=\"standin.load\" name=\"{name}\">"
        );
        if !why.is_empty() {
            let _ = write!(
                text,
                "\n    <error message=\"{}\"/>\n  ",
                Escaped(&why.join("; "))
            );
        }
        text += "</testcase>\n";
    }
    for judged in &verdict.thresholds {
        let _ = write!(
            text,
            "  <testcase classname=\"standin.load\" name=\"{}\">",
            Escaped(&judged.threshold)
        );
        if !judged.holds {
            let _ = write!(
                text,
                "\n    <failure message=\"measured: {}\"/>\n  ",
                Escaped(&judged.told)
            );
        }
        text += "</testcase>\n";
    }
    text += "</testsuite>\n";
    text
}
