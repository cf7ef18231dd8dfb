//! Many participants in one service for a while: what they cost does not grow while nothing changes.

use std::fmt;
use std::fs;
use std::time::Duration;

use crate::support::{Daemon, PracticeNode, SPEECH, material, the_stage_alone, wait_for};

/// What a process uses, as the kernel counts (proc(5)).
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    /// Time on a core so far, in seconds.
    cpu: f64,
    /// Memory, in MB.
    memory: f64,
    descriptors: usize,
}

impl Usage {
    fn of(process: u32) -> Self {
        /// Of CPU time, a second: what Linux has told programs since ever (`getconf CLK_TCK`).
        const TICKS: f64 = 100.0;
        let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).unwrap();
        let stat = read("stat");
        // A name may hold blanks, and ends with the last bracket; utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        let status = read("status");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.unwrap().trim().trim_end_matches(" kB");
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        Self {
            cpu: ticks / TICKS,
            memory: memory.parse::<f64>().unwrap() / 1024.0,
            descriptors: descriptors.count(),
        }
    }
}

/// What a process used at even intervals.
struct Series {
    interval: Duration,
    usages: Vec<Usage>,
}

impl Series {
    /// Returns how much of a core was used in each interval, in per cent.
    fn load(&self) -> impl Iterator<Item = f64> {
        let seconds = self.interval.as_secs_f64();
        let pairs = self.usages.windows(2);
        pairs.map(move |pair| 100.0 * (pair[1].cpu - pair[0].cpu) / seconds)
    }

    /// Says what is more in the second half than in the first, beyond what noise explains.
    fn growth(&self) -> Vec<String> {
        let memory = self.usages.iter().map(|usage| usage.memory).collect();
        let descriptors = self.usages.iter().map(|usage| usage.descriptors as f64);
        let all: [(&str, Vec<f64>, f64); 3] = [
            ("CPU", self.load().collect(), 1.25),
            ("memory", memory, 1.05),
            ("descriptors", descriptors.collect(), 1.01),
        ];
        let grown = all.iter().filter_map(|(what, values, limit)| {
            let (first, second) = values.split_at(values.len() / 2);
            let (first, second) = (mean(first), mean(second));
            (second > first * limit).then(|| format!("{what}: {first:.1}, then {second:.1}"))
        });
        grown.collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    s  CPU, % of a core  memory, MB  descriptors")?;
        for (at, (usage, load)) in self.usages[1..].iter().zip(self.load()).enumerate() {
            let at = self.interval * (at as u32 + 1);
            let Usage {
                memory,
                descriptors,
                ..
            } = usage;
            let at = at.as_secs();
            writeln!(f, "{at:5}  {load:16.1}  {memory:10.1}  {descriptors:11}")?;
        }
        Ok(())
    }
}

/// Lets this many participants stay in ten conferences, and looks so often at what they use.
async fn stay(participants: usize, interval: Duration, looks: usize) {
    let conferences: Vec<String> = (0..10).map(|number| format!("meet{number}")).collect();
    let arguments: Vec<&str> = conferences
        .iter()
        .flat_map(|name| ["--conference", name])
        .collect();
    let node = PracticeNode::start(&arguments).await;
    let mut service = String::from("[control]\nsocket = \"control.sock\"\n");
    for number in 0..participants {
        // Two of each conference speak, as people do.
        let audio = match number / 10 {
            0 | 1 => format!("{:?}", material(SPEECH)),
            _ => "\"silence\"".to_owned(),
        };
        service += &format!(
            "[participant.p{number}]\nnode = {:?}\nconference = \"meet{}\"\nname = \"P {number}\"\n\
             media.audio = {audio}\n",
            node.http,
            number % 10,
        );
    }
    let daemon = Daemon::start(&[("standin.toml", service)], &[]).await;
    let everybody = async || {
        let all = daemon.all().await;
        let is_well = |status: &&serde_json::Value| {
            status["state"] == "in_conference" && status["restarts"] == 0
        };
        all.iter().filter(is_well).count()
    };
    wait_for("everybody is there", Duration::from_secs(60), async || {
        (everybody().await == participants).then_some(())
    })
    .await;
    // Buffers fill, and those who join ask for key frames.
    tokio::time::sleep(interval * 2).await;
    let process = daemon.process.id();
    let mut series = Series {
        interval,
        usages: vec![Usage::of(process)],
    };
    let mut clock = tokio::time::interval(interval);
    clock.tick().await;
    for _ in 0..looks {
        clock.tick().await;
        series.usages.push(Usage::of(process));
    }
    println!("{participants} participants\n{series}");
    assert_eq!(everybody().await, participants, "all of them, as they came");
    let grown = series.growth();
    assert!(grown.is_empty(), "{grown:?}\n{series}");
    daemon.process.terminated().await.expect(0, "");
}

#[tokio::test]
async fn twenty_participants_cost_the_same_all_the_time() {
    let _turn = the_stage_alone().await;
    stay(20, Duration::from_secs(1), 8).await;
}

#[tokio::test]
#[ignore = "takes ten minutes; `make test-long`"]
async fn a_hundred_participants_cost_the_same_for_ten_minutes() {
    let _turn = the_stage_alone().await;
    stay(100, Duration::from_secs(20), 30).await;
}

#[test]
fn what_grows_is_found_out() {
    let series = |cpu: f64, memory: f64, descriptors: f64| {
        let usages = (0..10).map(|at| {
            let at = f64::from(at);
            Usage {
                cpu: at + at * at * cpu,
                memory: 100.0 + at * memory,
                descriptors: (500.0 + at * descriptors) as usize,
            }
        });
        Series {
            interval: Duration::from_secs(10),
            usages: usages.collect(),
        }
    };
    assert!(series(0.0, 0.0, 0.0).growth().is_empty(), "the control");
    for (series, what) in [
        (series(0.1, 0.0, 0.0), "CPU"),
        (series(0.0, 2.0, 0.0), "memory"),
        (series(0.0, 0.0, 2.0), "descriptors"),
    ] {
        let grown = series.growth();
        assert!(grown.len() == 1 && grown[0].starts_with(what), "{grown:?}");
    }
}
