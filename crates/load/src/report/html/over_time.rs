//! The run over time, and how joining went: plots.

use super::panel;
use crate::report::plot::{self, Bar, Line};
use crate::{Metric, RunResult, Unit, metric};

/// Steps of joining that follow one another; the first media and reports lie beside.
const WATERFALL: [(&str, &Metric); 12] = [
    ("name looked up", &metric::JOIN_DNS),
    ("connected", &metric::JOIN_CONNECTED),
    ("token", &metric::JOIN_TOKEN),
    ("event stream", &metric::JOIN_EVENTS),
    ("SDP answer", &metric::JOIN_SDP),
    ("ICE", &metric::JOIN_ICE),
    ("ack", &metric::JOIN_ACK),
    ("DTLS", &metric::JOIN_DTLS),
    ("in the roster", &metric::JOIN_ROSTER),
    ("first audio in", &metric::JOIN_FIRST_AUDIO),
    ("first video in", &metric::JOIN_FIRST_VIDEO),
    ("our audio reported", &metric::JOIN_AUDIO_REPORTED),
];

pub(super) fn joining(page: &mut String, result: &RunResult) {
    let mut before = 0.0;
    let mut bars = Vec::new();
    for (name, metric) in WATERFALL {
        let Some(histogram) = result.measurements.histogram(metric) else {
            continue;
        };
        let (Some(to), Some(p95)) = (histogram.quantile(0.5), histogram.quantile(0.95)) else {
            continue;
        };
        bars.push(Bar {
            name: name.to_owned(),
            from: f64::min(before, to),
            to,
            p95,
        });
        before = to;
    }
    if bars.is_empty() {
        return;
    }
    let mut body = plot::waterfall("Steps of joining", &bars);
    body += "<p class=\"soft\">From the step before until this one, medians counted from the start of the join; \
             the whisker ends at p95.</p>\n";
    panel(page, "Joining", &body);
}

pub(super) fn over_time(page: &mut String, result: &RunResult) {
    let measurements = &result.measurements;
    let width = measurements.interval().as_secs_f64();
    let seconds = duration(result);
    let plot = |title: &str, metric: &Metric, shares: &[(&str, f64)]| {
        let lines: Vec<Line> = shares
            .iter()
            .map(|(name, share)| Line {
                name: (*name).to_owned(),
                points: measurements
                    .intervals()
                    .iter()
                    .filter_map(|(number, interval)| {
                        let value = interval.histograms.get(metric.name)?.quantile(*share)?;
                        Some(((f64::from(*number) + 0.5) * width, value))
                    })
                    .collect(),
            })
            .collect();
        lines.iter().any(|line| !line.points.is_empty()).then(|| {
            (
                title.to_owned(),
                plot::lines(title, metric.unit, seconds, &lines),
            )
        })
    };
    let usual = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];
    let plots = [
        states(result, seconds),
        plot("Joins, by when they were done", &metric::JOIN_TOTAL, &usual),
        plot(
            "MOS of received audio",
            &metric::AUDIO_MOS,
            &[("p50", 0.5), ("p5", 0.05), ("lowest", 0.0)],
        ),
        plot("Round trip of media", &metric::RTT, &usual),
        plot(
            "Audio lost",
            &metric::AUDIO_LOSS,
            &[("p50", 0.5), ("p95", 0.95), ("highest", 1.0)],
        ),
        plot(
            "Video lost",
            &metric::VIDEO_LOSS,
            &[("p50", 0.5), ("p95", 0.95), ("highest", 1.0)],
        ),
        plot("Jitter of received audio", &metric::AUDIO_JITTER, &usual),
        plot("Requests", &metric::HTTP_ALL, &usual),
        plot(
            "The generator: frames sent late by",
            &metric::GENERATOR_LATE,
            &usual,
        ),
        plot(
            "The generator: share of its cores in use",
            &metric::GENERATOR_CPU,
            &[("p50", 0.5)],
        ),
    ];
    *page += "<div class=\"two\">\n";
    for (title, svg) in plots.into_iter().flatten() {
        panel(page, &title, &svg);
    }
    *page += "</div>\n";
}

/// Callers by state, over time.
fn states(result: &RunResult, seconds: f64) -> Option<(String, String)> {
    let measurements = &result.measurements;
    let width = measurements.interval().as_secs_f64();
    let mut names: Vec<&str> = Vec::new();
    for interval in measurements.intervals().values() {
        for name in interval.callers.keys() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let lines: Vec<Line> = names
        .into_iter()
        .map(|name| Line {
            name: name.to_owned(),
            points: measurements
                .intervals()
                .iter()
                .filter(|(_, interval)| !interval.callers.is_empty())
                .map(|(number, interval)| {
                    let count = interval.callers.get(name).copied().unwrap_or_default();
                    ((f64::from(*number) + 1.0) * width, count as f64)
                })
                .collect(),
        })
        .collect();
    let title = "Callers, by state";
    (!lines.is_empty()).then(|| {
        (
            title.to_owned(),
            plot::lines(title, Unit::Count, seconds, &lines),
        )
    })
}

/// The length of what was measured, in seconds.
pub(super) fn duration(result: &RunResult) -> f64 {
    let last = result
        .measurements
        .intervals()
        .keys()
        .next_back()
        .copied()
        .unwrap_or_default();
    (f64::from(last) + 1.0) * result.measurements.interval().as_secs_f64()
}
