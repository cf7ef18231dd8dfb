//! What a person sees while a load test runs: one line that changes on a terminal, lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::Duration;

use load::{Progress, RunResult};

use super::live::Live;
use crate::print;

/// How often a line is printed where there is no terminal.
const LINES: Duration = Duration::from_secs(5);

/// Between two things that are said.
const SEPARATOR: &str = " | ";

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;

/// Shows progress on standard error, so that standard output holds the result alone.
#[derive(Debug)]
pub(super) struct View {
    is_terminal: bool,
    is_quiet: bool,
    last: Option<Duration>,
    live: Option<Live>,
}

impl View {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            is_quiet,
            last: None,
            live: None,
        }
    }

    /// Shows it on a page too.
    pub(super) fn also_on(&mut self, live: Live) {
        self.live = Some(live);
    }

    /// Shows how far the test has come.
    pub(super) fn show(&mut self, progress: &Progress) {
        if let Some(live) = &self.live {
            live.shows(progress);
        }
        if self.is_quiet {
            return;
        }
        if self.is_terminal {
            let width = terminal_size::terminal_size_of(io::stderr())
                .map_or(USUAL_WIDTH, |(width, _)| width.0.into());
            let line = fitting(&parts(progress), width);
            print::passing(line);
        } else if self.last.is_none_or(|last| progress.at >= last + LINES) {
            self.last = Some(progress.at);
            print::progress(parts(progress).join(SEPARATOR));
        }
    }

    /// Takes the line away: what comes next has the terminal for itself.
    pub(super) fn end(&mut self) {
        drop(print::stderr());
        self.last = None;
    }

    /// Shows on the page what became of a test.
    pub(super) fn ended(&self, result: &RunResult) {
        if let Some(live) = &self.live {
            live.ended(result);
        }
    }
}

/// As much as fits one line of a terminal: a longer one would wrap, and not be cleared.
fn fitting(parts: &[String], width: usize) -> String {
    let mut line = String::new();
    for part in parts {
        let separator = if line.is_empty() { "" } else { SEPARATOR };
        if line.len() + separator.len() + part.len() >= width {
            break;
        }
        line.push_str(separator);
        line.push_str(part);
    }
    line
}

/// Says all, what matters most at first.
fn parts(progress: &Progress) -> Vec<String> {
    let whole = |time: Duration| time.as_secs();
    let mut parts = vec![match whole(progress.end) {
        0 => format!("{:>4} s", whole(progress.at)),
        end => format!("{:>4}/{end} s", whole(progress.at)),
    }];
    parts.extend(
        progress
            .standing
            .iter()
            .map(|(standing, count)| format!("{count} {}", standing.name())),
    );
    if progress.failures > 0 {
        parts.push(format!("{} failures", progress.failures));
    }
    if progress.capacity > 0 {
        parts.push(format!("{} refused for want of room", progress.capacity));
    }
    if let Some(p95) = progress.join_p95 {
        parts.push(format!("join p95 {:.2} s", p95));
    }
    if let Some(loss) = progress.audio_loss {
        parts.push(format!("loss {:.2} %", loss * 100.0));
    }
    if let Some(mos) = progress.mos {
        parts.push(format!("MOS {mos:.2}"));
    }
    parts.push(format!("own CPU {:.0} %", progress.cpu * 100.0));
    if let Some(late) = progress.late_p99 {
        parts.push(format!("late p99 {:.1} ms", late * 1e3));
    }
    parts
}

#[cfg(test)]
mod tests {
    use load::Standing;

    use super::*;

    #[test]
    fn a_line_says_what_matters() {
        let progress = Progress {
            so_far: load::SoFar::default(),
            at: Duration::from_secs(12),
            end: Duration::from_secs(60),
            standing: vec![(Standing::Joining, 3), (Standing::In, 17)],
            join_p95: Some(1.234),
            audio_loss: Some(0.0012),
            mos: Some(4.3),
            failures: 2,
            capacity: 0,
            cpu: 0.31,
            late_p99: Some(0.0021),
        };
        assert_eq!(
            parts(&progress).join(SEPARATOR),
            "  12/60 s | 3 joining | 17 in | 2 failures | join p95 1.23 s | loss 0.12 % | MOS 4.30 \
             | own CPU 31 % | late p99 2.1 ms"
        );
        // On a terminal it never wraps, and nothing is cut in the middle.
        for width in [20, 40, 60, 80, 120] {
            let line = fitting(&parts(&progress), width);
            assert!(line.len() < width, "{width}: {line}");
        }
        let narrow = fitting(&parts(&progress), 40);
        assert_eq!(narrow, "  12/60 s | 3 joining | 17 in");
        let wide = fitting(&parts(&progress), 200);
        assert_eq!(wide, parts(&progress).join(SEPARATOR));
    }
}
