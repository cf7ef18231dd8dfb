//! What was measured so far, for Prometheus and its like.

use super::exposition::{Exposition, FamilyType};
use crate::{Counter, Measurements, Unit};

/// What was measured so far: every figure as a summary, every counter, failures by reason, and
/// the callers by state in the latest interval.
pub fn open_metrics(measurements: &Measurements) -> String {
    let mut text = Exposition::default();
    for (metric, histogram) in measurements.histograms() {
        let (name, unit) = named(metric.name, metric.unit);
        text.family(&name, FamilyType::Summary, unit, metric.what);
        for share in [0.5, 0.95, 0.99] {
            if let Some(value) = histogram.quantile(share) {
                text.sample("", &[("quantile", &share.to_string())], value);
            }
        }
        let count = histogram.count() as f64;
        let sum = histogram.mean().unwrap_or_default() * count;
        text.sample("_sum", &[], sum);
        text.sample("_count", &[], count);
    }
    for counter in Counter::ALL {
        let name = format!("standin_load_{}", counter.name().replace('.', "_"));
        text.family(&name, FamilyType::Counter, "", "");
        text.sample("_total", &[], measurements.counter(counter) as f64);
    }
    for (name, reasons) in [
        ("standin_load_failures", measurements.failures()),
        ("standin_load_capacity_reached", measurements.capacity()),
    ] {
        text.family(name, FamilyType::Counter, "", "");
        for (reason, count) in reasons {
            text.sample("_total", &[("reason", reason)], *count as f64);
        }
    }
    text.family("standin_load_callers", FamilyType::Gauge, "", "");
    if let Some((_, interval)) = measurements.intervals().last_key_value() {
        for (state, count) in &interval.callers {
            text.sample("", &[("state", state)], *count as f64);
        }
    }
    text.end()
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
