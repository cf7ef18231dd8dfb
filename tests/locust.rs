//! Locust's own master says who comes when: callers on the node's roster, figures in its files.

use std::path::Path;

use serde_json::Value;

use crate::load::scenario;
use crate::support::locust::{Master, free_port};
use crate::support::{A_CLIP, Observer, PracticeNode, Process, SOON, turn, wait_for};

fn worker(scenario: &Path, master: &str, arguments: &[&str]) -> Process {
    let scenario = scenario.to_str().unwrap();
    let all = [&["load", "--locust", master], arguments, &[scenario]].concat();
    Process::start(&all)
}

/// Returns how many callers of a worker there are, by the names it gives them: `Load 1.7` is the seventh of
/// worker 0.
async fn of_worker(observers: &[Observer], worker: usize) -> usize {
    let mut there = 0;
    for observer in observers {
        let others = observer.others().await;
        let name = |row: &Value| row["display_name"].as_str().unwrap_or_default().to_owned();
        let own = format!("Load {}.", worker + 1);
        there += others
            .iter()
            .filter(|row| name(row).starts_with(&own))
            .count();
    }
    there
}

async fn until_there(observers: &[Observer], worker: usize, count: usize) {
    let what = format!("{count} callers of worker {worker}");
    wait_for(&what, SOON, async || {
        (of_worker(observers, worker).await == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_master_spawns_callers_of_two_workers_and_moves_those_of_one_that_died() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1", "--conference", "load-2"]).await;
    let observers = [
        Observer::join(&node, "load-1", None).await,
        Observer::join(&node, "load-2", None).await,
    ];
    let (_directory, path) = scenario(
        &node,
        "conferences = 2\nthresholds = [\"failures == 0\", \"tokens.kept == 0\", \"joins.ok >= 8\"]",
    );
    let spawn = ["-u", "8", "-r", "4", "--expect-workers", "2"];
    let master =
        Master::headless(&[&spawn, &["--enable-rebalancing", "Listener", "Talker"][..]].concat())
            .await;
    let dies = worker(&path, &master.address, &["--json"]);
    master.until_log("(index 0) reported as ready").await;
    let lives = worker(&path, &master.address, &["--json"]);

    until_there(&observers, 0, 4).await;
    until_there(&observers, 1, 4).await;
    for observer in &observers {
        assert_eq!(observer.others().await.len(), 4, "conferences fill evenly");
    }

    dies.signal("KILL").await;
    master.until_log("failed to send heartbeat").await;
    until_there(&observers, 1, 8).await;
    wait_for("eight joins in Locust's CSV", SOON, async || {
        let statistics = master.file("out_stats.csv");
        let row = statistics
            .lines()
            .find(|row| row.starts_with("JOIN,total,"))?;
        let joins: u64 = row.split(',').nth(2)?.parse().ok()?;
        (joins >= 8).then_some(())
    })
    .await;

    let judged = master.terminated().await;
    let ended = lives.ended(SOON).await;
    ended.expect(0, "");
    assert_eq!(ended.last_json()["verdict"]["conclusion"], "pass");
    until_there(&observers, 1, 0).await;

    assert_eq!(judged.failures.lines().count(), 1, "{}", judged.failures);
    assert_eq!(judged.failed(), 0);
    assert_eq!(judged.code, Some(0), "{}", judged.log);
    for (method, name) in [
        ("JOIN", "total"),
        ("JOIN", "token"),
        ("JOIN", "ice"),
        ("JOIN", "dtls"),
        ("JOIN", "first_audio"),
        ("POST", "request_token"),
        ("POST", "calls"),
        ("POST", "ack"),
    ] {
        let (requests, failures) = judged.row(method, name);
        assert!(requests >= 8, "{method} {name}: {requests}");
        assert_eq!(failures, 0, "{method} {name}");
    }
}

#[tokio::test]
async fn the_results_of_two_workers_are_the_parts_of_one_test() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let (directory, path) = scenario(&node, "thresholds = [\"joins.ok == 6\", \"failures == 0\"]");
    let here = |name: &str| directory.path().join(name);
    let spawn = ["-u", "6", "-r", "6", "-t", "5s", "--expect-workers", "2"];
    let master = Master::headless(&[&spawn, &["Listener"][..]].concat()).await;
    let workers = ["a", "b"].map(|name| {
        let report = here(name);
        worker(
            &path,
            &master.address,
            &["--json", "--report", report.to_str().unwrap()],
        )
    });
    master.until_log("2 workers connected").await;
    master.until_log("All users spawned").await;
    assert_eq!(master.ended().await.code, Some(0));
    let mut parts = Vec::new();
    for (worker, name) in workers.into_iter().zip(["a", "b"]) {
        // Three of six are not what was asked for of all of them.
        let ended = worker.ended(SOON).await;
        ended.expect(1, "");
        parts.push((
            ended.last_json(),
            here(name).join("result.json").display().to_string(),
        ));
    }
    let whole = here("whole");
    let merge = [
        "load",
        "merge",
        whole.to_str().unwrap(),
        &parts[0].1,
        &parts[1].1,
    ];
    let merged = Process::start(&merge).ended(SOON).await;
    merged.expect(0, "");
    let said = merged.out.join("\n");
    assert!(
        said.contains("2 workers of the Locust master at "),
        "{said}"
    );
    assert!(said.contains("PASS: all 2 thresholds hold"), "{said}");

    let text = std::fs::read_to_string(whole.join("result.json")).unwrap();
    let result: Value = serde_json::from_str(&text).unwrap();
    let title = result["run"]["title"].as_str().unwrap();
    assert!(
        title.starts_with("2 workers of the Locust master at "),
        "{title}"
    );
    assert_eq!(result["run"]["callers"], 6);
    let sum = |at: &str| {
        let of = |result: &Value| result.pointer(at).and_then(Value::as_u64).unwrap_or(0);
        assert_eq!(of(&result), of(&parts[0].0) + of(&parts[1].0), "{at}");
        of(&result)
    };
    for counter in ["joins.attempted", "joins.ok", "requests.ok"] {
        assert!(
            sum(&format!("/measurements/counters/{counter}")) >= 6,
            "{counter}"
        );
    }
    for figure in ["join.total", "http"] {
        assert!(
            sum(&format!("/measurements/histograms/{figure}/count")) >= 6,
            "{figure}"
        );
    }
    let rows = result["measurements"]["callers"].as_object().unwrap();
    assert_eq!(
        rows.len(),
        6,
        "no caller of one worker has the number of another's"
    );

    // Judged by something else, and the control: a part twice is no test.
    let other = [&merge[..], &["--threshold", "joins.ok == 7"]].concat();
    Process::start(&other).ended(SOON).await.expect(1, "");
    let twice = [&merge[..], &[&parts[0].1]].concat();
    let twice = Process::start(&twice).ended(SOON).await;
    twice.expect_one_line(2, "is there twice");
}

#[tokio::test]
async fn what_a_node_does_wrong_is_in_the_masters_failures() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1,pin=1234"]).await;
    let (_directory, path) = scenario(&node, "");
    let master =
        Master::headless(&["-u", "3", "-r", "3", "-t", "6s", "--expect-workers", "1"]).await;
    let worker = worker(&path, &master.address, &["--json"]);
    let judged = master.ended().await;
    assert_eq!(judged.code, Some(1));
    let (joins, failures) = judged.row("JOIN", "total");
    assert!(joins >= 3 && joins == failures, "{failures} of {joins}");
    assert!(
        judged.failures.contains("JOIN,total,PIN wanted,"),
        "{}",
        judged.failures
    );
    let ended = worker.ended(SOON).await;
    ended.expect(1, "");
    assert_eq!(ended.last_json()["verdict"]["conclusion"], "fail");
}

#[tokio::test]
async fn a_worker_outlives_tests_and_masters_but_no_callers_do() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let observers = [Observer::join(&node, "load-1", None).await];
    let (directory, path) = scenario(
        &node,
        "stay_seconds = 600\nthresholds = [\"failures == 0\", \"tokens.kept == 0\"]",
    );
    let report = directory.path().join("report");
    let port = free_port();
    let first = Master::with_page(port, &[]).await;
    let arguments = ["--report", report.to_str().unwrap()];
    let worker = worker(&path, &first.address, &arguments);
    first.until_log("reported as ready").await;

    // All three user classes of the locustfile, then fewer, then nobody; and the same worker once more.
    first.swarm(10).await;
    until_there(&observers, 0, 10).await;
    wait_for("ten callers on Locust's page", SOON, async || {
        let page = first.asks("/stats/requests").await?;
        (page["workers"][0]["user_count"] == 10).then_some(())
    })
    .await;
    first.swarm(4).await;
    until_there(&observers, 0, 4).await;
    first.stop().await;
    observers[0].expect_alone().await;
    first.until_log("reported that it has stopped").await;
    assert!(report.join("report.html").exists());
    first.swarm(3).await;
    until_there(&observers, 0, 3).await;

    // A master that is gone leaves nobody in the conference; another one at its place finds the worker.
    first.killed().await;
    wait_for(
        "everyone to leave a master that is gone",
        SOON,
        async || observers[0].others().await.is_empty().then_some(()),
    )
    .await;
    let second = Master::with_page(port, &[]).await;
    second.until_log("reported as ready").await;
    second.swarm(2).await;
    until_there(&observers, 0, 2).await;

    worker.signal("INT").await;
    let ended = worker.ended(SOON).await;
    ended.expect(130, "the master is gone, or knows us no more");
    observers[0].expect_alone().await;
    second.until_log("quit. 0 workers ready").await;
    assert_eq!(
        ended
            .out
            .iter()
            .filter(|line| line.starts_with("PASS"))
            .count(),
        3,
        "{ended:#?}"
    );
    for later in ["report-2", "report-3"] {
        let result = directory.path().join(later).join("result.json");
        assert!(result.exists(), "{later}");
    }
}

#[tokio::test]
async fn what_is_no_master_is_told_from_one() {
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let (_directory, path) = scenario(&node, "");
    let worker = worker(&path, &node.http_address(), &[]);
    wait_for("what it found there", A_CLIP, async || {
        let log = worker.log();
        log.contains("it does not speak ZeroMQ's protocol")
            .then_some(())
    })
    .await;
    worker.signal("INT").await;
    worker.ended(SOON).await.expect(130, "no master at");
}
