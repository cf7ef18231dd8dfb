//! The knee: level by level, until something broke.

use super::plot::{self, Across, Guide, Line, Scale};
use super::{panel, put, table};
use crate::report::escape::Escaped;
use crate::{Knee, KneeLevel, RunResult};

pub(super) fn knee(page: &mut String, result: &RunResult) {
    let Some(knee) = &result.knee else {
        return;
    };
    let mut body = format!("<p>{}.</p>\n", Escaped(&knee.line()));
    body += &drawn(knee).unwrap_or_default();
    let mut rows = String::new();
    for level in &knee.levels {
        row(&mut rows, level);
    }
    let head = [
        ("participants a conference", true),
        ("callers", true),
        ("capacity they take", false),
        ("verdict", false),
        ("what did not hold", false),
    ];
    if !knee.levels.is_empty() {
        body += &table("Levels", &head, &rows);
        body += "<p class=\"soft\">All else on this page is of the last level that held. HD ports are the unit of Pexip's \
                 capacity: sound alone is a twelfth, SD a half, Full HD two.</p>\n";
    }
    panel(page, "The knee", &body);
}

/// The figure that broke, over the levels.
fn drawn(knee: &Knee) -> Option<String> {
    let figure = knee.figure()?;
    let most = figure.points.last()?.0;
    let points = figure.points.iter();
    let line = Line {
        name: format!("{}, measured", subject(&figure.what)),
        colour: 0,
        points: points.map(|(at, value)| (f64::from(*at), *value)).collect(),
    };
    let limit = format!("the limit: {}", figure.unit.told(figure.limit));
    let held = format!(
        "the last level that held: {} participants, {}",
        knee.participants,
        knee.hd_ports.told()
    );
    let guides = [
        Guide::Level(figure.limit, limit),
        Guide::Place(f64::from(knee.participants), held),
    ];
    Some(plot::guided(
        "What broke, over participants",
        &Scale::of(figure.unit),
        &Across::count("over participants a conference", f64::from(most)),
        &[line],
        &guides,
    ))
}

/// A threshold without what it is held against.
fn subject(threshold: &str) -> &str {
    let end = threshold.find(['<', '>', '=']).unwrap_or(threshold.len());
    threshold[..end].trim()
}

fn row(rows: &mut String, level: &KneeLevel) {
    let (class, word) = match level.held {
        true => ("pass", "✓ held"),
        false => ("fail", "✗ did not hold"),
    };
    let missed = level.thresholds.iter().filter(|judged| !judged.holds);
    let mut why: Vec<String> = missed
        .map(|judged| {
            format!(
                "<code>{}</code>: {}",
                Escaped(&judged.threshold),
                Escaped(&judged.told)
            )
        })
        .collect();
    if level.refused > 0 {
        why.push(format!("no room for {}", level.refused));
    }
    put(
        rows,
        format_args!(
            "<tr><th scope=row class=n>{}</th><td class=n>{}</td><td>{}</td><td class={class}>{word}</td><td>{}</td></tr>\n",
            level.participants,
            level.callers,
            level.hd_ports.told(),
            if why.is_empty() {
                "–".to_owned()
            } else {
                why.join(", ")
            },
        ),
    );
}
