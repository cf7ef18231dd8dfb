//! The report as one page that needs nothing but itself: no script, no network.

use std::fmt::{Display, Write as _};

use super::escape::Escaped;
use super::plot::{self, Bar, HeatRow, Line};
use super::when;
use crate::mos::Constants;
use crate::{CallerRow, Conclusion, Counter, Metric, RunResult, Unit, metric};

const STYLE: &str = include_str!("page.css");

/// How many rows and columns a heat map has at most; more are told by the worst among them.
const HEAT: (usize, usize) = (120, 60);

/// The run as an HTML page.
pub fn page(result: &RunResult) -> String {
    let title = Escaped(&result.run.title).to_string();
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<main>\n"
    );
    head(&mut page, result);
    numbers(&mut page, result);
    thresholds(&mut page, result);
    joining(&mut page, result);
    over_time(&mut page, result);
    callers(&mut page, result);
    reasons(&mut page, result);
    figures(&mut page, result);
    environment(&mut page, result);
    page += "</main>\n</html>\n";
    page
}

/// Writing into a String cannot fail.
fn put(page: &mut String, what: impl Display) {
    let _ = write!(page, "{what}");
}

fn panel(page: &mut String, title: &str, body: &str) {
    put(
        page,
        format_args!("<section class=\"panel\"><h2>{title}</h2>\n{body}</section>\n"),
    );
}

fn head(page: &mut String, result: &RunResult) {
    let run = &result.run;
    put(page, format_args!("<h1>{}</h1>\n", Escaped(&run.title)));
    put(
        page,
        format_args!(
            "<p class=\"soft\">started {}, seed {}</p>\n",
            when::utc(run.started_ms),
            run.seed
        ),
    );
    let class = match result.verdict.conclusion {
        Conclusion::Pass => "pass",
        Conclusion::Fail => "fail",
        Conclusion::Invalid => "invalid",
    };
    let line = result.verdict.line();
    put(
        page,
        format_args!(
            "<p class=\"panel verdict {class}\">{}</p>\n",
            Escaped(&line)
        ),
    );
    let missing = result.missing_shards();
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
        put(
            page,
            format_args!(
                "<p class=\"panel invalid\">This is a part of the run: of {} shards, {} {} missing.</p>\n",
                result.shards,
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" }
            ),
        );
    }
}

fn numbers(page: &mut String, result: &RunResult) {
    let measurements = &result.measurements;
    let quantile = |metric: &Metric, share: f64| {
        let value = measurements.histogram(metric)?.quantile(share)?;
        Some(metric.unit.told(value).to_string())
    };
    let attempted = measurements.counter(Counter::JoinsAttempted);
    let lost = measurements.counter(Counter::PacketsLost);
    let expected = measurements.counter(Counter::PacketsReceived) + lost;
    let numbers = [
        ("callers", Some(result.run.callers.to_string())),
        (
            "joins that led in",
            Some(format!(
                "{} of {attempted}",
                measurements.counter(Counter::JoinsOk)
            )),
        ),
        ("join, p95", quantile(&metric::JOIN_TOTAL, 0.95)),
        ("MOS, p5", quantile(&metric::AUDIO_MOS, 0.05)),
        ("round trip, p95", quantile(&metric::RTT, 0.95)),
        (
            "packets lost",
            (expected > 0).then(|| Unit::Ratio.told(lost as f64 / expected as f64).to_string()),
        ),
        ("sent late by, p99", quantile(&metric::GENERATOR_LATE, 0.99)),
    ];
    *page += "<div class=\"numbers\">\n";
    for (name, value) in numbers {
        if let Some(value) = value {
            put(
                page,
                format_args!("<div class=\"number\"><b>{value}</b><span>{name}</span></div>\n"),
            );
        }
    }
    *page += "</div>\n";
}

fn thresholds(page: &mut String, result: &RunResult) {
    let mut body = String::new();
    if result.verdict.thresholds.is_empty() {
        body += "<p class=\"soft\">None were given.</p>\n";
    } else {
        body += "<table><tr><th>threshold<th>measured<th>\n";
        for judged in &result.verdict.thresholds {
            let (class, word) = if judged.holds {
                ("pass", "holds")
            } else {
                ("fail", "missed")
            };
            put(
                &mut body,
                format_args!(
                    "<tr><td><code>{}</code><td>{}<td class=\"{class}\">{word}\n",
                    Escaped(&judged.threshold),
                    Escaped(&judged.told)
                ),
            );
        }
        body += "</table>\n";
    }
    panel(page, "Thresholds", &body);
}

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

