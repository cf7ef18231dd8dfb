use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::{CallerRow, Counter, Generator, Measurements, Run, metric};

/// A run with something of everything; names that try to be markup.
pub(crate) fn example() -> RunResult {
    let mut random = fastrand::Rng::with_seed(5);
    let mut measurements = Measurements::new(Duration::from_secs(90));
    for second in 0..90_u32 {
        let at = Duration::from_secs(second.into());
        let there = u64::from(second.min(30)) * 2;
        for figure in metric::ALL
            .iter()
            .filter(|figure| figure.name != "audio.mos")
        {
            let scale = if figure.name.starts_with("generator") {
                0.004
            } else {
                0.2
            };
            measurements.record(figure, random.f64() * scale, at);
        }
        measurements.record(&metric::AUDIO_MOS, 3.2 + random.f64(), at);
        measurements.count(Counter::PacketsReceived, there * 50, at);
        measurements.callers_by_state(
            BTreeMap::from([
                ("in the conference".to_owned(), there),
                ("joining".to_owned(), 2),
            ]),
            at,
        );
    }
    measurements.count(Counter::JoinsAttempted, 62, Duration::ZERO);
    measurements.count(Counter::JoinsOk, 60, Duration::ZERO);
    measurements.failed("ICE found no path");
    measurements.failed("<script>alert(1)</script>");
    measurements.at_capacity("participant limit reached");
    for number in 0..60 {
        let over_time = (number / 2..90)
            .map(|interval| (interval, 300 + random.u16(0..140)))
            .collect();
        let row = CallerRow {
            conference: format!("load-{}", number % 4),
            role: "listener".to_owned(),
            mos: Some(3.0 + random.f64()),
            audio_loss: Some(random.f64() * 0.02),
            rtt: Some(0.02),
            failure: (number == 7).then(|| "ICE found no path".to_owned()),
            over_time,
            ..CallerRow::default()
        };
        measurements.caller(number, row);
    }
    let host = "bench & <co>".to_owned();
    measurements.generator(
        0,
        Generator {
            host,
            cores: 2,
            callers: 60,
            ..Generator::default()
        },
    );
    let run = Run {
        title: "sixty <listeners>".to_owned(),
        plan: "5eed".to_owned(),
        seed: 5,
        started_ms: 1_700_000_000_000,
        callers: 62,
        described: vec!["4 conferences of 15 on https://node.example".to_owned()],
    };
    let thresholds = ["join.total.p95 < 2s", "audio.mos.p5 > 4.2"];
    let thresholds = thresholds.map(|text| text.parse().expect("a threshold"));
    RunResult::new(run, 1, &thresholds, measurements)
}

#[test]
fn the_page_has_every_plot_and_nothing_from_elsewhere() {
    let page = page(&example());
    for plot in [
        "Join waterfall",
        "Callers, by state",
        "MOS of received audio, estimated without decoding",
        "Round trip of media",
        "The generator itself: frames sent late by",
        "MOS of every caller over time",
    ] {
        assert!(page.contains(&format!("-title\">{plot}</title>")), "{plot}");
    }
    for foreign in ["<script", "http-equiv", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for said in [
        "<title>FAIL: sixty &lt;listeners&gt; · Standin load test</title>",
        "1 of 2 thresholds missed",
        "<code>audio.mos.p5 &gt; 4.2</code> was <b>3.",
        "ITU-T G.107",
        "Provisional: no constants for Opus",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(page.contains("bench &amp; &lt;co&gt;"));
}

#[test]
fn a_run_that_never_began_has_a_page_too() {
    let empty = Measurements::new(Duration::from_secs(1));
    let result = RunResult::new(example().run, 2, &[], empty);
    let page = page(&result);
    assert!(page.contains("of 2 shards, 0, 1 are missing"), "{page}");
}

#[test]
fn junit_names_what_was_missed() {
    let text = junit(&example());
    assert!(
        text.contains("tests=\"4\" failures=\"1\" errors=\"0\""),
        "{text}"
    );
    assert!(text.contains("name=\"audio.mos.p5 &gt; 4.2\""), "{text}");
    assert!(text.contains("<failure message=\"measured: 3."), "{text}");
}

#[test]
fn the_series_is_one_json_object_a_line() {
    let text = series(&example());
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 90);
    assert_eq!(lines[40]["callers"]["in the conference"], 60);
    assert!(lines[40]["figures"]["rtt"]["p95"].is_f64());
}

#[test]
fn the_summary_tells_verdict_figures_and_failures() {
    let text = summary(&example());
    assert!(
        text.contains("**FAIL: 1 of 2 thresholds missed**"),
        "{text}"
    );
    assert!(
        text.contains("| **missed** | `audio.mos.p5 > 4.2` |"),
        "{text}"
    );
    assert!(text.contains("| ICE found no path | 1 |"), "{text}");
    assert!(!text.contains("<script"), "{text}");
}

#[test]
fn open_metrics_is_what_the_standard_says() {
    let text = open_metrics(&example().measurements);
    assert!(text.ends_with("# EOF\n"));
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let name = family.split(' ').next().expect("a name");
            assert!(!families.contains(&name), "{name} twice");
            families.push(name);
        } else if !line.starts_with('#') {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(
                families.last().is_some_and(|name| sample.starts_with(name)),
                "{line}"
            );
        }
    }
    assert!(
        text.contains("standin_load_failures_total{reason=\"ICE found no path\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("# UNIT standin_load_join_total_seconds seconds"),
        "{text}"
    );
}

#[test]
fn all_files_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = write_all(&folder.path().join("new"), &example()).expect("room");
    assert_eq!(page, folder.path().join("new").join("report.html"));
    let count = std::fs::read_dir(folder.path().join("new"))
        .expect("there")
        .count();
    assert_eq!(count, 5);
}
