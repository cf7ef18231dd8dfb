//! The parts of a load test are the test: what comes when, what was measured, and nothing in between is lost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use load::{CallerRow, Counter, Generator, Measurements, Run, RunResult, Threshold, metric};

use crate::support::{Ended, Process, SOON};

/// What one caller of a recorded run lived through, as a function of its number alone.
fn record(measurements: &mut Measurements, number: u32) {
    let mut state = u64::from(number) + 1;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let at = Duration::from_millis(next(60_000));
    measurements.count(Counter::JoinsAttempted, 1, at);
    match next(12) {
        0 => return measurements.failed("DTLS did not connect"),
        1 => return measurements.at_capacity("participant limit reached"),
        _ => measurements.count(Counter::JoinsOk, 1, at),
    }
    for figure in metric::ALL {
        for _ in 0..next(20) {
            measurements.record(figure, next(3_000_000) as f64 / 1e6, at);
        }
    }
    let row = CallerRow {
        conference: format!("load-{}", number % 4),
        seconds_in: next(60_000) as f64 / 1e3,
        ..CallerRow::default()
    };
    measurements.caller(number, row);
}

/// The recorded run as the generators of these parts saw it.
fn recorded(parts: &[u32]) -> RunResult {
    let mut measurements = Measurements::new(Duration::from_secs(60));
    for number in (0..150).filter(|number| parts.contains(&(number % 4))) {
        record(&mut measurements, number);
    }
    for part in parts {
        let host = format!("machine-{part}");
        let generator = Generator {
            host,
            ..Generator::default()
        };
        measurements.generator(*part, generator);
    }
    let run = Run {
        title: "a recorded run".to_owned(),
        plan: "5eed".to_owned(),
        seed: 7,
        started_ms: 1_700_000_000_000,
        callers: 150,
        described: vec!["150 callers".to_owned()],
        master: None,
    };
    let thresholds: Vec<Threshold> = ["join.total.p95 < 2.95s", "capacity.rate < 50%"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    RunResult::new(run, 4, &thresholds, measurements)
}

fn write(directory: &Path, name: &str, result: &RunResult) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, result.to_json()).unwrap();
    path
}

async fn merge(into: &Path, parts: &[&PathBuf], flags: &[&str]) -> Ended {
    let mut arguments = vec!["load", "merge", into.to_str().unwrap()];
    arguments.extend(parts.iter().map(|part| part.to_str().unwrap()));
    arguments.extend(flags);
    Process::start(&arguments).ended(SOON).await
}

#[tokio::test]
async fn four_splits_of_a_recorded_run_merge_to_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let whole = recorded(&[0, 1, 2, 3]).to_json();
    let split = |part: u32| write(here, &format!("{part}.json"), &recorded(&[part]));
    let [a, b, c, d] = [split(0), split(1), split(2), split(3)];
    // In any order, and by way of a merge of some.
    merge(&here.join("one"), &[&a, &b, &c, &d], &[])
        .await
        .expect(0, "");
    let half = here.join("half");
    merge(&half, &[&d, &a], &["--incomplete"])
        .await
        .expect(0, "parts 1, 2 of 4 are missing");
    merge(&here.join("two"), &[&c, &half.join("result.json"), &b], &[])
        .await
        .expect(0, "");
    let bytes = |name: &str| std::fs::read_to_string(here.join(name).join("result.json")).unwrap();
    assert!(bytes("one") == whole && bytes("two") == whole);
    assert!(bytes("half") != whole, "the comparison can fail");
    for page in ["report.html", "junit.xml", "summary.md", "series.ndjson"] {
        let page = |name: &str| std::fs::read_to_string(here.join(name).join(page)).unwrap();
        assert!(page("one") == page("two"));
    }
}

