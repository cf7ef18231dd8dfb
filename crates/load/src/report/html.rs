//! The report as one page that needs nothing but itself: no script, no network.

use std::fmt::{Display, Write as _};

use super::escape::Escaped;
use super::plot;
use crate::{Conclusion, RunResult};

mod callers;
mod conferences;
mod joining;
mod knee;
mod marks;
mod method;
mod over_time;
mod tables;
mod verdict;

use callers::{heat, worst};
use conferences::conferences;
use joining::joining;
use knee::knee;
use marks::marks;
use method::method;
pub(super) use over_time::colour;
use over_time::over_time;
pub(super) use tables::reasons;
use tables::{environment, figures, thresholds};
pub(super) use verdict::numbers;
use verdict::verdict;

/// How the pages look: this one, and the live one.
pub const STYLE: &str = include_str!("page.css");

/// The run as an HTML page.
pub fn page(result: &RunResult) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}: {} · Standin load test</title>\n<style>\n{STYLE}</style>\n<main>\n",
        word(result.verdict.conclusion),
        Escaped(&result.run.title)
    );
    verdict(&mut page, result);
    numbers(&mut page, &result.measurements);
    thresholds(&mut page, result);
    reasons(&mut page, &result.measurements);
    knee(&mut page, result);
    joining(&mut page, result);
    over_time(&mut page, result);
    marks(&mut page, result);
    heat(&mut page, result);
    conferences(&mut page, result);
    worst(&mut page, result);
    figures(&mut page, result);
    environment(&mut page, result);
    method(&mut page);
    page += "</main>\n</html>\n";
    page
}

/// What became of a run, for a page that has the rest already: the verdict, the knee, the thresholds.
pub(super) fn outcome(result: &RunResult) -> String {
    let mut page = String::new();
    verdict(&mut page, result);
    knee(&mut page, result);
    thresholds(&mut page, result);
    page
}

/// A conclusion in one word.
fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Pass => "PASS",
        Conclusion::Fail => "FAIL",
        Conclusion::Invalid => "INVALID",
        Conclusion::Interrupted => "INTERRUPTED",
    }
}

/// Writing into a String cannot fail.
pub(super) fn put(page: &mut String, what: impl Display) {
    let _ = write!(page, "{what}");
}

/// A part of the page under its heading.
pub(super) fn panel(page: &mut String, title: &str, body: &str) {
    put(
        page,
        format_args!("<section class=\"panel\"><h2>{title}</h2>\n{body}</section>\n"),
    );
}

/// A table that scrolls by itself where the page is too narrow for it, by keyboard too.
pub(super) fn table(title: &str, head: &[(&str, bool)], rows: &str) -> String {
    let mut table = format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\"><table>\n<thead><tr>",
        Escaped(title)
    );
    for (word, is_number) in head {
        let class = if *is_number { " class=n" } else { "" };
        put(&mut table, format_args!("<th scope=col{class}>{word}</th>"));
    }
    put(
        &mut table,
        format_args!("</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"),
    );
    table
}

/// The length of what was measured, in seconds.
fn duration(result: &RunResult) -> f64 {
    let intervals = result.measurements.intervals();
    let last = intervals.keys().next_back().copied().unwrap_or_default();
    (f64::from(last) + 1.0) * result.measurements.interval().as_secs_f64()
}
