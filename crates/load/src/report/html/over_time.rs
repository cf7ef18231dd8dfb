//! The run over time: plots.

use super::plot::{self, Across, Line, Scale};
use super::{duration, panel};
use crate::{Interval, Metric, RunResult, Standing, Unit, metric};

/// What is drawn of a figure: a line for each of these shares.
type Shares = &'static [(&'static str, f64)];

const USUAL: Shares = &[("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];
const HIGH: Shares = &[("p50", 0.5), ("p95", 0.95), ("highest", 1.0)];
const LOW: Shares = &[("p50", 0.5), ("p5", 0.05), ("lowest", 0.0)];

/// Figures kept over time that are worth a picture, in the order of the page.
static PLOTS: [(&str, &Metric, Shares); 16] = [
    ("Joins, by when they were done", &metric::JOIN_TOTAL, USUAL),
    (
        "MOS of received audio, estimated without decoding",
        &metric::AUDIO_MOS,
        LOW,
    ),
    ("Round trip of media", &metric::RTT, USUAL),
    (
        "Audio lost on the way to callers",
        &metric::AUDIO_LOSS,
        HIGH,
    ),
    (
        "Video lost on the way to callers",
        &metric::VIDEO_LOSS,
        HIGH,
    ),
    (
        "Lost on the way to the node, as it reports",
        &metric::SENT_LOSS,
        HIGH,
    ),
    ("Jitter of received audio", &metric::AUDIO_JITTER, USUAL),
    ("Audio received, by caller", &metric::AUDIO_BIT_RATE, LOW),
    ("Video received, by caller", &metric::VIDEO_BIT_RATE, LOW),
    (
        "Frames received a second, not decoded",
        &metric::VIDEO_FRAME_RATE,
        LOW,
    ),
    (
        "Mouth to ear, by marks, decoded",
        &metric::AUDIO_DELAY,
        HIGH,
    ),
    (
        "Picture on its way, by marks, decoded",
        &metric::VIDEO_DELAY,
        HIGH,
    ),
    (
        "Sound and picture apart, by marks, decoded",
        &metric::AV_SKEW,
        HIGH,
    ),
    ("HTTP requests of all kinds", &metric::HTTP_ALL, USUAL),
    (
        "The generator itself: frames sent late by",
        &metric::GENERATOR_LATE,
        USUAL,
    ),
    (
        "The generator itself: share of its cores in use",
        &metric::GENERATOR_CPU,
        HIGH,
    ),
];

pub(super) fn over_time(page: &mut String, result: &RunResult) {
    let seconds = duration(result);
    *page += "<div class=\"two\">\n";
    if let Some(plot) = states(result, seconds) {
        panel(page, STATES, &plot);
    }
    for (title, metric, shares) in &PLOTS {
        let lines: Vec<Line> = shares
            .iter()
            .enumerate()
            .map(|(colour, (name, share))| Line {
                name: (*name).to_owned(),
                colour,
                points: points(result, metric, *share),
            })
            .collect();
        if lines.iter().any(|line| !line.points.is_empty()) {
            let scale = match metric.name {
                "audio.mos" => Scale::of_mos(),
                _ => Scale::of(metric.unit),
            };
            panel(
                page,
                title,
                &plot::lines(title, &scale, &Across::time(seconds), &lines),
            );
        }
    }
    *page += "</div>\n";
}

fn points(result: &RunResult, metric: &Metric, share: f64) -> Vec<(f64, f64)> {
    let width = result.measurements.interval().as_secs_f64();
    let intervals = result.measurements.intervals().iter();
    let point = |(number, interval): (&u32, &Interval)| {
        let value = interval.histograms.get(metric.name)?.quantile(share)?;
        Some(((f64::from(*number) + 0.5) * width, value))
    };
    intervals.filter_map(point).collect()
}

const STATES: &str = "Callers, by state";

/// Callers by state, over time.
fn states(result: &RunResult, seconds: f64) -> Option<String> {
    let intervals = result.measurements.intervals();
    let width = result.measurements.interval().as_secs_f64();
    let mut names: Vec<&str> = Vec::new();
    for name in intervals
        .values()
        .flat_map(|interval| interval.callers.keys())
    {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    // In the order of a caller's life.
    let place = |name: &str| {
        let mut all = Standing::ALL.iter();
        all.position(|standing| standing.name() == name)
            .unwrap_or(Standing::ALL.len())
    };
    names.sort_by_key(|name| place(name));
    let lines: Vec<Line> = names
        .into_iter()
        .map(|name| Line {
            name: name.to_owned(),
            colour: colour(place(name)),
            points: intervals
                .iter()
                .filter(|(_, interval)| !interval.callers.is_empty())
                .map(|(number, interval)| {
                    let count = interval.callers.get(name).copied().unwrap_or_default();
                    ((f64::from(*number) + 1.0) * width, count as f64)
                })
                .collect(),
        })
        .collect();
    let across = Across::time(seconds);
    (!lines.is_empty()).then(|| plot::lines(STATES, &Scale::of(Unit::Count), &across, &lines))
}

/// The colour of a state, by its place in a caller's life: who is in is green, who failed red.
pub(in crate::report) fn colour(place: usize) -> usize {
    const COLOURS: [usize; 9] = [6, 1, 4, 3, 7, 5, 0, 8, 2];
    COLOURS.get(place).copied().unwrap_or(6)
}