#[tokio::test]
async fn what_is_not_the_whole_is_not_judged() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let split = |part: u32| write(here, &format!("{part}.json"), &recorded(&[part]));
    let [a, b, c, d] = [split(0), split(1), split(2), split(3)];
    let into = here.join("whole");
    let ended = merge(&into, &[&a, &b, &d], &[]).await;
    ended.expect_one_line(2, "part 2 of 4 is missing");
    assert!(!into.exists(), "no report of half a test");
    let ended = merge(&into, &[&a, &b, &c, &d, &b], &[]).await;
    ended.expect_one_line(2, "part 1 is there twice");

    let mut other = recorded(&[2]);
    other.run.started_ms += 1;
    let other = write(here, "other.json", &other);
    let ended = merge(&into, &[&a, &b, &other, &d], &[]).await;
    ended.expect_one_line(2, "different runs");
    let gone = here.join("gone.json");
    merge(&into, &[&a, &gone], &[])
        .await
        .expect_one_line(2, "gone.json");
}

#[tokio::test]
async fn a_part_that_was_cut_short_keeps_the_whole_from_passing() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let split = |part: u32| write(here, &format!("{part}.json"), &recorded(&[part]));
    let [a, b, c, d] = [split(0), split(1), split(2), split(3)];
    merge(&here.join("whole"), &[&a, &b, &c, &d], &[])
        .await
        .expect(0, "");
    let mut cut = recorded(&[1]);
    let mut generator = cut.measurements.generators()[&1].clone();
    generator.cut_short = Some("told to end (SIGTERM) after 9 of 60 s".to_owned());
    cut.measurements.generator(1, generator);
    let cut = write(here, "cut.json", &cut);
    let ended = merge(&here.join("cut"), &[&a, &cut, &c, &d], &[]).await;
    ended.expect(4, "");
    let line = ended.out.first().map(String::as_str).unwrap_or_default();
    assert!(
        line.starts_with("INTERRUPTED") && line.contains("shard 1: told to end (SIGTERM)"),
        "{ended:#?}"
    );
    let junit = std::fs::read_to_string(here.join("cut/junit.xml")).unwrap();
    assert!(junit.contains("errors=\"1\""), "{junit}");
    let page = std::fs::read_to_string(here.join("cut/report.html")).unwrap();
    assert!(page.contains(">INTERRUPTED<"), "the page says so");
}

async fn plan(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let scenario = [
        "load",
        "--plan",
        "--node",
        "http://127.0.0.1:1",
        "--node",
        "http://127.0.0.2:1",
        "--conferences",
        "3",
        "--participants",
        "7",
        "--churners",
        "1",
        "--hold",
        "40",
    ];
    let ended = Process::start_with(&[&scenario, arguments].concat(), variables)
        .ended(SOON)
        .await;
    ended.expect(0, "");
    ended.out
}

#[tokio::test]
async fn the_plans_of_four_parts_are_the_plan() {
    let whole = plan(&[], &[]).await;
    assert_eq!(whole.len(), 21);
    let mut union = Vec::new();
    for index in 0..4 {
        let part = plan(&["--shard", &format!("{index}/4")], &[]).await;
        // Slurm and Kubernetes say the same in their own words.
        let (id, index) = ((10 + 3 * index).to_string(), index.to_string());
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", id.as_str()),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "3"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(plan(&[], &slurm).await, part);
        let kubernetes = [("JOB_COMPLETION_INDEX", index.as_str())];
        assert_eq!(plan(&["--shards", "4"], &kubernetes).await, part);
        assert_ne!(plan(&["--shards", "5"], &kubernetes).await, part);
        union.extend(part);
    }
    union.sort_by_key(|line| whole.iter().position(|other| other == line));
    assert_eq!(union, whole);
    union.pop();
    assert_ne!(union, whole, "the comparison can fail");
}

#[tokio::test]
async fn a_knee_is_not_looked_for_in_parts() {
    let arguments = ["--knee-step", "2", "--shard", "0/2"];
    let all = [&["load", "--node", "http://127.0.0.1:1"], &arguments[..]].concat();
    let ended = Process::start(&all).ended(SOON).await;
    ended.expect_one_line(2, "run the whole in one process");
}
