//! The report of a load test in a real browser: every picture is there, nothing is cut, and it needs nobody.

use std::path::Path;

use serde_json::json;

use super::chromium::{Tab, with_chromium};
use super::looks::{complaints, looks_wrong, requests};
use crate::support::{A_CLIP, PracticeNode, Process, SOON, the_stage_alone};

const PICTURES: [&str; 12] = [
    "Join waterfall",
    "Callers, by state",
    "Joins, by when they were done",
    "MOS of received audio, estimated without decoding",
    "Round trip of media",
    "Audio lost on the way to callers",
    "Video received, by caller",
    "Mouth to ear, by marks, decoded",
    "Sound and picture apart, by marks, decoded",
    "Delays by marks: how they are spread",
    "The generator itself: frames sent late by",
    "MOS of every caller over time",
];

const HEADINGS: [&str; 9] = [
    "Thresholds",
    "Failures, by reason",
    "Capacity reached",
    "Joining, step by step",
    "Conferences",
    "The ten that had it worst",
    "All figures",
    "Environment: where the callers ran",
    "How these figures come about",
];

/// Runs a load test of which something of everything comes, and returns its report.
async fn reported(folder: &Path) -> String {
    let node = PracticeNode::start(&[
        "--conference",
        "load-1",
        "--conference",
        "load-2,limit=3",
        "--conference",
        "load-3,pin=1234",
    ])
    .await;
    let scenario = folder.join("load.toml");
    let keys = format!(
        "nodes = [{:?}]\nconferences = 3\nparticipants = 4\ntalkers = 1\nvideo_senders = 1\nchurners = 1\nstay_seconds = 3\n\
         away_seconds = 1\nvideo = \"bars:320x180\"\nmarks = true\ndecode_callers = 1\nrate = 6\nhold_seconds = 8\nreport = {:?}\ngenerator_cpu_percent = 100\n\
         generator_late_ms = 60000\ngenerator_timer_ms = 60000\ngenerator_drops_percent = 100\n\
         thresholds = [\"failures.rate < 1%\", \"tokens.kept == 0\"]\n",
        node.http, folder
    );
    std::fs::write(&scenario, keys).unwrap();
    let load = Process::start(&["load", scenario.to_str().unwrap(), "--json"]);
    load.ended(A_CLIP).await.expect(1, "");
    std::fs::read_to_string(folder.join("report.html")).unwrap()
}

/// Opens a page from a file, as whoever was sent it does.
async fn open(tab: &Tab, folder: &Path, name: &str, page: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, page).unwrap();
    let url = format!("file://{}", path.display());
    tab.open(&url).await;
    tab.until(
        "the page is there",
        SOON,
        "document.readyState === 'complete'",
    )
    .await;
    url
}

