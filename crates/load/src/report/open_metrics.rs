//! What was measured so far, for Prometheus and its like (OpenMetrics 1.0).

use std::fmt::Write as _;

use crate::{Counter, Measurements, Unit};

/// The content type of [`open_metrics`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What was measured so far: every figure as a summary, every counter, failures by reason, and
/// the callers by state in the latest interval.
pub fn open_metrics(measurements: &Measurements) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    for (metric, histogram) in measurements.histograms() {
        let (name, unit) = named(metric.name, metric.unit);
        let _ = writeln!(text, "# TYPE {name} summary");
        if !unit.is_empty() {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(text, "# HELP {name} {}", metric.what);
        for share in [0.5, 0.95, 0.99] {
            if let Some(value) = histogram.quantile(share) {
                let _ = writeln!(text, "{name}{{quantile=\"{share}\"}} {value}");
            }
        }
        let count = histogram.count();
        let sum = histogram.mean().unwrap_or_default() * count as f64;
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {count}");
    }
    for counter in Counter::ALL {
        let name = format!("standin_load_{}", counter.name().replace('.', "_"));
        let _ = writeln!(
            text,
            "# TYPE {name} counter\n{name}_total {}",
            measurements.counter(counter)
        );
    }
    for (name, reasons) in [
        ("standin_load_failures", measurements.failures()),
        ("standin_load_capacity_reached", measurements.capacity()),
    ] {
        let _ = writeln!(text, "# TYPE {name} counter");
        for (reason, count) in reasons {
            let _ = writeln!(text, "{name}_total{{reason=\"{}\"}} {count}", label(reason));
        }
    }
    let name = "standin_load_callers";
    let _ = writeln!(text, "# TYPE {name} gauge");
    if let Some((_, interval)) = measurements.intervals().last_key_value() {
        for (state, count) in &interval.callers {
            let _ = writeln!(text, "{name}{{state=\"{}\"}} {count}", label(state));
        }
    }
    text += "# EOF\n";
    text
}

/// The name of a figure, which ends in its unit, and that unit.
fn named(name: &str, unit: Unit) -> (String, &'static str) {
    let unit = match unit {
        Unit::Seconds => "seconds",
        Unit::Ratio => "ratio",
        Unit::BitsPerSecond => "bits_per_second",
        Unit::Score | Unit::Count | Unit::Rate => "",
    };
    let name = format!("standin_load_{}", name.replace('.', "_"));
    match unit {
        "" => (name, unit),
        unit => (format!("{name}_{unit}"), unit),
    }
}

/// Text as it may stand in a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
