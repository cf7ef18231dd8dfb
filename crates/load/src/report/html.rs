//! The report as one page that needs nothing but itself: no script, no network.

use std::fmt::{Display, Write as _};

use super::escape::Escaped;
use super::when;
use crate::{Conclusion, Counter, Metric, RunResult, Unit, metric};

mod callers;
mod over_time;
mod tables;

use callers::callers;
use over_time::{joining, over_time};
use tables::{environment, figures, reasons};

const STYLE: &str = include_str!("page.css");

/// The run as an HTML page.
pub fn page(result: &RunResult) -> String {
    let title = Escaped(&result.run.title).to_string();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<main>\n"
    );
    head(&mut page, result);
    numbers(&mut page, result);
    thresholds(&mut page, result);
    joining(&mut page, result);
    over_time(&mut page, result);
    callers(&mut page, result);
    reasons(&mut page, result);
    figures(&mut page, result);
    environment(&mut page, result);
    page += "</main>\n</html>\n";
    page
}

/// Writing into a String cannot fail.
fn put(page: &mut String, what: impl Display) {
    let _ = write!(page, "{what}");
}

fn panel(page: &mut String, title: &str, body: &str) {
    put(
        page,
        format_args!("<section class=\"panel\"><h2>{title}</h2>\n{body}</section>\n"),
    );
}

fn head(page: &mut String, result: &RunResult) {
    let run = &result.run;
    put(page, format_args!("<h1>{}</h1>\n", Escaped(&run.title)));
    put(
        page,
        format_args!(
            "<p class=\"soft\">started {}, seed {}</p>\n",
            when::utc(run.started_ms),
            run.seed
        ),
    );
    let class = match result.verdict.conclusion {
        Conclusion::Pass => "pass",
        Conclusion::Fail => "fail",
        Conclusion::Invalid => "invalid",
    };
    let line = result.verdict.line();
    put(
        page,
        format_args!(
            "<p class=\"panel verdict {class}\">{}</p>\n",
            Escaped(&line)
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

fn numbers(page: &mut String, result: &RunResult) {
    let measurements = &result.measurements;
    let quantile = |metric: &Metric, share: f64| {
        let value = measurements.histogram(metric)?.quantile(share)?;
        Some(metric.unit.told(value).to_string())
    };
    let attempted = measurements.counter(Counter::JoinsAttempted);
    let lost = measurements.counter(Counter::PacketsLost);
    let expected = measurements.counter(Counter::PacketsReceived) + lost;
    let numbers = [
        ("callers", Some(result.run.callers.to_string())),
        (
            "joins that led in",
            Some(format!(
                "{} of {attempted}",
                measurements.counter(Counter::JoinsOk)
            )),
        ),
        ("join, p95", quantile(&metric::JOIN_TOTAL, 0.95)),
        ("MOS, p5", quantile(&metric::AUDIO_MOS, 0.05)),
        ("round trip, p95", quantile(&metric::RTT, 0.95)),
        (
            "packets lost",
            (expected > 0).then(|| Unit::Ratio.told(lost as f64 / expected as f64).to_string()),
        ),
        ("sent late by, p99", quantile(&metric::GENERATOR_LATE, 0.99)),
    ];
    *page += "<div class=\"numbers\">\n";
    for (name, value) in numbers {
        if let Some(value) = value {
            put(
                page,
                format_args!("<div class=\"number\"><b>{value}</b><span>{name}</span></div>\n"),
            );
        }
    }
    *page += "</div>\n";
}

fn thresholds(page: &mut String, result: &RunResult) {
    let mut body = String::new();
    if result.verdict.thresholds.is_empty() {
        body += "<p class=\"soft\">None were given.</p>\n";
    } else {
        body += "<table><tr><th>threshold<th>measured<th>\n";
        for judged in &result.verdict.thresholds {
            let (class, word) = if judged.holds {
                ("pass", "holds")
            } else {
                ("fail", "missed")
            };
            put(
                &mut body,
                format_args!(
                    "<tr><td><code>{}</code><td>{}<td class=\"{class}\">{word}\n",
                    Escaped(&judged.threshold),
                    Escaped(&judged.told)
                ),
            );
        }
        body += "</table>\n";
    }
    panel(page, "Thresholds", &body);
}
