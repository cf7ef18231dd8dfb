//! What is told in tables: thresholds, reasons of failures, all figures, and where it ran.

use std::collections::BTreeMap;

use super::{panel, put, table};
use crate::report::escape::Escaped;
use crate::{Counter, Measurements, RunResult};

pub(super) fn thresholds(page: &mut String, result: &RunResult) {
    let title = "Thresholds";
    if result.verdict.thresholds.is_empty() {
        panel(page, title, "<p class=\"soft\">None were given.</p>\n");
        return;
    }
    let mut rows = String::new();
    for judged in &result.verdict.thresholds {
        let (class, word) = match judged.holds {
            true => ("pass", "✓ holds"),
            false => ("fail", "✗ missed"),
        };
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row><code>{}</code></th><td class=n>{}</td><td class=\"n {class}\">{word}</td></tr>\n",
                Escaped(&judged.threshold),
                Escaped(&judged.told)
            ),
        );
    }
    let head = [("threshold", false), ("measured", true), ("verdict", true)];
    panel(page, title, &table(title, &head, &rows));
}

pub(in crate::report) fn reasons(page: &mut String, measurements: &Measurements) {
    let listed = |title: &str, reasons: &BTreeMap<String, u64>| {
        let mut sorted: Vec<(&String, &u64)> = reasons.iter().collect();
        sorted.sort_by(|(a, one), (b, other)| other.cmp(one).then(a.cmp(b)));
        let most = sorted.first().map_or(1, |(_, count)| **count).max(1);
        let mut rows = String::new();
        for (reason, count) in sorted {
            put(
                &mut rows,
                format_args!(
                    "<tr><th scope=row>{}<span class=\"share\" style=\"width:{:.1}%\"></span></th><td class=n>{count}</td></tr>\n",
                    Escaped(reason),
                    *count as f64 / most as f64 * 100.0
                ),
            );
        }
        table(title, &[("reason", false), ("times", true)], &rows)
    };
    let title = "Failures, by reason";
    let failures = match measurements.failures() {
        none if none.is_empty() => "<p class=\"soft\">None.</p>\n".to_owned(),
        failures => listed(title, failures),
    };
    panel(page, title, &failures);
    if !measurements.capacity().is_empty() {
        let title = "Capacity reached";
        let note =
            "<p class=\"soft\">The node had no room or no licence: not counted as failures.</p>\n";
        panel(
            page,
            title,
            &(listed(title, measurements.capacity()) + note),
        );
    }
}

pub(super) fn figures(page: &mut String, result: &RunResult) {
    let mut rows = String::new();
    for (metric, histogram) in result.measurements.histograms() {
        let told = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| metric.unit.told(value).to_string(),
            )
        };
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row><code>{}</code><span class=\"meaning\">{}</span></th><td class=n>{}</td>\
                 <td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                metric.name,
                Escaped(metric.what),
                histogram.count(),
                told(histogram.quantile(0.5)),
                told(histogram.quantile(0.95)),
                told(histogram.quantile(0.99)),
                told(histogram.max())
            ),
        );
    }
    let head = [
        ("figure", false),
        ("values", true),
        ("p50", true),
        ("p95", true),
        ("p99", true),
        ("highest", true),
    ];
    let title = "All figures";
    panel(page, title, &table(title, &head, &rows));

    let mut rows = String::new();
    for counter in Counter::ALL {
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row><code>{}</code></th><td class=n>{}</td></tr>\n",
                counter.name(),
                result.measurements.counter(counter)
            ),
        );
    }
    let title = "All counts";
    let head = [("count", false), ("times", true)];
    panel(page, title, &table(title, &head, &rows));
}

pub(super) fn environment(page: &mut String, result: &RunResult) {
    let mut body = String::from("<ul class=\"plain\">\n");
    for line in &result.run.described {
        put(&mut body, format_args!("<li>{}</li>\n", Escaped(line)));
    }
    body += "</ul>\n";
    let mut rows = String::new();
    for (shard, generator) in result.measurements.generators() {
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row>{shard}</th><td>{}</td><td>{} cores of {}, Linux {}</td><td class=n>{}</td>\
                 <td class=n>{:.1} s</td><td class=n>{:.0} MB</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                Escaped(&generator.host),
                generator.cores,
                Escaped(&generator.processor),
                Escaped(&generator.kernel),
                generator.callers,
                generator.cpu_seconds,
                generator.memory as f64 / 1e6,
                generator.descriptors,
                generator.socket_drops
            ),
        );
    }
    panel(page, "Scenario", &body);
    let head = [
        ("part", false),
        ("host", false),
        ("machine", false),
        ("callers at most", true),
        ("CPU time", true),
        ("memory", true),
        ("descriptors", true),
        ("datagrams dropped", true),
    ];
    let title = "Environment: where the callers ran";
    panel(page, title, &table(title, &head, &rows));
}
