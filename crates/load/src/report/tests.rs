use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::{
    CallerRow, Counter, Generator, HdPorts, Judged, Knee, KneeEnd, KneeLevel, Measurements, Run,
    metric,
};

/// A name that tries to be markup of every kind, and that no terminal should be sent.
pub(crate) const ODD: &str = "a | b <b>&amp; \"q\" 'r' *s* _t_ `u` [v](http://w) ![x](y) ~~z~~ # \\| \u{1b}[31m\u{7}\n$e$ a@b.example";

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
    measurements.failed(ODD);
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
        title: format!("sixty <listeners> {ODD}"),
        plan: "5eed".to_owned(),
        seed: 5,
        started_ms: 1_700_000_000_000,
        callers: 62,
        described: vec!["4 conferences of 15 on https://node.example".to_owned()],
        master: None,
    };
    let thresholds = ["join.total.p95 < 2s", "audio.mos.p5 > 4.2"];
    let thresholds = thresholds.map(|text| text.parse().expect("a threshold"));
    let mut result = RunResult::new(run, 1, &thresholds, measurements);
    result.knee = Some(knee());
    result
}

/// A search whose third level broke.
fn knee() -> Knee {
    let level = |(participants, p95, holds): (u32, f64, bool)| KneeLevel {
        participants,
        callers: participants * 4,
        hd_ports: HdPorts::of(participants * 4, false),
        held: holds,
        thresholds: vec![Judged {
            threshold: "join.total.p95 < 2s".to_owned(),
            measured: Some(p95),
            told: format!("{p95:.2} s"),
            holds,
        }],
        refused: 0,
    };
    let levels = [(5, 0.4, true), (10, 1.1, true), (15, 3.6, false)];
    Knee {
        participants: 10,
        callers: 40,
        hd_ports: HdPorts::of(40, false),
        broke_at: Some(15),
        end: KneeEnd::Threshold,
        levels: levels.map(level).to_vec(),
    }
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
        "Mouth to ear, by marks, decoded",
        "Picture on its way, by marks, decoded",
        "Sound and picture apart, by marks, decoded",
        "Delays by marks: how they are spread",
        "What broke, over participants",
    ] {
        assert!(page.contains(&format!("-title\">{plot}</title>")), "{plot}");
    }
    for foreign in ["<script", "http-equiv", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for said in [
        "<title>FAIL: sixty &lt;listeners&gt; a | b &lt;b&gt;",
        "the limit: 2.00 s",
        "the last level that held: 10 participants, 3.3 HD ports (sound alone)",
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

/// Reads XML as any reader of it does.
fn xml(text: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn junit_names_what_was_missed_and_every_name_survives() {
    let text = junit(&example());
    let document = xml(&text);
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    let suite = named("testsuite").next().expect("a suite");
    // Control characters are shown as their pictures; a line's end is one.
    let shown = format!("sixty <listeners> {ODD}")
        .replace('\u{1b}', "␛")
        .replace('\u{7}', "␇");
    assert_eq!(suite.attribute("name"), Some(shown.as_str()));
    assert_eq!(suite.attribute("hostname"), Some("bench & <co>"));
    assert_eq!(suite.attribute("timestamp"), Some("2023-11-14T22:13:20"));
    let count = |what: &str| suite.attribute(what).and_then(|text| text.parse().ok());
    assert_eq!(count("tests"), Some(named("testcase").count()));
    assert_eq!(count("failures"), Some(named("failure").count()));
    assert_eq!(count("errors"), Some(0));
    let missed = named("failure").next().expect("one is missed");
    assert_eq!(missed.attribute("type"), Some("threshold"));
    let case = missed.parent().and_then(|case| case.attribute("name"));
    assert_eq!(case, Some("audio.mos.p5 > 4.2"));
    let message = missed.attribute("message").unwrap_or_default();
    assert!(message.starts_with("measured: 3."), "{message}");

    let mut invalid = example();
    invalid.verdict.exceeded = vec!["late & <lost>".to_owned()];
    let text = junit(&invalid);
    let error = xml(&text);
    let error = error.descendants().find(|node| node.has_tag_name("error"));
    let message = error.and_then(|error| error.attribute("message"));
    assert_eq!(message, Some("late & <lost>"));
    // The control: what is not escaped is no XML.
    for raw in ["<a b=\"x & y\"/>", "<a b=\"<\"/>", "<a>\u{1b}</a>"] {
        assert!(roxmltree::Document::parse(raw).is_err(), "{raw}");
    }
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