#[tokio::test]
async fn the_report_shows_everything_at_any_width_and_needs_nobody() {
    let _turn = the_stage_alone().await;
    let folder = tempfile::tempdir().unwrap();
    let page = reported(folder.path()).await;
    with_chromium(&[], async |tab: &Tab| {
        let url = open(tab, folder.path(), "report.html", &page).await;
        assert_eq!(looks_wrong(tab).await, Vec::<String>::new());
        assert_eq!(requests(tab, &url).await, Vec::<String>::new());
        assert_eq!(complaints(tab).await, Vec::<String>::new());

        let pictures = "return [...document.querySelectorAll('svg')].filter((svg) => svg.querySelector('.line, .bar, .q5')) \
             .map((svg) => svg.querySelector('title').textContent)";
        let pictures = tab.run(pictures, &[]).await;
        for picture in PICTURES {
            assert!(pictures.as_array().unwrap().contains(&json!(picture)), "{picture}: {pictures:#}");
        }
        let headings = "return [...document.querySelectorAll('h2')].map((heading) => heading.textContent)";
        let headings = tab.run(headings, &[]).await;
        for heading in HEADINGS {
            assert!(headings.as_array().unwrap().contains(&json!(heading)), "{heading}: {headings:#}");
        }
        // The verdict and its reason are seen without scrolling, on a telephone too: it is the width left last.
        let verdict = "const box = document.querySelector('.verdict').getBoundingClientRect(); \
             return [document.querySelector('.verdict').innerText, box.bottom <= innerHeight]";
        let verdict = tab.run(verdict, &[]).await;
        let text = verdict[0].as_str().unwrap();
        for word in ["FAIL", "1 of 2 thresholds missed", "failures.rate < 1%"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert_eq!(verdict[1], true);
        assert!(tab.run("return document.title", &[]).await.as_str().unwrap().starts_with("FAIL: "));
    })
    .await;
}

#[tokio::test]
async fn the_knee_is_drawn_with_its_limit_and_the_last_level_that_held() {
    let _turn = the_stage_alone().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("load.toml");
    let keys = format!(
        "nodes = [{:?}]\nparticipants = 6\nrate = 50\nhold_seconds = 1\nknee_step = 1\nreport = {:?}\n\
         generator_cpu_percent = 100\ngenerator_late_ms = 60000\ngenerator_timer_ms = 60000\n\
         generator_drops_percent = 100\nthresholds = [\"failures == 0\", \"joins.ok < 3\"]\n",
        node.http,
        folder.path()
    );
    std::fs::write(&scenario, keys).unwrap();
    let load = Process::start(&["load", scenario.to_str().unwrap(), "--json"]);
    load.ended(A_CLIP).await.expect(0, "");
    let summary = std::fs::read_to_string(folder.path().join("summary.md")).unwrap();
    assert!(
        summary.contains("| 2 | 2 | 0.2 HD ports (sound alone) | 2 |"),
        "{summary}"
    );
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    with_chromium(&[], async |tab: &Tab| {
        open(tab, folder.path(), "report.html", &page).await;
        assert_eq!(looks_wrong(tab).await, Vec::<String>::new());
        assert_eq!(complaints(tab).await, Vec::<String>::new());
        // Three levels as dots, the limit where it is, and the last that held at its participants.
        let drawn = "const svg = [...document.querySelectorAll('svg')].find((svg) => svg.querySelector('title')?.textContent \
             === 'What broke, over participants'); const box = (it) => svg.querySelector(it).getBBox(); \
             return [svg.querySelector('.dots').getAttribute('d').match(/M/g).length, box('.limit').y, box('.line').y, \
             box('.held').x / svg.viewBox.baseVal.width, svg.closest('.panel').innerText]";
        let drawn = tab.run(drawn, &[]).await;
        let number = |at: usize| drawn[at].as_f64().unwrap();
        assert_eq!(drawn[0], 3, "{drawn}");
        assert!((number(1) - number(2)).abs() < 1.0, "the third level is at the limit, which it should be below: {drawn}");
        assert!((number(3) - 2.0 / 3.0).abs() < 0.01, "{drawn}");
        for said in ["The last level that held: 2 participants", "joins.ok, measured", "the limit: 3", "✗ did not hold"] {
            assert!(drawn[4].as_str().unwrap().contains(said), "{said}: {drawn}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_wrong_is_found_out() {
    let _turn = the_stage_alone().await;
    let folder = tempfile::tempdir().unwrap();
    let sound = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>t</title><body><p>All is well.</p>";
    let cases = [
        (
            "overlap",
            "<p style=\"position:absolute;margin:0;top:18px;left:12px\">Over it.</p>",
        ),
        (
            "px wide",
            "<p style=\"white-space:nowrap;width:3000px\">wide</p>",
        ),
        (
            "cut",
            "<p style=\"overflow:hidden;width:5em;white-space:nowrap\">a word that is cut in two</p>",
        ),
        (
            "faint",
            "<p style=\"background:#fff;color:#ccc\">hardly seen</p>",
        ),
        ("without headings", "<table><tr><td>1</td></tr></table>"),
        (
            "without words",
            "<svg width=\"100\" height=\"100\"><path d=\"M0 0H9\"/></svg>",
        ),
    ];
    with_chromium(&[], async |tab: &Tab| {
        open(tab, folder.path(), "sound.html", sound).await;
        assert_eq!(looks_wrong(tab).await, Vec::<String>::new());
        for (number, (what, more)) in cases.iter().enumerate() {
            open(
                tab,
                folder.path(),
                &format!("{number}.html"),
                &format!("{sound}{more}"),
            )
            .await;
            let wrong = looks_wrong(tab).await;
            assert!(
                wrong.iter().any(|one| one.contains(what)),
                "{what}: {wrong:#?}"
            );
        }
        complaints(tab).await;

        let image = "<img src=\"http://192.0.2.1/dot.png\" alt=\"\">";
        let url = open(tab, folder.path(), "image.html", &format!("{sound}{image}")).await;
        assert_eq!(requests(tab, &url).await, ["http://192.0.2.1/dot.png"]);
        let script = "<script>undefined.sense</script>";
        open(
            tab,
            folder.path(),
            "script.html",
            &format!("{sound}{script}"),
        )
        .await;
        assert!(!complaints(tab).await.is_empty());
    })
    .await;
}
