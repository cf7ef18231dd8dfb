//! The generator's check of itself: past its limits, what was measured says nothing about a node.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use driver::{Gauge, Shard};

use crate::{Generator, Histogram, Unit};

/// How often a timer is tried on each shard.
const TIMER: Duration = Duration::from_millis(20);

/// What this process can take before its measurements are not to be believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeneratorLimits {
    /// Most of the cores it may use, 0 to 1, over the whole test.
    pub cpu: f64,
    /// How late a frame in a hundred may be sent.
    pub late_p99: Duration,
    /// How late a timer in a hundred may fire.
    pub timer_p99: Duration,
    /// Most of the file descriptors it may use, 0 to 1.
    pub descriptors: f64,
    /// Most of the memory it may use, 0 to 1.
    pub memory: f64,
    /// Most datagrams that may be lost between the network and us, as a share of all.
    pub socket_drops: f64,
}

impl Default for GeneratorLimits {
    fn default() -> Self {
        Self {
            cpu: 0.85,
            late_p99: Duration::from_millis(20),
            timer_p99: Duration::from_millis(20),
            descriptors: 0.9,
            memory: 0.8,
            socket_drops: 0.001,
        }
    }
}

/// How late frames leave, on one shard.
#[derive(Debug)]
pub(crate) struct Lateness(Mutex<Histogram>);

impl Default for Lateness {
    fn default() -> Self {
        Self(Mutex::new(Histogram::new(Unit::Seconds)))
    }
}

impl Lateness {
    pub(crate) fn record(&self, late: Duration) {
        let mut late_by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        late_by.record(late.as_secs_f64());
    }

    /// Returns what was recorded since the last time.
    pub(crate) fn take(&self) -> Histogram {
        let mut late_by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *late_by, Histogram::new(Unit::Seconds))
    }
}

impl Gauge for Lateness {
    fn sent(&self, late: Duration) {
        self.record(late);
    }
}

/// Tries a timer on `shard` again and again, for as long as the task lives.
pub(crate) fn try_timers(shard: &Shard, lateness: Arc<Lateness>) -> tokio::task::JoinHandle<()> {
    shard.spawn(async move {
        loop {
            let due = Instant::now() + TIMER;
            tokio::time::sleep_until(due.into()).await;
            lateness.record(due.elapsed());
        }
    })
}

/// What the system says about this process at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// CPU time since the process began.
    pub(crate) cpu: Duration,
    /// Memory in use, in bytes.
    pub(crate) rss: u64,
    /// Open file descriptors.
    pub(crate) descriptors: u64,
    /// The most there may be.
    pub(crate) most_descriptors: u64,
}

impl Usage {
    /// Asks the system. What it does not tell is zero, as on systems without `/proc`.
    pub(crate) fn now() -> Self {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let kilobytes = read("status")
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0u64);
        Self {
            cpu: cpu_of(&read("stat")).unwrap_or_default(),
            rss: kilobytes * 1024,
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64),
            most_descriptors: read("limits")
                .lines()
                .find_map(|line| {
                    line.strip_prefix("Max open files")?
                        .split_whitespace()
                        .next()?
                        .parse()
                        .ok()
                })
                .unwrap_or(0),
        }
    }
}

/// Reads user and system time out of `/proc/PID/stat` (proc(5)), in ticks of 10 ms.
fn cpu_of(stat: &str) -> Option<Duration> {
    // The name of the process, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// Returns what there is to say about this machine.
pub(crate) fn machine() -> Generator {
    let read = |path: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.trim().to_owned()
    };
    let processor = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| {
            Some(
                line.strip_prefix("model name")?
                    .split_once(':')?
                    .1
                    .trim()
                    .to_owned(),
            )
        })
        .unwrap_or_default();
    Generator {
        host: read("/proc/sys/kernel/hostname"),
        kernel: read("/proc/sys/kernel/osrelease"),
        processor,
        ..Generator::default()
    }
}

