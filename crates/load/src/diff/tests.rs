use std::time::Duration;

use super::*;
use crate::{CallerRow, Counter, Generator, Measurements, Run};

/// A simulated test of `callers`: `loss` of its packets are lost, joins take `join` seconds or so.
fn run(seed: u64, callers: u32, loss: f64, join: f64) -> RunResult {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut measured = Measurements::new(Duration::from_secs(60));
    for number in 0..callers {
        lives(&mut measured, &mut random, number, loss, join);
    }
    judged(measured)
}

/// What one caller lives through in half a minute.
fn lives(
    measured: &mut Measurements,
    random: &mut fastrand::Rng,
    number: u32,
    loss: f64,
    join: f64,
) {
    let at = Duration::from_millis(u64::from(number) * 50);
    measured.count(Counter::JoinsAttempted, 1, at);
    measured.count(Counter::JoinsOk, 1, at);
    // With a long tail, as times of joins have.
    let took = join * (0.8 - random.f64().max(1e-9).ln() * 0.2);
    measured.record(&metric::JOIN_TOTAL, took, at);
    // A caller's path is its own, and stays much the same.
    let path = 0.02 + random.f64() * 0.01;
    for interval in 0..15 {
        let at = at + Duration::from_secs(interval * 2);
        let lost = (0..100).filter(|_| random.f64() < loss).count();
        measured.record(&metric::AUDIO_LOSS, lost as f64 / 100.0, at);
        measured.count(Counter::PacketsLost, lost as u64, at);
        measured.count(Counter::PacketsReceived, 100 - lost as u64, at);
        measured.record(&metric::RTT, path + random.f64() * 0.002, at);
        let mos = 4.4 - lost as f64 * 0.05 + random.f64() * 0.02;
        measured.record(&metric::AUDIO_MOS, mos, at);
    }
    measured.caller(number, CallerRow::default());
}

fn judged(mut measured: Measurements) -> RunResult {
    measured.generator(0, Generator::default());
    let run = Run {
        title: "40 in meet".to_owned(),
        plan: "5eed".to_owned(),
        seed: 7,
        started_ms: 1_700_000_000_000,
        callers: 40,
        described: vec![
            "nodes: http://127.0.0.1".to_owned(),
            "conferences: meet".to_owned(),
        ],
        master: None,
    };
    let thresholds = ["audio.loss.p95 < 4%", "join.total.p95 < 5s"];
    let thresholds = thresholds.map(|text| text.parse().expect("a threshold"));
    RunResult::new(run, 1, &thresholds, measured)
}

fn of<'a>(diff: &'a Diff, what: &str) -> &'a Compared {
    let found = diff.figures.iter().find(|one| one.what == what);
    found.unwrap_or_else(|| panic!("no {what} in {diff:#?}"))
}

#[test]
fn a_run_split_in_two_does_not_differ_from_itself() {
    let mut told = 0;
    let mut compared = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut halves = [0, 1].map(|_| Measurements::new(Duration::from_secs(60)));
        for number in 0..80 {
            lives(
                &mut halves[number as usize % 2],
                &mut random,
                number,
                0.01,
                0.4,
            );
        }
        let [one, other] = halves.map(judged);
        let diff = diff(&one, &other, 0.0, false);
        let changed = |one: &&Compared| {
            matches!(
                one.judgement,
                Judgement::Better | Judgement::Worse | Judgement::Changed
            )
        };
        told += diff.figures.iter().filter(changed).count();
        compared += diff.figures.len();
    }
    // Even without a tolerance, less than one in a thousand is a false alarm.
    assert!(compared > 900, "{compared} figures");
    assert!(told * 1000 < compared, "{told} of {compared}");
}

