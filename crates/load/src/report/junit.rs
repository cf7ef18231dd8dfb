//! JUnit XML, which continuous integration reads: one test case a threshold.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::when;
use crate::{Conclusion, RunResult};

/// The run as a JUnit test suite.
pub fn junit(result: &RunResult) -> String {
    let verdict = &result.verdict;
    let invalid = verdict.conclusion == Conclusion::Invalid;
    let failures = verdict
        .thresholds
        .iter()
        .filter(|judged| !judged.holds)
        .count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\" timestamp=\"{}\">",
        Escaped(&result.run.title),
        verdict.thresholds.len() + 1,
        u8::from(invalid),
        when::utc(result.run.started_ms).trim_end_matches('Z'),
    );
    text += "  <testcase classname=\"standin.load\" name=\"the generator kept up\">";
    if invalid {
        let _ = write!(
            text,
            "\n    <error message=\"{}\"/>\n  ",
            Escaped(&verdict.exceeded.join("; "))
        );
    }
    text += "</testcase>\n";
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
