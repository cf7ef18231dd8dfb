//! The live page of a load test in a real browser, and its figures as Prometheus reads them.

use std::process::Stdio;

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

#[tokio::test]
async fn the_live_page_moves_while_callers_join_and_prometheus_reads_the_figures() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let load = Process::start(&[
        "load",
        "--json",
        "--listen",
        "0",
        "--node",
        &node.http,
        "--conference",
        "load-1",
        "--participants",
        "8",
        "--rate",
        "1",
        "--hold",
        "60",
        "--threshold",
        "failures.rate <= 100%",
    ]);
    let page = wait_for("the live page's address", SOON, async || {
        let log = load.log();
        let line = log
            .lines()
            .find_map(|line| line.strip_prefix("Live page: "));
        line.map(str::to_owned)
    })
    .await;
    with_chromium(&[], async |tab: &Tab| {
        tab.open(&page).await;
        for callers in [3, 8] {
            let shown = format!(
                "[/(\\d+) in/.exec(document.querySelector('.why')?.innerText)].some((found) => found && found[1] >= {callers})"
            );
            tab.until(&format!("{callers} callers in"), SOON, &shown).await;
        }
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

        let joins = tab.run("return document.querySelector('.numbers dd').innerText", &[]).await;
        load.signal("INT").await;
        let ended = load.ended(SOON).await;
        ended.expect(130, "");
        let counters = &ended.last_json()["measurements"]["counters"];
        assert_eq!(joins, format!("{} of {}", counters["joins.ok"], counters["joins.attempted"]));
        tab.until("the page says that it is over", SOON, "document.querySelector('.badge').innerText === 'ENDED'")
            .await;
    })
    .await;
}
