//! The run over time, one JSON object a line and interval (NDJSON).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Counter, Histogram, RunResult, metric};

/// One line: what there was in one interval.
#[derive(Debug, Serialize)]
pub struct SeriesLine {
    /// When the interval began, in seconds since the start.
    pub from_s: f64,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// How many callers were in which state at its end, by the state's name.
    pub callers: BTreeMap<String, u64>,
    /// What was counted in it.
    pub counters: BTreeMap<Counter, u64>,
    /// Figures that are kept over time and had values, by name, each in its unit.
    pub figures: BTreeMap<String, SeriesFigure>,
}

/// One figure in one interval.
#[derive(Debug, Serialize)]
pub struct SeriesFigure {
    /// How many values there were; without any, the figure is left out.
    pub count: u64,
    /// The value that half of them do not exceed.
    pub p50: Option<f64>,
    /// The value that 95 of a hundred do not exceed.
    pub p95: Option<f64>,
    /// The value that 99 of a hundred do not exceed.
    pub p99: Option<f64>,
    /// The highest of them.
    pub max: Option<f64>,
}

impl SeriesFigure {
    fn of(histogram: &Histogram) -> Self {
        Self {
            count: histogram.count(),
            p50: histogram.quantile(0.5),
            p95: histogram.quantile(0.95),
            p99: histogram.quantile(0.99),
            max: histogram.max(),
        }
    }
}

/// The run over time.
pub fn series(result: &RunResult) -> String {
    let measurements = &result.measurements;
    let seconds = measurements.interval().as_secs_f64();
    let mut text = String::new();
    for (number, interval) in measurements.intervals() {
        let figures = metric::ALL.iter().filter_map(|metric| {
            let histogram = interval.histograms.get(metric.name)?;
            Some((metric.name.to_owned(), SeriesFigure::of(histogram)))
        });
        let line = SeriesLine {
            from_s: f64::from(*number) * seconds,
            seconds,
            callers: interval.callers.clone(),
            counters: interval.counters.clone(),
            figures: figures.collect(),
        };
        // Names and finite numbers alone: nothing that JSON cannot say.
        text += &serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
    }
    text
}