fn joining(page: &mut String, result: &RunResult) {
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

fn over_time(page: &mut String, result: &RunResult) {
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
fn duration(result: &RunResult) -> f64 {
    let last = result
        .measurements
        .intervals()
        .keys()
        .next_back()
        .copied()
        .unwrap_or_default();
    (f64::from(last) + 1.0) * result.measurements.interval().as_secs_f64()
}

/// The class of a MOS, given in hundredths: the bands of ITU-T G.107 Annex B.
fn band(mos: u16) -> &'static str {
    match mos {
        403.. => "q5",
        360.. => "q4",
        310.. => "q3",
        258.. => "q2",
        _ => "q1",
    }
}

fn callers(page: &mut String, result: &RunResult) {
    let rows = result.measurements.callers();
    if rows.values().any(|row| !row.over_time.is_empty()) {
        let body = heat(result);
        panel(page, "Every caller over time: MOS of what it heard", &body);
    }
    let mut worst: Vec<(&u32, &CallerRow)> = rows.iter().collect();
    worst.sort_by(|(a, one), (b, other)| badness(other).total_cmp(&badness(one)).then(a.cmp(b)));
    worst.truncate(10);
    if worst.is_empty() {
        return;
    }
    let mut body = String::from(
        "<table><tr><th>caller<th>conference<th>role<th class=n>MOS<th class=n>audio lost\
         <th class=n>video lost<th class=n>round trip<th class=n>freezes<th>failed\n",
    );
    for (number, row) in worst {
        let told = |value: Option<f64>, unit: Unit| {
            value.map_or_else(|| "–".to_owned(), |value| unit.told(value).to_string())
        };
        put(
            &mut body,
            format_args!(
                "<tr><td>{number}<td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td>{}\n",
                Escaped(&row.conference),
                Escaped(&row.role),
                told(row.mos, Unit::Score),
                told(row.audio_loss, Unit::Ratio),
                told(row.video_loss, Unit::Ratio),
                told(row.rtt, Unit::Seconds),
                row.freezes,
                Escaped(row.failure.as_deref().unwrap_or("–"))
            ),
        );
    }
    body += "</table>\n";
    panel(page, "The ten that had it worst", &body);
}

/// How bad it was, to sort by: failed first, then by MOS and by freezes.
fn badness(row: &CallerRow) -> f64 {
    let failed = if row.failure.is_some() { 100.0 } else { 0.0 };
    failed
        + (5.0 - row.mos.unwrap_or(5.0))
        + f64::from(row.freezes) * 0.05
        + row.video_loss.unwrap_or(0.0)
}

fn heat(result: &RunResult) -> String {
    let rows: Vec<(&u32, &CallerRow)> = result.measurements.callers().iter().collect();
    let intervals = result
        .measurements
        .intervals()
        .keys()
        .next_back()
        .map_or(1, |last| *last as usize + 1);
    let (callers_each, intervals_each) = (
        rows.len().div_ceil(HEAT.0).max(1),
        intervals.div_ceil(HEAT.1).max(1),
    );
    let columns = intervals.div_ceil(intervals_each);
    let heat_rows: Vec<HeatRow> = rows
        .chunks(callers_each)
        .map(|callers| {
            let mut cells: Vec<Option<u16>> = vec![None; columns];
            for (interval, mos) in callers.iter().flat_map(|(_, row)| &row.over_time) {
                if let Some(cell) = cells.get_mut(*interval as usize / intervals_each) {
                    *cell = Some(cell.map_or(*mos, |other| other.min(*mos)));
                }
            }
            let name = match callers {
                [(number, row)] => format!("caller {number}, {}, {}", row.conference, row.role),
                [(first, _), .., (last, _)] => {
                    format!("callers {first} to {last}: the worst of them")
                }
                [] => String::new(),
            };
            HeatRow {
                name,
                cells: cells.into_iter().map(|mos| mos.map(band)).collect(),
            }
        })
        .collect();
    let mut body = plot::heat_map(
        "MOS of every caller over time",
        duration(result),
        &heat_rows,
    );
    body += "<p class=\"legend\">\
             <span class=\"key kq5\">4.03 and more: satisfied</span>\
             <span class=\"key kq4\">3.60: some dissatisfied</span>\
             <span class=\"key kq3\">3.10: many dissatisfied</span>\
             <span class=\"key kq2\">2.58: nearly all</span>\
             <span class=\"key kq1\">less</span></p>";
    let callers = match callers_each {
        1 => "the caller's".to_owned(),
        several => format!("that of {several} callers"),
    };
    put(
        &mut body,
        format_args!(
            "<p class=\"soft\">A cell is the worst of {:.0} s, {callers}.</p>\n",
            intervals_each as f64 * result.measurements.interval().as_secs_f64()
        ),
    );
    body
}

fn reasons(page: &mut String, result: &RunResult) {
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

fn figures(page: &mut String, result: &RunResult) {
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

fn environment(page: &mut String, result: &RunResult) {
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
