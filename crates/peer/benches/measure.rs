//! CPU time, memory, and what a run found.

use std::{fmt, fs, io, time::Duration};

/// What one run found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outcome {
    pub(crate) core_percent: f64,
    pub(crate) rss_mb: f64,
    pub(crate) join_p50_ms: f64,
    pub(crate) join_p95_ms: f64,
    pub(crate) late_p99_ms: f64,
    pub(crate) lost_percent: f64,
}

impl Outcome {
    fn values(&self) -> [f64; 6] {
        [
            self.core_percent,
            self.rss_mb,
            self.join_p50_ms,
            self.join_p95_ms,
            self.late_p99_ms,
            self.lost_percent,
        ]
    }

    fn of(values: [f64; 6]) -> Self {
        let [
            core_percent,
            rss_mb,
            join_p50_ms,
            join_p95_ms,
            late_p99_ms,
            lost_percent,
        ] = values;
        Self {
            core_percent,
            rss_mb,
            join_p50_ms,
            join_p95_ms,
            late_p99_ms,
            lost_percent,
        }
    }

    /// For the process that compares.
    pub(crate) fn line(&self) -> String {
        let values: Vec<String> = self.values().iter().map(f64::to_string).collect();
        format!("outcome {}", values.join(" "))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("outcome "))?;
        let values: Vec<f64> = line.split(' ').filter_map(|v| v.parse().ok()).collect();
        Some(Self::of(values.try_into().ok()?))
    }

    /// The median of each value by itself.
    pub(crate) fn median(all: &[Self]) -> Self {
        let mut values = [0.0; 6];
        for (at, value) in values.iter_mut().enumerate() {
            let mut of_all: Vec<f64> = all.iter().map(|outcome| outcome.values()[at]).collect();
            *value = percentile(&mut of_all, 0.5);
        }
        Self::of(values)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.3} % of a core a caller, RSS {:.0} MB, join {:.0}/{:.0} ms, late p99 {:.1} ms, lost {:.2} %",
            self.core_percent,
            self.rss_mb,
            self.join_p50_ms,
            self.join_p95_ms,
            self.late_p99_ms,
            self.lost_percent
        )
    }
}

/// CPU time of this process's threads so far, with what the kernel did on their behalf.
pub(crate) fn cpu_time() -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = schedstat.split_whitespace().next();
        nanoseconds += first.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Resident memory of this process.
pub(crate) fn rss_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}

/// The value below which a share of all lies.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return 0.0;
    }
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Per cent of a core that one caller took.
pub(crate) fn core_percent(cpu: Duration, wall: Duration, callers: usize) -> f64 {
    100.0 * cpu.as_secs_f64() / wall.as_secs_f64() / callers as f64
}
