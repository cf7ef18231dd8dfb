//! What this process took of the machine, and what a run found.

use std::{collections::BTreeMap, fs, io, time::Duration};

/// What one run found: values by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome(BTreeMap<String, f64>);

impl Outcome {
    /// Notes a value.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }

    /// The value of this name, if the run has found one.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// For the process that compares.
    pub(crate) fn line(&self) -> String {
        let values: Vec<String> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        format!("outcome {}", values.join(" "))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("outcome "))?;
        let value = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        line.split(' ').map(value).collect::<Option<_>>().map(Self)
    }

    /// The median of each value by itself.
    pub(crate) fn median(all: &[Self]) -> Self {
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (name, value) in all.iter().flat_map(|outcome| &outcome.0) {
            values.entry(name.clone()).or_default().push(*value);
        }
        Self(
            values
                .into_iter()
                .map(|(name, mut of_all)| (name, percentile(&mut of_all, 0.5)))
                .collect(),
        )
    }

    /// Notes p50, p95 and p99 of these values.
    pub(crate) fn set_percentiles(&mut self, name: &str, values: &mut [f64]) {
        for (suffix, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            self.set(&format!("{name}_{suffix}"), percentile(values, share));
        }
    }
}

/// CPU time of this process: all, and in the kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    all: Duration,
    kernel_ticks: u64,
    user_ticks: u64,
}

impl Cpu {
    /// So far, with what the kernel did on this process's behalf. Threads that ended are left out.
    pub(crate) fn now() -> io::Result<Self> {
        let mut nanoseconds = 0;
        for task in fs::read_dir("/proc/self/task")? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = schedstat.split_whitespace().next();
            nanoseconds += first.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
        let stat = fs::read_to_string("/proc/self/stat")?;
        // The name may hold anything but ends with the last parenthesis; utime and stime are the
        // 14th and 15th field (proc(5)).
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = |at: usize| {
            let field = after_name.split_whitespace().nth(at);
            field.and_then(|n| n.parse().ok()).unwrap_or(0)
        };
        Ok(Self {
            all: Duration::from_nanos(nanoseconds),
            user_ticks: ticks(11),
            kernel_ticks: ticks(12),
        })
    }

    /// All of it.
    pub(crate) fn all(&self) -> Duration {
        self.all
    }

    /// All CPU time since `before`.
    pub(crate) fn since(&self, before: &Self) -> Duration {
        self.all.saturating_sub(before.all)
    }

    /// The kernel's share of the time since `before`, 0 to 1.
    pub(crate) fn kernel_share(&self, before: &Self) -> f64 {
        let kernel = (self.kernel_ticks - before.kernel_ticks) as f64;
        let user = (self.user_ticks - before.user_ticks) as f64;
        if kernel + user == 0.0 {
            return 0.0;
        }
        kernel / (kernel + user)
    }
}

/// Resident memory of this process, in KB.
pub(crate) fn rss_kb() -> f64 {
    status("VmRSS:")
}

/// Threads of this process.
pub(crate) fn threads() -> f64 {
    status("Threads:")
}

fn status(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0.0)
}

/// The value below which a share of all lies.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return 0.0;
    }
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Watches a process over a time in which all callers do their work.
pub(crate) struct Watch {
    began: std::time::Instant,
    before: Cpu,
}

impl Watch {
    pub(crate) fn begin() -> io::Result<Self> {
        Ok(Self {
            began: std::time::Instant::now(),
            before: Cpu::now()?,
        })
    }

    /// Notes CPU per caller in per cent of a core, the kernel's share of it, memory and threads.
    pub(crate) fn end(self, callers: usize, rss_before: f64, into: &mut Outcome) -> io::Result<()> {
        let (wall, cpu) = (self.began.elapsed(), Cpu::now()?);
        let busy = cpu.since(&self.before).as_secs_f64() / wall.as_secs_f64();
        into.set("core", busy);
        into.set("cpu", 100.0 * busy / callers as f64);
        into.set("kernel", 100.0 * cpu.kernel_share(&self.before));
        into.set("rss", (rss_kb() - rss_before) / 1024.0 / callers as f64);
        into.set("threads", threads());
        Ok(())
    }
}
