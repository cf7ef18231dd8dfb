use std::time::Duration;

use super::*;
use crate::{CallerRow, Conclusion, Counter, Generator, metric};

/// What one caller recorded, as a function of its number: a run that can be cut anywhere.
fn record(measurements: &mut Measurements, number: u32) {
    let mut random = fastrand::Rng::with_seed(u64::from(number));
    let at = Duration::from_millis(random.u64(0..60_000));
    measurements.count(Counter::JoinsAttempted, 1, at);
    if random.u8(0..10) == 0 {
        measurements.failed(["ICE found no path", "DTLS did not finish"][random.usize(0..2)]);
        return;
    }
    for figure in metric::ALL {
        for _ in 0..random.usize(0..20) {
            measurements.record(figure, random.f64() * 3.0, at);
        }
    }
    measurements.caller(
        number,
        CallerRow {
            seconds_in: random.f64(),
            ..CallerRow::default()
        },
    );
}

fn run() -> Run {
    Run {
        title: "a recorded run".to_owned(),
        plan: "5eed".to_owned(),
        seed: 7,
        started_ms: 1_700_000_000_000,
        callers: 200,
        described: vec!["200 callers".to_owned()],
        master: None,
    }
}

fn thresholds() -> Vec<Threshold> {
    ["join.total.p95 < 2.9s", "failures.rate < 50%"]
        .map(|text| text.parse().expect("a threshold"))
        .to_vec()
}

/// The result of the callers that `belongs` chooses, run by these shards' generators.
fn result(shards: &[u32], belongs: impl Fn(u32) -> bool) -> RunResult {
    let mut measurements = Measurements::new(Duration::from_secs(60));
    for number in (0..200).filter(|number| belongs(*number)) {
        record(&mut measurements, number);
    }
    for shard in shards {
        let exceeded = vec![format!("limit of {shard}")];
        measurements.generator(
            *shard,
            Generator {
                exceeded,
                ..Generator::default()
            },
        );
    }
    RunResult::new(run(), 4, &thresholds(), measurements)
}

#[test]
fn four_splits_of_a_run_merge_to_the_whole_byte_by_byte() {
    let whole = result(&[0, 1, 2, 3], |_| true);
    let split = |shard: u32| result(&[shard], |number| number % 4 == shard);
    let merged = RunResult::merge((0..4).map(split).collect()).expect("one run");
    assert!(merged.to_json() == whole.to_json());
    // In another order, and in two steps.
    let pair = |a, b| RunResult::merge(vec![split(a), split(b)]).expect("one run");
    let merged = RunResult::merge(vec![pair(3, 1), pair(0, 2)]).expect("one run");
    assert!(merged.to_json() == whole.to_json());
    // Out of files, as shards of other machines come.
    let folder = tempfile::tempdir().expect("a folder");
    let by_file = |shard: u32| {
        let path = folder.path().join(format!("{shard}.json"));
        write_whole(&path, &split(shard).to_json()).expect("room");
        RunResult::read(&path).expect("a result")
    };
    let merged = RunResult::merge((0..4).map(by_file).collect()).expect("one run");
    assert!(merged.to_json() == whole.to_json());
    // The control: with one missing it is not the whole, and it says which.
    let part = RunResult::merge((0..3).map(split).collect()).expect("one run");
    assert!(part.to_json() != whole.to_json());
    assert_eq!(
        (part.missing_shards(), whole.missing_shards()),
        (vec![3], vec![])
    );
}

#[test]
fn a_file_that_speaks_of_parts_without_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    for (shards, is_read) in [(MOST_SHARDS, true), (u32::MAX, false)] {
        let mut result = RunResult::new(run(), 1, &[], Measurements::new(Duration::from_secs(1)));
        result.shards = shards;
        write_whole(&path, &result.to_json()).expect("room");
        let read = RunResult::read(&path);
        assert_eq!(read.is_ok(), is_read, "{shards}: {read:?}");
    }
}

#[test]
fn a_part_that_was_cut_short_keeps_the_whole_from_passing() {
    let part = |shard: u32, cut_short: Option<&str>| {
        let mut measurements = Measurements::new(Duration::from_secs(60));
        let cut_short = cut_short.map(str::to_owned);
        measurements.generator(
            shard,
            Generator {
                cut_short,
                ..Generator::default()
            },
        );
        RunResult::new(run(), 2, &[], measurements)
    };
    let merge = |parts| RunResult::merge(parts).expect("one run").verdict;
    let whole = merge(vec![part(0, None), part(1, None)]);
    assert_eq!(whole.conclusion, Conclusion::Pass, "the control");
    // In either order, as files bring it.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let cut = part(1, Some("told to end (SIGTERM) after 3 of 60 s"));
    write_whole(&path, &cut.to_json()).expect("room");
    let cut = RunResult::read(&path).expect("a result");
    for parts in [vec![part(0, None), cut.clone()], vec![cut, part(0, None)]] {
        let verdict = merge(parts);
        assert_eq!(verdict.conclusion, Conclusion::Interrupted);
        assert!(
            verdict.line().contains("shard 1: told to end"),
            "{}",
            verdict.line()
        );
    }
}

#[test]
fn what_was_written_is_read_and_written_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let whole = result(&[0], |_| true);
    write_whole(&path, &whole.to_json()).expect("room");
    let read = RunResult::read(&path).expect("a result");
    assert!(read.to_json() == whole.to_json());
    assert_eq!(read.verdict, whole.verdict);
}

#[test]
fn shards_of_other_runs_and_shards_twice_are_refused() {
    let one = result(&[0], |number| number < 100);
    assert!(matches!(
        RunResult::merge(vec![one.clone(), one.clone()]),
        Err(ResultError::Twice(0))
    ));
    let mut other = result(&[1], |number| number >= 100);
    other.run.plan = "0dd".to_owned();
    let error = RunResult::merge(vec![one, other]).expect_err("another plan");
    assert!(error.to_string().contains("5eed and 0dd"), "{error}");
    let mut other = result(&[1], |number| number >= 100);
    other.thresholds.pop();
    let error = RunResult::merge(vec![result(&[0], |_| true), other]).expect_err("other wishes");
    assert!(error.to_string().contains("judged by"), "{error}");
    assert!(matches!(
        RunResult::merge(vec![]),
        Err(ResultError::Nothing)
    ));
}

#[test]
fn files_that_are_no_results_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let error = |text: &str| {
        std::fs::write(&path, text).expect("room");
        RunResult::read(&path).expect_err("no result").to_string()
    };
    assert!(error("{}").contains("is no result of standin load"));
    assert!(error("not JSON").contains("is no result of standin load"));
    assert!(error(r#"{"version": 99}"#).contains("has version 99"));
    let text = result(&[0], |_| true)
        .to_json()
        .replace("join.total.p95", "joy.total.p95");
    assert!(error(&text).contains("names no figure"));
    let missing = RunResult::read(&folder.path().join("nothing")).expect_err("no file");
    assert!(
        missing.to_string().contains("nothing: No such file"),
        "{missing}"
    );
}

#[test]
fn a_file_that_cannot_be_written_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone").join("result.json");
    assert!(write_whole(&gone, "x").is_err());
    let path = folder.path().join("result.json");
    write_whole(&path, "old").expect("room");
    write_whole(&path, "new").expect("room");
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "new");
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
}
