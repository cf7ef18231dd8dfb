//! What sending a packet costs in counts that no noise touches: instructions, allocations, system
//! calls. None of them may grow by a tenth unnoticed; a change that makes it grow writes the new
//! figure into `recorded.txt`, where a review sees it.
//!
//! Ten callers send in lockstep under callgrind, so that the counts of two runs differ by a per
//! cent or two, however busy the machine is.

use std::{collections::HashMap, fs, process::Command};

/// Frames of each caller, two packets each on average.
const FRAMES: &str = "100";
/// What a count may grow by, and what it may shrink by before it is to be recorded anew.
const TOLERANCE: f64 = 0.10;
/// How often threads wake each other and wait is a matter of time: a machine that is busy adds as much as this
/// to 1000 packets. One more for every fourth packet is to be noticed.
const WAKES: f64 = 250.0;
/// Where libc and Rust get memory.
const ALLOCATORS: [&str; 5] = [
    "malloc",
    "calloc",
    "realloc",
    "posix_memalign",
    "aligned_alloc",
];
/// Where datagrams enter the kernel.
const SYSTEM_CALLS: [&str; 6] = [
    "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg",
];
/// Where threads wait and wake each other: timers, the runtime's own pipe, locks.
const WAITING: [&str; 8] = [
    "write",
    "read",
    "epoll_wait",
    "epoll_pwait",
    "epoll_ctl",
    "poll",
    "timerfd_settime",
    "syscall",
];

/// What depends on how the build is optimised; the other counts do not.
const INSTRUCTIONS: &str = "instructions";
/// What depends on how busy the machine is; the other counts do not.
const WAITS: &str = "waits";

/// Counts of 1000 packets by name.
type Counts = Vec<(&'static str, f64)>;

/// Counts a run of the bench between its two marks.
fn count(manner: &[&str]) -> Counts {
    let place = tempfile::tempdir().expect("a directory");
    let out = place.path().join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*mark_for_tools*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env!("CARGO_BIN_EXE_standin-bench"))
        .args(["--run", "counted", "10", FRAMES])
        .args(manner)
        .output()
        .expect("valgrind runs; `make deps-test` installs it");
    let text = String::from_utf8_lossy(&output.stdout);
    let packets: f64 = text
        .split_once("packets=")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            panic!("the run counted nothing: {text} {error}")
        });
    // The first part ends at the first mark, the second at the second.
    let profile = fs::read_to_string(out.with_extension("2")).expect("what lies between the marks");
    let (instructions, calls) = read(&profile);
    let of = |names: &[&str]| {
        let sum: u64 = names.iter().filter_map(|name| calls.get(*name)).sum();
        sum as f64 * 1000.0 / packets
    };
    vec![
        (INSTRUCTIONS, instructions as f64 * 1000.0 / packets),
        ("allocations", of(&ALLOCATORS)),
        ("system-calls", of(&SYSTEM_CALLS)),
        (WAITS, of(&WAITING)),
    ]
}

/// Reads a profile: all instructions, and how often each function was called. A name stands beside
/// its number where the number comes first.
fn read(profile: &str) -> (u64, HashMap<String, u64>) {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut calls: HashMap<String, u64> = HashMap::new();
    let (mut instructions, mut called) = (0, "");
    for line in profile.lines() {
        if let Some(rest) = line.strip_prefix("summary: ") {
            instructions = rest.parse().expect("a number");
        } else if let Some(rest) = line.strip_prefix("calls=") {
            let count: u64 = rest
                .split(' ')
                .next()
                .unwrap_or("")
                .parse()
                .expect("a number");
            let name = names.get(called).copied().unwrap_or("");
            // Recursion is told as `name'2`.
            let name = name.split('\'').next().unwrap_or(name);
            *calls.entry(name.to_owned()).or_default() += count;
        } else if let Some(rest) = line.strip_prefix("cfn=").or(line.strip_prefix("fn=")) {
            let (number, name) = rest.split_once(' ').unwrap_or((rest, ""));
            if !name.is_empty() {
                names.insert(number, name);
            }
            called = number;
        }
    }
    (instructions, calls)
}

/// The counts that any build has.
fn count_calls(manner: &[&str]) -> Counts {
    let mut counts = count(manner);
    counts.retain(|(name, _)| *name != INSTRUCTIONS);
    counts
}

/// What stands in the file for a manner.
fn recorded(manner: &str) -> HashMap<String, f64> {
    let lines = include_str!("recorded.txt").lines();
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            (words.next() == Some(manner)).then_some(())?;
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        })
        .collect()
}

/// Says what is out of bounds.
fn judge(manner: &str, counts: &Counts, recorded: &HashMap<String, f64>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, count) in counts {
        let before = recorded[*name];
        let change = count - before;
        let slack = match *name {
            WAITS => WAKES,
            _ => before * TOLERANCE,
        };
        if change.abs() > slack {
            let percent = 100.0 * change / before;
            complaints.push(format!(
                "1000 packets took {before:.0} {name} and take {percent:+.0} %; if that is meant: \
                 {manner} {name} {count:.0}"
            ));
        }
    }
    complaints
}

#[test]
fn sending_costs_what_it_did() {
    let counts = count_calls(&["false", "0"]);
    let complaints = judge("sending", &counts, &recorded("sending"));
    assert!(complaints.is_empty(), "{complaints:#?}, of {counts:?}");
    // Were a tenth less recorded than is needed, it would be noticed; and a wake more for each packet.
    for (name, count) in &counts {
        let before = match *name {
            WAITS => count - 1000.0,
            _ => count / 1.11,
        };
        let less = HashMap::from([((*name).to_owned(), before)]);
        assert!(
            !judge("sending", &vec![(*name, *count)], &less).is_empty(),
            "{name}"
        );
    }
}

#[test]
fn sending_and_receiving_cost_what_they_did() {
    let counts = count_calls(&["true", "0"]);
    let complaints = judge("both", &counts, &recorded("both"));
    assert!(complaints.is_empty(), "{complaints:#?}, of {counts:?}");
}

#[test]
fn one_allocation_more_for_each_packet_is_noticed() {
    let counts = count_calls(&["false", "1"]);
    let complaints = judge("sending", &counts, &recorded("sending"));
    let noticed = complaints.iter().any(|what| what.contains("allocations"));
    assert!(noticed, "{complaints:?}, of {counts:?}");
}

#[test]
#[cfg_attr(
    not(optimised_as_recorded),
    ignore = "instructions are recorded at opt-level 3"
)]
fn packets_take_the_instructions_that_they_did() {
    for (manner, receives) in [("sending", "false"), ("both", "true")] {
        let mut counts = count(&[receives, "0"]);
        counts.retain(|(name, _)| *name == INSTRUCTIONS);
        let complaints = judge(manner, &counts, &recorded(manner));
        assert!(complaints.is_empty(), "{complaints:#?}, of {counts:?}");
        let less = counts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), count / 1.11));
        assert!(!judge(manner, &counts, &less.collect()).is_empty());
    }
}
