//! The live page of a load test in a real browser, and its figures as Prometheus reads them.

use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::chromium::{Tab, with_chromium};
use super::looks::{complaints, looks_wrong, requests};
use crate::support::{PracticeNode, Process, SOON, plain_http, the_stage_alone, wait_for};

/// Has an exposition read by Prometheus' own parser; what it says is wrong, or nothing.
async fn read_by_prometheus(text: &str) -> Option<String> {
    let script = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
                  names = [family.name for family in read(sys.stdin.read())]\nassert len(names) > 10, names";
    let mut python = Command::new("target/python/bin/python")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("target/python is there: make deps-test");
    let mut input = python.stdin.take().unwrap();
    input.write_all(text.as_bytes()).await.unwrap();
    drop(input);
    let ended = python.wait_with_output().await.unwrap();
    (!ended.status.success()).then(|| String::from_utf8_lossy(&ended.stderr).into_owned())
}

/// Starts a load test with a live page, whose callers stay for a minute.
fn start(node: &PracticeNode, more: &[&str]) -> Process {
    let always = [
        "load", "--json", "--listen", "0", "--hold", "60", "--node", &node.http,
    ];
    Process::start(&[&always[..], more].concat())
}

/// Where the live page is, as the command says it.
async fn address(load: &Process) -> String {
    wait_for("the live page's address", SOON, async || {
        let log = load.log();
        let line = log
            .lines()
            .find_map(|line| line.strip_prefix("Live page: "));
        line.map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn the_live_page_moves_while_callers_join_and_prometheus_reads_the_figures() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--conference", "load-1", "--conference", "load-2"]).await;
    let places = ["--conferences", "2", "--participants", "4", "--rate", "1"];
    let judged = [
        "--threshold",
        "failures.rate <= 100%",
        "--threshold",
        "joins.ok == 9",
    ];
    let load = start(&node, &[&places[..], &judged].concat());
    let page = address(&load).await;
    with_chromium(&[], async |tab: &Tab| {
        tab.open(&page).await;
        for callers in [3, 8] {
            let shown = format!(
                "[/(\\d+) in/.exec(document.querySelector('.why')?.innerText)].some((found) => found && found[1] >= {callers})"
            );
            tab.until(&format!("{callers} callers in"), SOON, &shown).await;
        }
        // Every conference by itself: who is in, how joins went, and what is heard there.
        let rows = "[...document.querySelectorAll('#now table')].map((table) => [...table.rows].map((row) => [...row.cells] \
             .map((cell) => cell.innerText))).find((rows) => rows[0][0] === 'conference')";
        let heard = format!("({rows})?.slice(1).every((row) => row[1] === '4' && /ms|s$/.test(row[6]) && row[8] > 1)");
        tab.until("a MOS of each conference", SOON, &heard).await;
        let told = tab.run(&format!("return {rows}.slice(1).map((row) => row[0])"), &[]).await;
        assert_eq!(told, json!(["load-1", "load-2"]));
        assert_eq!(looks_wrong(tab).await, Vec::<String>::new());
        assert_eq!(complaints(tab).await, Vec::<String>::new());
        let foreign = requests(tab, &page).await;
        assert!(foreign.iter().all(|url| url.starts_with(&page)), "{foreign:?}");

        let answer = plain_http().get(format!("{page}metrics")).send().await.unwrap();
        assert_eq!(
            answer.headers()["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        let text = answer.text().await.unwrap();
        assert!(text.contains("standin_load_joins_ok_total 8\n"), "{text}");
        assert_eq!(read_by_prometheus(&text).await, None);
        // The control: cut short, it is no exposition.
        assert!(read_by_prometheus(text.trim_end_matches("# EOF\n")).await.is_some());

        load.signal("INT").await;
        let ended = load.ended(SOON).await;
        ended.expect(130, "");
        let counters = &ended.last_json()["measurements"]["counters"];
        // The server is gone, and what it said last stays: the verdict, thresholds, and all that was seen.
        tab.until("the page says that it is over", SOON, "document.title.startsWith('Ended: INTERRUPTED')").await;
        let page = tab.run("return document.body.innerText", &[]).await;
        let page = page.as_str().unwrap();
        for said in [
            "The test has ended",
            "The test was cut short",
            "joins.ok == 9",
            "✗ missed",
            "✓ holds",
            &format!("{} of {}", counters["joins.ok"], counters["joins.attempted"]),
            "load-2",
            "Callers, by state",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert_eq!(tab.run("return document.querySelector('.badge').innerText", &[]).await, "INTERRUPTED");
        assert_eq!(looks_wrong(tab).await, Vec::<String>::new());
        assert_eq!(complaints(tab).await, Vec::<String>::new(), "it does not look for the server any more");
    })
    .await;
}

#[tokio::test]
async fn a_page_whose_load_tester_was_killed_says_so_and_claims_no_verdict() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let load = start(&node, &["--participants", "2"]);
    let page = address(&load).await;
    with_chromium(&[], async |tab: &Tab| {
        tab.open(&page).await;
        let running = "document.querySelector('.badge')?.innerText === 'RUNNING'";
        tab.until("the test runs", SOON, running).await;
        load.signal("KILL").await;
        let over = "document.title === 'Ended: no verdict, Standin load test'";
        tab.until("the page says that it is over", SOON, over).await;
        let told = "return [document.querySelector('.badge').innerText, document.querySelector('#over').innerText, \
             document.querySelectorAll('#plots svg').length > 3]";
        let told = tab.run(told, &[]).await;
        assert_eq!(told[0], "ENDED");
        assert!(told[1].as_str().unwrap().starts_with("The load tester is gone"), "{told}");
        assert_eq!(told[2], true, "{told}");
    })
    .await;
}
