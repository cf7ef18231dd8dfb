//! What a caller costs: N callers send to N answerers in another process, whose time is not
//! counted; a floor beside them does nothing but protect and send the same packets.
//!
//! `cargo bench -p peer -- [--callers N] [--seconds S] [--rounds R] [--only VARIANT,…]`

mod floor;
mod measure;
mod node;
mod ours;
mod plain;
mod pump;

use std::{
    io,
    process::{Command, ExitCode, Stdio},
};

use measure::Outcome;

/// Who sends.
const VARIANTS: [(&str, &str); 4] = [
    ("floor", "AES-128-GCM and one sendto a packet, nothing else"),
    ("plain", "webrtc as it comes: TokioRuntime, 2 workers"),
    ("peer", "this crate, 2 shards"),
    ("unnumbered", "the same without transport-wide numbering"),
];

struct Options {
    callers: usize,
    seconds: u64,
    rounds: usize,
    only: Vec<String>,
    run: Option<String>,
    node: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        callers: 100,
        seconds: 10,
        rounds: 3,
        only: Vec::new(),
        run: None,
        node: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match argument.as_str() {
            "--callers" => options.callers = number(value()?)? as usize,
            "--seconds" => options.seconds = number(value()?)?,
            "--rounds" => options.rounds = number(value()?)? as usize,
            "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
            "--run" => options.run = Some(value()?),
            "--node" => options.node = true,
            // Cargo's own, and names of benches.
            _ => {}
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            say(&error);
            return ExitCode::from(2);
        }
    };
    let result = match &options.run {
        _ if options.node => node::run(),
        Some(variant) => run(variant, &options),
        None => compare(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs every variant in a process of its own, in turns, and prints medians.
fn compare(options: &Options) -> io::Result<()> {
    let variants: Vec<_> = VARIANTS
        .iter()
        .filter(|(name, _)| options.only.is_empty() || options.only.iter().any(|only| only == name))
        .collect();
    let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); variants.len()];
    for round in 0..options.rounds {
        for (at, (name, _)) in variants.iter().enumerate() {
            let output = Command::new(std::env::current_exe()?)
                .args(["--run", name])
                .args(["--callers", &options.callers.to_string()])
                .args(["--seconds", &options.seconds.to_string()])
                .stderr(Stdio::inherit())
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            let outcome = Outcome::parse(&text)
                .ok_or_else(|| io::Error::other(format!("{name} gave no result: {text}")))?;
            say(&format!("round {} {name:10} {outcome}", round + 1));
            outcomes[at].push(outcome);
        }
    }
    let medians: Vec<Outcome> = outcomes.iter().map(|all| Outcome::median(all)).collect();
    let floor = variants
        .iter()
        .position(|(name, _)| *name == "floor")
        .map(|at| medians[at].core_percent);
    say(&format!(
        "\nN = {} callers, each 50 x 120 B and 110 x 1150 B a second in bursts at 30 fps, {} s, medians of {}\n",
        options.callers, options.seconds, options.rounds
    ));
    say("sender     % core/caller   x floor   RSS MB   join p50/p95 ms   late p99 ms   lost %");
    for ((name, _), outcome) in variants.iter().zip(&medians) {
        let factor = floor.map_or(f64::NAN, |floor| outcome.core_percent / floor);
        say(&format!(
            "{name:10} {:13.3} {factor:9.2} {:8.0} {:8.0}/{:<8.0} {:12.1} {:9.2}",
            outcome.core_percent,
            outcome.rss_mb,
            outcome.join_p50_ms,
            outcome.join_p95_ms,
            outcome.late_p99_ms,
            outcome.lost_percent
        ));
    }
    say("");
    for (name, what) in variants {
        say(&format!("{name:10} {what}"));
    }
    Ok(())
}

fn run(variant: &str, options: &Options) -> io::Result<()> {
    let outcome = match variant {
        "floor" => floor::run(options.callers, options.seconds)?,
        "plain" => plain::run(options.callers, options.seconds)?,
        "peer" => ours::run(options.callers, options.seconds, true)?,
        "unnumbered" => ours::run(options.callers, options.seconds, false)?,
        other => return Err(io::Error::other(format!("no variant {other}"))),
    };
    say(&outcome.line());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a bench's output is its purpose")]
fn say(line: &str) {
    println!("{line}");
}
