//! What a person sees first: the verdict, why, and the few numbers that matter most.

use super::{duration, put, word};
use crate::report::escape::Escaped;
use crate::report::when;
use crate::{Conclusion, Counter, Measurements, Metric, RunResult, Unit, metric};

/// The verdict in one word, its reasons, and what was run.
pub(super) fn verdict(page: &mut String, result: &RunResult) {
    let (run, verdict) = (&result.run, &result.verdict);
    let class = match verdict.conclusion {
        Conclusion::Pass => "pass",
        Conclusion::Fail => "fail",
        Conclusion::Invalid | Conclusion::Interrupted => "invalid",
    };
    put(
        page,
        format_args!(
            "<header class=\"panel verdict {class}\">\n<p class=\"badge\">{}</p>\n<div>\n<h1>{}</h1>\n",
            word(verdict.conclusion),
            Escaped(&run.title)
        ),
    );
    let all = verdict.thresholds.len();
    let missed: Vec<_> = verdict
        .thresholds
        .iter()
        .filter(|judged| !judged.holds)
        .collect();
    let escaped = |all: &[String]| all.iter().map(|why| Escaped(why).to_string()).collect();
    let (why, list): (String, Vec<String>) = match verdict.conclusion {
        Conclusion::Pass if all == 0 => (
            "No thresholds were given, so none was missed.".into(),
            vec![],
        ),
        Conclusion::Pass if all == 1 => ("The threshold holds.".into(), vec![]),
        Conclusion::Pass => (format!("All {all} thresholds hold."), vec![]),
        Conclusion::Fail => (
            format!("{} of {all} thresholds missed:", missed.len()),
            missed
                .iter()
                .map(|judged| {
                    format!(
                        "<code>{}</code> was <b>{}</b>",
                        Escaped(&judged.threshold),
                        Escaped(&judged.told)
                    )
                })
                .collect(),
        ),
        Conclusion::Invalid => (
            "The generator was overloaded, so this says nothing about the node:".into(),
            escaped(&verdict.exceeded),
        ),
        Conclusion::Interrupted => (
            "The test was cut short, so nothing is concluded:".into(),
            escaped(&verdict.interrupted),
        ),
    };
    put(page, format_args!("<p class=\"why\">{why}</p>\n"));
    if !list.is_empty() {
        *page += "<ul>\n";
        for line in list {
            put(page, format_args!("<li>{line}</li>\n"));
        }
        *page += "</ul>\n";
    }
    put(page, format_args!("<p>{}</p>\n", happened(result)));
    put(
        page,
        format_args!(
            "<p class=\"soft\">Started {}, seed {}.</p>\n</div>\n</header>\n",
            when::utc(run.started_ms)
                .replace('T', " ")
                .replace('Z', " UTC"),
            run.seed
        ),
    );
    let missing = result.missing_shards();
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
        put(
            page,
            format_args!(
                "<p class=\"panel invalid\">This is a part of the run: of {} shards, {} {} missing.</p>\n",
                result.shards,
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" }
            ),
        );
    }
}

/// What happened, in a sentence.
fn happened(result: &RunResult) -> String {
    let measurements = &result.measurements;
    let attempted = measurements.counter(Counter::JoinsAttempted);
    let ok = measurements.counter(Counter::JoinsOk);
    let failures: u64 = measurements.failures().values().sum();
    let refused: u64 = measurements.capacity().values().sum();
    let times = |count: u64, none: &str, what: &str| match count {
        0 => none.to_owned(),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    };
    let mut said = format!(
        "{} in {}: {ok} of {attempted} joins led into the conference, {}",
        times(result.run.callers.into(), "No callers", "caller"),
        length(duration(result)),
        times(failures, "nothing failed", "failure"),
    );
    if refused > 0 {
        said += &format!(
            ", and the node had no room or licence {}",
            times(refused, "", "time")
        );
    }
    let kept = measurements.counter(Counter::TokensKept);
    if kept > 0 {
        said += &format!("; {} left behind", times(kept, "", "token"));
    }
    said + "."
}

fn length(seconds: f64) -> String {
    if seconds < 120.0 {
        format!("{seconds:.0} seconds")
    } else {
        format!("{:.0} minutes", seconds / 60.0)
    }
}

/// The numbers that a person asks for first.
pub(in crate::report) fn numbers(page: &mut String, measurements: &Measurements) {
    let quantile = |metric: &Metric, share: f64| {
        let value = measurements.histogram(metric)?.quantile(share)?;
        Some(metric.unit.told(value).to_string())
    };
    let attempted = measurements.counter(Counter::JoinsAttempted);
    let lost = measurements.counter(Counter::PacketsLost);
    let expected = measurements.counter(Counter::PacketsReceived) + lost;
    let ok = measurements.counter(Counter::JoinsOk);
    let numbers = [
        ("joins that led in", Some(format!("{ok} of {attempted}"))),
        ("join, p95", quantile(&metric::JOIN_TOTAL, 0.95)),
        ("MOS, p5, estimated", quantile(&metric::AUDIO_MOS, 0.05)),
        (
            "packets lost",
            (expected > 0).then(|| Unit::Ratio.told(lost as f64 / expected as f64).to_string()),
        ),
        ("round trip, p95", quantile(&metric::RTT, 0.95)),
        ("HTTP request, p95", quantile(&metric::HTTP_ALL, 0.95)),
        (
            "our frames late, p99",
            quantile(&metric::GENERATOR_LATE, 0.99),
        ),
    ];
    *page += "<dl class=\"numbers\">\n";
    for (name, value) in numbers {
        if let Some(value) = value {
            put(
                page,
                format_args!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"),
            );
        }
    }
    *page += "</dl>\n";
}
