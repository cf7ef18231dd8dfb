//! What is told in tables: reasons of failures, all figures, and where it ran.

use super::{panel, put};
use crate::mos::Constants;
use crate::report::escape::Escaped;
use crate::{Counter, RunResult};

pub(super) fn reasons(page: &mut String, result: &RunResult) {
    let table = |reasons: &std::collections::BTreeMap<String, u64>| {
        let mut rows: Vec<(&String, &u64)> = reasons.iter().collect();
        rows.sort_by(|(a, one), (b, other)| other.cmp(one).then(a.cmp(b)));
        let mut body = String::from("<table>\n");
        for (reason, count) in rows {
            put(
                &mut body,
                format_args!("<tr><td>{}<td class=n>{count}\n", Escaped(reason)),
            );
        }
        body += "</table>\n";
        body
    };
    let measurements = &result.measurements;
    let failures = match measurements.failures() {
        none if none.is_empty() => "<p class=\"soft\">None.</p>\n".to_owned(),
        failures => table(failures),
    };
    panel(page, "Failures, by reason", &failures);
    if !measurements.capacity().is_empty() {
        let note =
            "<p class=\"soft\">The node had no room or no licence: not counted as failures.</p>\n";
        panel(
            page,
            "Capacity reached",
            &(table(measurements.capacity()) + note),
        );
    }
}

pub(super) fn figures(page: &mut String, result: &RunResult) {
    let mut body = String::from(
        "<table><tr><th>figure<th>meaning<th class=n>values<th class=n>p50<th class=n>p95<th class=n>p99<th class=n>highest\n",
    );
    for (metric, histogram) in result.measurements.histograms() {
        let told = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| metric.unit.told(value).to_string(),
            )
        };
        put(
            &mut body,
            format_args!(
                "<tr><td><code>{}</code><td class=soft>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}\n",
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
    for counter in Counter::ALL {
        put(
            &mut body,
            format_args!(
                "<tr><td><code>{}</code><td><td class=n>{}<td><td><td><td>\n",
                counter.name(),
                result.measurements.counter(counter)
            ),
        );
    }
    body += "</table>\n";
    panel(page, "All figures", &body);
}

pub(super) fn environment(page: &mut String, result: &RunResult) {
    let mut body = String::from("<table>\n");
    for line in &result.run.described {
        put(
            &mut body,
            format_args!("<tr><td colspan=2>{}\n", Escaped(line)),
        );
    }
    for (shard, generator) in result.measurements.generators() {
        put(
            &mut body,
            format_args!(
                "<tr><td>generator {shard}<td>{}, {} cores of {}, Linux {}; {} callers at most; \
                 {:.1} s of CPU, {:.0} MB, {} descriptors, {} datagrams dropped at its sockets\n",
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
    let opus = Constants::OPUS;
    put(
        &mut body,
        format_args!(
            "<tr><td>MOS<td>ITU-T G.107 with its defaults (R = {}), Ie = {}, Bpl = {}, codec delay {} ms; {}\n</table>\n",
            crate::mos::R_DEFAULT,
            opus.ie,
            opus.bpl,
            opus.codec_delay.as_secs_f64() * 1000.0,
            Escaped(opus.source)
        ),
    );
    panel(page, "Scenario and environment", &body);
}
