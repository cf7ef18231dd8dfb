//! The run over time, one JSON object a line and interval (NDJSON).

use serde_json::{Map, Value, json};

use crate::{RunResult, metric};

/// The run over time.
pub fn series(result: &RunResult) -> String {
    let measurements = &result.measurements;
    let seconds = measurements.interval().as_secs_f64();
    let mut text = String::new();
    for (number, interval) in measurements.intervals() {
        let mut figures = Map::new();
        for metric in metric::ALL {
            let Some(histogram) = interval.histograms.get(metric.name) else {
                continue;
            };
            let figure = json!({
                "count": histogram.count(),
                "p50": histogram.quantile(0.5),
                "p95": histogram.quantile(0.95),
                "p99": histogram.quantile(0.99),
                "max": histogram.max(),
            });
            figures.insert(metric.name.to_owned(), figure);
        }
        let line: Value = json!({
            "from_s": f64::from(*number) * seconds,
            "seconds": seconds,
            "callers": interval.callers,
            "counters": interval.counters,
            "figures": figures,
        });
        text += &line.to_string();
        text.push('\n');
    }
    text
}
