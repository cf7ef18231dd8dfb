//! JUnit XML, which continuous integration reads: one test case a threshold, and two for whether they
//! could be judged at all.
//!
//! There is no standard of it. What stands here is what the schemas in use want of a file, those of
//! Ant and of Jenkins among them: every attribute, in the order of elements that they have.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::when;
use crate::RunResult;

/// What every test case belongs to.
const CLASS: &str = "standin.load";

/// The run as JUnit test suites, of which there is one.
pub fn junit(result: &RunResult) -> String {
    let verdict = &result.verdict;
    let conditions = [
        ("the generator kept up", "overloaded", &verdict.exceeded),
        ("the test ran to its end", "cut short", &verdict.interrupted),
    ];
    let errors = conditions.iter().filter(|(.., why)| !why.is_empty());
    let errors = errors.count();
    let missed = verdict.thresholds.iter().filter(|judged| !judged.holds);
    let failures = missed.count();
    let seconds = seconds(result);
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"",
        verdict.thresholds.len() + conditions.len(),
    );
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail.
    let _ = writeln!(text, "<testsuites name=\"standin load\" {counts}>");
    let _ = writeln!(
        text,
        "  <testsuite id=\"0\" package=\"standin\" name=\"{}\" hostname=\"{}\" timestamp=\"{}\" {counts}>",
        Escaped(&result.run.title),
        Escaped(host(result)),
        when::utc(result.run.started_ms).trim_end_matches('Z'),
    );
    text += "    <properties>\n";
    for (name, value) in properties(result) {
        let (name, value) = (Escaped(name), Escaped(&value));
        let _ = writeln!(text, "      <property name=\"{name}\" value=\"{value}\"/>");
    }
    text += "    </properties>\n";
    for (name, kind, why) in conditions {
        let why = (!why.is_empty()).then(|| why.join("; "));
        case(
            &mut text,
            name,
            why.as_ref().map(|why| ("error", kind, why)),
        );
    }
    for judged in &verdict.thresholds {
        let measured = format!("measured: {}", judged.told);
        let wrong = (!judged.holds).then_some(("failure", "threshold", &measured));
        case(&mut text, &judged.threshold, wrong);
    }
    let _ = writeln!(
        text,
        "    <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>\n</testsuites>",
        Escaped(&verdict.line())
    );
    text
}

/// One test case, with what is wrong: the element, its type, and the message.
fn case(text: &mut String, name: &str, wrong: Option<(&str, &str, &String)>) {
    let name = Escaped(name);
    // All are of the same run, so that none took time of its own.
    let _ = write!(
        text,
        "    <testcase classname=\"{CLASS}\" name=\"{name}\" time=\"0.000\""
    );
    match wrong {
        None => *text += "/>\n",
        Some((element, kind, message)) => {
            let message = Escaped(message);
            let _ = writeln!(
                text,
                ">\n      <{element} type=\"{kind}\" message=\"{message}\">{message}</{element}>\n    </testcase>"
            );
        }
    }
}

/// What the run was, by name.
fn properties(result: &RunResult) -> Vec<(&'static str, String)> {
    let run = &result.run;
    let mut all = vec![
        ("seed", run.seed.to_string()),
        ("callers", run.callers.to_string()),
    ];
    all.extend(run.described.iter().map(|line| ("scenario", line.clone())));
    if let Some(knee) = &result.knee {
        all.push(("knee", knee.line()));
    }
    all
}

/// The machine of the first part.
fn host(result: &RunResult) -> &str {
    let mut generators = result.measurements.generators().values();
    let host = generators.next().map_or("", |first| first.host.as_str());
    if host.is_empty() { "unknown" } else { host }
}

/// How long it was measured.
fn seconds(result: &RunResult) -> f64 {
    let last = result.measurements.intervals().keys().next_back();
    let count = last.map_or(0, |last| last + 1);
    f64::from(count) * result.measurements.interval().as_secs_f64()
}