/// Returns how much memory this process may use, in bytes: what the machine has, or its control
/// group if that is less. 0 where the system does not tell.
pub(crate) fn memory() -> u64 {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kilobytes = read("/proc/meminfo").lines().find_map(|line| {
        let rest = line.strip_prefix("MemTotal:")?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    let all = kilobytes.unwrap_or(0) * 1024;
    // "max" where there is no limit.
    let group = read("/sys/fs/cgroup/memory.max").trim().parse::<u64>();
    group.map_or(all, |limit| limit.min(all))
}

/// How many cores this process may use.
pub(crate) fn cores() -> f64 {
    thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// Returns which share of the cores the process used between two moments.
pub(crate) fn share_of_cores(before: (Instant, Usage), after: (Instant, Usage)) -> f64 {
    let elapsed = after.0.saturating_duration_since(before.0).as_secs_f64();
    let used = after.1.cpu.saturating_sub(before.1.cpu).as_secs_f64();
    if elapsed > 0.0 {
        (used / elapsed / cores()).min(1.0)
    } else {
        0.0
    }
}

/// What the generator measured of itself over a whole test.
#[derive(Debug, Clone)]
pub struct GeneratorFigures {
    /// Share of the cores used, over the whole test.
    pub cpu: f64,
    /// How late frames were sent.
    pub late: Histogram,
    /// How late timers fired.
    pub timer: Histogram,
    /// Most file descriptors in use, as a share of those there may be.
    pub descriptors: f64,
    /// Datagrams lost between the network and us, as a share of all received.
    pub socket_drops: f64,
    /// Most memory in use, in bytes.
    pub rss: u64,
    /// The memory that there is, in bytes; 0 where the system does not tell.
    pub memory: u64,
}

impl GeneratorFigures {
    /// Says what is past its limit; nothing when all that was measured may be believed.
    pub fn complaints(&self, limits: &GeneratorLimits) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.cpu > limits.cpu {
            complaints.push(format!(
                "the generator used {:.0} % of its cores, more than {:.0} %",
                self.cpu * 100.0,
                limits.cpu * 100.0
            ));
        }
        for (what, histogram, limit) in [
            ("frames were sent", &self.late, limits.late_p99),
            ("timers fired", &self.timer, limits.timer_p99),
        ] {
            let p99 = histogram.quantile(0.99).unwrap_or(0.0);
            if p99 > limit.as_secs_f64() {
                complaints.push(format!(
                    "{what} {:.1} ms late at the 99th percentile, more than {:.1} ms",
                    p99 * 1e3,
                    limit.as_secs_f64() * 1e3
                ));
            }
        }
        if self.descriptors > limits.descriptors {
            complaints.push(format!(
                "{:.0} % of the file descriptors were in use: raise `ulimit -n`",
                self.descriptors * 100.0
            ));
        }
        let memory = self.rss as f64 / self.memory.max(1) as f64;
        if self.memory > 0 && memory > limits.memory {
            complaints.push(format!(
                "the generator used {:.0} % of the memory there is, more than {:.0} %",
                memory * 100.0,
                limits.memory * 100.0
            ));
        }
        if self.socket_drops > limits.socket_drops {
            complaints.push(format!(
                "the kernel threw away {:.2} % of the datagrams because they were not read in time",
                self.socket_drops * 100.0
            ));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(late: f64) -> GeneratorFigures {
        let mut histogram = Histogram::new(Unit::Seconds);
        (0..100).for_each(|_| histogram.record(late));
        GeneratorFigures {
            cpu: 0.3,
            timer: histogram.clone(),
            late: histogram,
            descriptors: 0.1,
            socket_drops: 0.0,
            rss: 1 << 30,
            memory: 4 << 30,
        }
    }

    #[test]
    fn a_generator_at_ease_has_no_complaints_and_a_late_one_has() {
        let limits = GeneratorLimits::default();
        assert_eq!(figures(0.002).complaints(&limits), Vec::<String>::new());
        assert_eq!(figures(0.05).complaints(&limits).len(), 2);
        let mut busy = figures(0.002);
        (busy.cpu, busy.descriptors, busy.socket_drops) = (0.99, 0.95, 0.1);
        assert_eq!(busy.complaints(&limits).len(), 3);
    }

    #[test]
    fn the_system_tells_about_this_process() {
        let usage = Usage::now();
        assert!(usage.rss > 1 << 20 && usage.descriptors > 2, "{usage:?}");
        assert!(usage.most_descriptors >= usage.descriptors);
    }

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 2 0 0 0 0";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu_of("nonsense"), None);
    }
}
