//! A load test leaves nothing behind, says what is wrong with a node and with itself, and finds what was set.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{A_CLIP, Ended, Observer, PracticeNode, Process, SOON, turn, wait_for};

/// A scenario for `node` that believes its measurements on a machine that is busy with other stories.
pub(crate) fn scenario(node: &PracticeNode, keys: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("load.toml");
    let text = format!(
        "nodes = [{:?}]\ngenerator_cpu_percent = 100\ngenerator_late_ms = 60000\ngenerator_timer_ms = 60000\n\
         generator_drops_percent = 100\n{keys}\n",
        node.http
    );
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn started(path: &std::path::Path, arguments: &[&str]) -> Process {
    Process::start(&[&["load", path.to_str().unwrap(), "--json"], arguments].concat())
}

pub(crate) async fn run(node: &PracticeNode, keys: &str) -> (Ended, Value) {
    let _turn = turn().await;
    run_beside(node, keys).await
}

/// Runs it beside others; whoever calls has its turn.
pub(crate) async fn run_beside(node: &PracticeNode, keys: &str) -> (Ended, Value) {
    let (_directory, path) = scenario(node, keys);
    let ended = started(&path, &[]).ended(A_CLIP * 2).await;
    let result = ended.last_json();
    (ended, result)
}

pub(crate) fn figure(result: &Value, name: &str, statistic: &str) -> f64 {
    result["measurements"]["histograms"][name]["figures"][statistic]
        .as_f64()
        .unwrap_or_else(|| panic!("no {name}.{statistic} in {result:#}"))
}

fn failures(result: &Value) -> String {
    result["measurements"]["failures"].to_string()
}

#[tokio::test]
async fn twenty_callers_come_and_go_and_leave_nothing_behind() {
    let node = PracticeNode::start(&["--conference", "load-1", "--conference", "load-2"]).await;
    let report = tempfile::tempdir().unwrap();
    let keys = format!(
        "conferences = 2\nparticipants = 10\ntalkers = 2\nchurners = 1\nstay_seconds = 4\naway_seconds = 1\nturn_seconds = 1\n\
         rate = 10\nhold_seconds = 6\nreport = {:?}\nthresholds = [\"failures == 0\", \"tokens.kept == 0\", \
         \"packets.received > 1000\", \"join.total.count >= 20\", \"join.first_audio.count >= 20\"]",
        report.path()
    );
    let (ended, result) = run(&node, &keys).await;
    ended.expect(0, "");
    assert_eq!(result["verdict"]["conclusion"], "pass");
    assert!(figure(&result, "join.connected", "p50") > 0.0);
    let decoded = [
        "audio.delay",
        "av.skew",
        "audio.silence",
        "video.decoded_fps",
    ];
    for name in decoded {
        let measured = &result["measurements"]["histograms"][name];
        assert!(measured.is_null(), "nothing was decoded: {measured}");
    }
    for file in ["report.html", "result.json", "junit.xml"] {
        assert!(report.path().join(file).exists(), "{file}");
    }
    for conference in ["load-1", "load-2"] {
        Observer::join(&node, conference, None)
            .await
            .expect_alone()
            .await;
    }
}

#[tokio::test]
async fn a_slow_node_misses_its_thresholds() {
    let node = PracticeNode::start(&["--conference", "load-1", "--fault", "slow-answers"]).await;
    let keys = "participants = 3\nhold_seconds = 15\nthresholds = [\"http.request_token.p50 < 1s\", \"failures == 0\"]";
    let (ended, result) = run(&node, keys).await;
    ended.expect(1, "");
    let judged = &result["verdict"]["thresholds"];
    assert_eq!(judged[0]["holds"], false, "{judged:#}");
    assert!(
        figure(&result, "http.request_token", "p50") >= 1.9,
        "{result:#}"
    );
}

#[tokio::test]
async fn what_a_node_does_wrong_is_named() {
    let node = PracticeNode::start(&["--conference", "load-1,pin=1234"]).await;
    let keys = "participants = 3\nhold_seconds = 2\nthresholds = [\"failures.rate < 1%\"]";
    let (ended, result) = run(&node, keys).await;
    ended.expect(1, "");
    assert!(failures(&result).contains("PIN wanted"), "{result:#}");

    let full = PracticeNode::start(&["--conference", "load-1,limit=2"]).await;
    let keys = "participants = 5\nhold_seconds = 5\nthresholds = [\"failures == 0\"]";
    let (ended, result) = run(&full, keys).await;
    ended.expect(0, "");
    assert_eq!(failures(&result), "{}", "a limit is no failure");
    assert!(
        result["measurements"]["capacity"]
            .to_string()
            .contains(":3"),
        "{result:#}"
    );
}

#[tokio::test]
async fn loss_and_delay_that_were_set_come_back() {
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let keys = "participants = 6\nhold_seconds = 12\nrate = 50\nloss_percent = 10\ndelay_ms = 80\nthresholds = []";
    let (_, result) = run(&node, keys).await;
    let lost = figure(&result, "sent.loss", "mean");
    assert!((0.07..0.13).contains(&lost), "10 % were set: {lost}");
    let rtt = figure(&result, "rtt", "p50");
    assert!(rtt >= 0.08, "80 ms were set: {rtt}");
    let received = figure(&result, "audio.loss", "mean");
    assert!(received < 0.02, "the way back is good: {received}");
}

#[tokio::test]
async fn a_starved_generator_says_nothing_about_the_node() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "meet"]).await;
    // Everything else on the same core goes first.
    let mut spinners: Vec<_> = (0..4)
        .map(|_| {
            tokio::process::Command::new("taskset")
                .args(["-c", "0", "sh", "-c", "while :; do :; done"])
                .kill_on_drop(true)
                .spawn()
                .unwrap()
        })
        .collect();
    let arguments = [
        "load",
        "--json",
        "--node",
        &node.http,
        "--conference",
        "meet",
        "--participants",
        "6",
        "--hold",
        "4",
        "--threshold",
        "failures.rate <= 100%",
    ];
    let ended = Process::start_under(&["taskset", "-c", "0", "nice", "-n", "19"], &arguments)
        .ended(A_CLIP * 2)
        .await;
    for spinner in &mut spinners {
        spinner.kill().await.unwrap();
    }
    ended.expect(4, "");
    let verdict = &ended.last_json()["verdict"];
    assert_eq!(verdict["conclusion"], "invalid", "{verdict:#}");
    assert!(
        verdict["exceeded"].to_string().contains("late"),
        "{verdict:#}"
    );
}

#[tokio::test]
async fn a_signal_lets_every_caller_leave_and_nothing_is_concluded() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let (_directory, path) = scenario(&node, "participants = 8\nhold_seconds = 300");
    let observer = Observer::join(&node, "load-1", None).await;
    for (signal, code, by) in [("INT", 130, "interrupted"), ("TERM", 4, "SIGTERM")] {
        let load = started(&path, &[]);
        observer.until_others(8).await;
        load.signal(signal).await;
        let ended = load.ended(SOON).await;
        ended.expect(code, "");
        let result = ended.last_json();
        assert_eq!(failures(&result), "{}");
        let verdict = &result["verdict"];
        assert_eq!(verdict["conclusion"], "interrupted", "{verdict:#}");
        assert!(
            verdict["interrupted"].to_string().contains(by),
            "{verdict:#}"
        );
        wait_for("an empty roster", Duration::from_secs(3), async || {
            observer.others().await.is_empty().then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn others_are_not_loaded_unless_that_is_allowed() {
    let ended = Process::start(&["load", "--node", "https://192.0.2.7"])
        .ended(SOON)
        .await;
    ended.expect_one_line(2, "allow = [\"192.0.2.7\"]");
}
