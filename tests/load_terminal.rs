//! Progress of a load test as a person sees it: one line that never wraps and is gone at the end.

use serde_json::Value;
use tokio::process::Command;

use crate::load::scenario;
use crate::support::{A_CLIP, PracticeNode, Process, material, turn};

/// What stood on the screen after a piece of output.
#[derive(Debug)]
struct Frame {
    columns: usize,
    lines: Vec<String>,
}

/// Runs a command under a terminal that is so many columns wide, one width after the other.
async fn on_terminal(widths: &str, command: &[&str]) -> (i64, Vec<Frame>) {
    let ran = Command::new(material("../../target/python/bin/python"))
        .arg(material("../terminal.py"))
        .arg(widths)
        .args(command)
        .env_remove("STANDIN_PIN")
        .kill_on_drop(true)
        .output();
    let ran = tokio::time::timeout(A_CLIP, ran).await;
    let ran = ran
        .expect("it ends")
        .expect("target/python is there: make deps-test");
    let told = String::from_utf8_lossy(&ran.stderr);
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{told}"));
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let text = |line: &Value| line.as_str().unwrap().to_owned();
    let frame = |frame: &Value| Frame {
        columns: number(&frame["columns"]),
        lines: frame["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect(),
    };
    let frames = told["frames"].as_array().unwrap().iter().map(frame);
    (told["code"].as_i64().unwrap(), frames.collect())
}

/// Says whether a line is one of progress: `  12/60 s | …`.
fn is_progress(line: &str) -> bool {
    let far = line.trim_start().split(" s").next().unwrap_or_default();
    let (at, end) = far.split_once('/').unwrap_or_default();
    at.parse::<u32>().is_ok() && end.parse::<u32>().is_ok()
}

/// Says what is wrong with how progress is shown: more than one line of it, something around it that was
/// not there before, or a line that ends where the terminal does.
fn wrong(frames: &[Frame]) -> Vec<String> {
    let mut all = Vec::new();
    let mut before: Option<(usize, Vec<String>)> = None;
    for frame in frames {
        let (progress, rest): (Vec<&String>, Vec<&String>) =
            frame.lines.iter().partition(|line| is_progress(line));
        if progress.len() > 1 {
            all.push(format!("{} lines of progress: {frame:?}", progress.len()));
        }
        let Some(line) = progress.first() else {
            continue;
        };
        if line.chars().count() >= frame.columns {
            all.push(format!("a line as wide as the terminal: {frame:?}"));
        }
        let rest: Vec<String> = rest.into_iter().cloned().collect();
        if let Some((columns, known)) = &before
            && *columns == frame.columns
            && *known != rest
        {
            all.push(format!("around it stands something else: {frame:?}"));
        }
        before = Some((frame.columns, rest));
    }
    all
}

/// How many lines of progress there were at this width.
fn seen(frames: &[Frame], columns: usize) -> usize {
    let lines = frames.iter().filter(|frame| frame.columns == columns);
    let mut lines: Vec<&String> = lines
        .flat_map(|frame| frame.lines.iter().filter(|line| is_progress(line)))
        .collect();
    lines.dedup();
    lines.len()
}

#[tokio::test]
async fn one_line_passes_on_a_terminal_of_any_width_and_the_report_follows() {
    let _turn = turn().await;
    let node = PracticeNode::start(&["--conference", "load-1"]).await;
    let keys = "participants = 4\nhold_seconds = 8\nrate = 50\nthresholds = [\"failures == 0\"]";
    let (_directory, path) = scenario(&node, keys);
    let load = [
        env!("CARGO_BIN_EXE_standin"),
        "load",
        path.to_str().unwrap(),
    ];
    // Side by side: in the middle one of them is made narrow, and the other wide.
    let (narrowed, widened) =
        tokio::join!(on_terminal("80,40", &load), on_terminal("40,80", &load));
    for (code, frames) in [&narrowed, &widened] {
        assert_eq!(*code, 0, "{frames:#?}");
        assert_eq!(wrong(frames), [""; 0]);
        for columns in [80, 40] {
            assert!(seen(frames, columns) >= 2, "{columns}: {frames:#?}");
        }
        let last = &frames.last().unwrap().lines;
        assert!(!last.iter().any(|line| is_progress(line)), "{last:#?}");
    }
    // Said before, then the report, and nothing left in between.
    let last = &widened.1.last().unwrap().lines;
    let begin = last
        .iter()
        .position(|line| line.starts_with("4 joins, 4 of them led"));
    let intro = last.iter().position(|line| line.contains("Ctrl-C"));
    assert_eq!(
        begin,
        intro.map(|at| at + 1),
        "nothing stands between: {last:#?}"
    );
    assert!(last.last().unwrap().starts_with("PASS: "), "{last:#?}");

    // Elsewhere there are plain lines.
    let ended = Process::start(&load[1..]).ended(A_CLIP).await;
    ended.expect(0, "");
    let progress = ended.err.lines().filter(|line| is_progress(line)).count();
    assert!(
        (2..=4).contains(&progress),
        "one every five seconds: {ended:#?}"
    );
    assert!(!ended.err.contains(['\r', '\u{1b}']), "{ended:#?}");
}

#[tokio::test]
async fn a_line_that_wraps_is_found_out() {
    let line = format!("  12/60 s | {}", "3 joining | ".repeat(4));
    let shows = |then: &str| {
        format!("for n in 1 2 3; do printf '\\r\\033[K{line}'; sleep 0.2; done; printf '{then}'")
    };
    let (_, frames) = on_terminal("40", &["sh", "-c", &shows("\\r\\033[Kdone\\n")]).await;
    assert!(!wrong(&frames).is_empty(), "{frames:#?}");
    let (_, frames) = on_terminal("80", &["sh", "-c", &shows("\\r\\033[Kdone\\n")]).await;
    assert_eq!(wrong(&frames), [""; 0]);
    let (_, frames) = on_terminal("80", &["sh", "-c", &shows("\\ndone\\n")]).await;
    let last = &frames.last().unwrap().lines;
    assert!(
        last.iter().any(|line| is_progress(line)),
        "it is left behind: {last:#?}"
    );
}
