//! How callers arrive, where a node's knee is, and what a node does wrong in four ways at once.

use serde_json::Value;

use crate::load::{figure, run_beside as run};
use crate::support::{Observer, PracticeNode, turn};

/// How many had begun to join by the end of that second.
fn begun_by(result: &Value, second: u64) -> u64 {
    let intervals = result["measurements"]["intervals"].as_object().unwrap();
    let by_then = intervals
        .iter()
        .filter(|(number, _)| number.parse::<u64>().unwrap() <= second);
    by_then
        .filter_map(|(_, interval)| interval["counters"]["joins.attempted"].as_u64())
        .sum()
}

#[tokio::test]
async fn callers_arrive_as_the_ramp_says() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[
        "--conference",
        "a",
        "--conference",
        "b",
        "--conference",
        "c",
    ])
    .await;
    let common = "participants = 6\nhold_seconds = 3\nthresholds = [\"joins.ok == 6\", \"tokens.kept == 0\"]";
    let steps = format!(
        "conference = \"a\"\nramp = \"steps\"\nstep_callers = 2\nstep_seconds = 3\n{common}"
    );
    let spike = format!("conference = \"b\"\nramp = \"spike\"\n{common}");
    let soak = format!("conference = \"c\"\nramp = \"soak\"\nsoak_seconds = 9\n{common}");
    let (steps, spike, soak) =
        tokio::join!(run(&node, &steps), run(&node, &spike), run(&node, &soak));
    for (ended, _) in [&steps, &spike, &soak] {
        ended.expect(0, "");
    }
    let begun = |result: &Value| [1, 4, 9].map(|second| begun_by(result, second));
    assert_eq!(
        begun(&steps.1),
        [2, 4, 6],
        "two at once, every three seconds"
    );
    assert_eq!(begun(&spike.1), [6, 6, 6], "all at once");
    let soaked = begun(&soak.1);
    assert!(
        soaked[0] < 3 && (2..=4).contains(&soaked[1]) && soaked[2] == 6,
        "{soaked:?}"
    );
}

#[tokio::test]
async fn the_knee_is_where_room_or_a_threshold_ends() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[
        "--conference",
        "full,limit=5",
        "--conference",
        "open",
        "--conference",
        "small",
    ])
    .await;
    let common = "participants = 20\nrate = 50\nhold_seconds = 2\nknee_step = 2";
    let full = format!("conference = \"full\"\nthresholds = [\"failures == 0\"]\n{common}");
    let broken = format!("conference = \"open\"\nthresholds = [\"joins.ok < 6\"]\n{common}");
    let held = format!("conference = \"small\"\nthresholds = [\"failures == 0\"]\n{common}")
        .replace("participants = 20", "participants = 4");
    let (full, broken, held) =
        tokio::join!(run(&node, &full), run(&node, &broken), run(&node, &held));
    for (ended, _) in [&full, &broken, &held] {
        ended.expect(0, "");
    }
    for ((_, result), end) in [(&full, "capacity"), (&broken, "threshold")] {
        let knee = &result["knee"];
        assert_eq!(knee["end"], end, "{knee:#}");
        assert_eq!(
            (knee["participants"].as_u64(), knee["broke_at"].as_u64()),
            (Some(4), Some(6))
        );
        // Four with sound alone, twelve of which are a port.
        assert_eq!(knee["hd_ports"]["audio"].as_f64(), Some(0.333_333));
        assert_eq!(
            result["run"]["callers"], 4,
            "what is told is of the level that held"
        );
        assert_eq!(result["measurements"]["failures"].to_string(), "{}");
    }
    // The control: a node that has room for all has no knee.
    assert_eq!(held.1["knee"]["end"], "all_held");
    assert_eq!(held.1["knee"]["broke_at"], Value::Null);
    for conference in ["full", "open", "small"] {
        Observer::join(&node, conference, None)
            .await
            .expect_alone()
            .await;
    }
}

#[tokio::test]
async fn want_of_room_is_no_failure_with_whichever_code_it_is_told() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[
        "--conference",
        "load-1,fault=refuse=participant-limit",
        "--conference",
        "load-2,fault=refuse=participant-limit-403",
        "--conference",
        "load-3,fault=refuse=licences-403",
        "--conference",
        "load-4,fault=refuse=sign-in-failed",
    ])
    .await;
    let keys = "conferences = 4\nparticipants = 2\nrate = 50\nhold_seconds = 2\n\
                thresholds = [\"capacity.rate < 1%\"]";
    let (ended, result) = run(&node, keys).await;
    ended.expect(1, "");
    let counted = |what: &str| -> Vec<(String, u64)> {
        let reasons = result["measurements"][what].as_object().unwrap();
        let counted =
            |(reason, count): (&String, &Value)| (reason.clone(), count.as_u64().unwrap());
        reasons.iter().map(counted).collect()
    };
    let capacity = counted("capacity");
    let of = |text: &str| capacity.iter().find(|(reason, _)| reason.contains(text));
    assert_eq!(
        of("Participant limit reached").map(|one| one.1),
        Some(4),
        "{capacity:?}"
    );
    assert_eq!(
        of("Insufficient licenses").map(|one| one.1),
        Some(2),
        "{capacity:?}"
    );
    // The control: another 403 is a failure.
    let failures = counted("failures");
    assert!(
        matches!(&failures[..], [(why, 2)] if why.contains("refused")),
        "{failures:?}"
    );
}

#[tokio::test]
async fn four_faults_at_once_are_each_named() {
    let _turn = turn().await;
    let node = PracticeNode::start(&[
        "--conference",
        "load-1",
        "--conference",
        "load-2,fault=refuse=sign-in-failed",
        "--conference",
        "load-3,fault=dtls-stalled",
        "--fault",
        "loss=5,slow-answers=300",
    ])
    .await;
    let keys = "conferences = 3\nparticipants = 4\ntalkers = 2\nrate = 50\nhold_seconds = 14\nthresholds = \
                [\"audio.loss.mean < 2%\", \"http.request_token.p50 < 200ms\", \"failures.rate < 1%\", \
                \"tokens.kept == 0\"]";
    let (ended, result) = run(&node, keys).await;
    ended.expect(1, "");
    let judged = result["verdict"]["thresholds"].as_array().unwrap();
    let holds: Vec<_> = judged
        .iter()
        .map(|one| one["holds"].as_bool().unwrap())
        .collect();
    assert_eq!(holds, [false, false, false, true], "{judged:#?}");
    let lost = figure(&result, "audio.loss", "mean");
    assert!((0.03..0.08).contains(&lost), "5 % were set: {lost}");
    let answered = figure(&result, "http.request_token", "p50");
    assert!(
        (0.3..1.5).contains(&answered),
        "300 ms were set: {answered}"
    );
    let failures = result["measurements"]["failures"].as_object().unwrap();
    let of = |text: &str| -> u64 {
        let named = failures.iter().filter(|(reason, _)| reason.contains(text));
        named.map(|(_, count)| count.as_u64().unwrap()).sum()
    };
    assert_eq!(
        (of("refused"), of("DTLS did not connect")),
        (4, 4),
        "{failures:#?}"
    );
    // Those in the third conference had no part in it.
    let rows = result["measurements"]["callers"].as_object().unwrap();
    for row in rows.values() {
        assert_eq!(
            row["failure"].is_null(),
            row["conference"] == "load-1",
            "{row:#}"
        );
    }
}