#[test]
fn loss_is_worse_and_its_cure_is_better() {
    let (good, bad) = (run(1, 40, 0.0, 0.4), run(2, 40, 0.05, 0.4));
    let worse = diff(&good, &bad, 0.05, false);
    assert_eq!(worse.outcome, Outcome::Worse);
    for what in ["packets.lost / packets", "audio.loss.p50", "audio.mos.p50"] {
        assert_eq!(of(&worse, what).judgement, Judgement::Worse, "{what}");
    }
    assert_eq!(
        of(&worse, "join.total.p50").judgement,
        Judgement::WithinNoise
    );
    assert_eq!(of(&worse, "rtt.p50").judgement, Judgement::WithinNoise);
    let missed = &worse.thresholds[0];
    assert_eq!(worse.thresholds.len(), 1);
    assert_eq!(missed.threshold, "audio.loss.p95 < 4%");
    assert_eq!(missed.judgement, Judgement::Worse);

    let better = diff(&bad, &good, 0.05, false);
    assert_eq!(better.outcome, Outcome::NoWorse);
    assert_eq!(of(&better, "audio.loss.p50").judgement, Judgement::Better);
    assert_eq!(better.thresholds[0].judgement, Judgement::Better);
}

#[test]
fn slower_joins_are_found_and_few_are_not_believed() {
    let slower = diff(&run(3, 40, 0.0, 0.4), &run(4, 40, 0.0, 0.6), 0.05, false);
    assert_eq!(of(&slower, "join.total.p50").judgement, Judgement::Worse);
    let within = diff(&run(3, 40, 0.0, 0.4), &run(4, 40, 0.0, 0.6), 0.9, false);
    assert_eq!(
        of(&within, "join.total.p50").judgement,
        Judgement::WithinNoise
    );
    let few = diff(&run(3, 4, 0.0, 0.4), &run(4, 4, 0.0, 4.0), 0.05, false);
    assert_eq!(of(&few, "join.total.p50").judgement, Judgement::TooFew);
}

#[test]
fn what_is_not_of_the_same_is_said_and_not_compared() {
    let one = run(1, 40, 0.0, 0.4);
    let mut other = run(2, 40, 0.05, 0.4);
    other.run.described[1] = "conferences: board".to_owned();
    let refused = diff(&one, &other, 0.05, false);
    assert_eq!(refused.outcome, Outcome::NotComparable);
    assert_eq!(
        refused.not_comparable,
        ["the scenarios differ: before \"conferences: meet\", after \"conferences: board\""]
    );
    assert!(refused.figures.is_empty());
    assert_eq!(diff(&one, &other, 0.05, true).outcome, Outcome::Worse);

    // Another node is what one may want to compare with.
    let mut elsewhere = run(1, 40, 0.0, 0.4);
    elsewhere.run.described[0] = "nodes: http://127.0.0.2".to_owned();
    let compared = diff(&one, &elsewhere, 0.05, false);
    assert_eq!(compared.outcome, Outcome::NoWorse);
    assert!(
        compared.notes[0].contains("127.0.0.2"),
        "{:?}",
        compared.notes
    );

    let mut invalid = run(1, 40, 0.0, 0.4);
    invalid.verdict.conclusion = Conclusion::Invalid;
    invalid.verdict.exceeded = vec!["late".to_owned()];
    let refused = diff(&one, &invalid, 0.05, false);
    assert!(
        refused.not_comparable[0].contains("overloaded (late)"),
        "{refused:?}"
    );
    let mut part = run(1, 40, 0.0, 0.4);
    part.shards = 2;
    let refused = diff(&part, &one, 0.05, false);
    assert!(
        refused.not_comparable[0].contains("not a whole test"),
        "{refused:?}"
    );
}

#[test]
fn what_was_measured_in_one_alone_is_neither_better_nor_worse() {
    let (one, mut other) = (run(1, 40, 0.0, 0.4), run(1, 40, 0.0, 0.4));
    other
        .measurements
        .record(&metric::AUDIO_DELAY, 0.2, Duration::ZERO);
    let compared = diff(&one, &other, 0.05, false);
    assert_eq!(
        of(&compared, "audio.delay.p50").judgement,
        Judgement::OnlyAfter
    );
    assert_eq!(compared.outcome, Outcome::NoWorse);
}
