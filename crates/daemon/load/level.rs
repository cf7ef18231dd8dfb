//! One level of a load test: what was run, how it is judged, and how that is told.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::time::SystemTime;

use driver::{Impairment, StopReason};
use load::{
    Conclusion, Counter, Ended, Histogram, Metric, Plan, Run, RunResult, Scenario, metric, report,
};

use super::settings::LoadSettings;
use super::shard::Part;
use crate::exit::{Exit, Failure};
use crate::print::{self, Form};

/// A level that was run, with its verdict.
pub(super) struct Level {
    pub(super) result: RunResult,
    pub(super) participants: usize,
    pub(super) stopped: Option<StopReason>,
    pub(super) part: Part,
}

impl Level {
    /// Judges what was measured.
    pub(super) fn judge(
        settings: &LoadSettings,
        scenario: &Scenario,
        part: Part,
        started: SystemTime,
        ended: Ended,
    ) -> Self {
        let run = run(scenario, started);
        let shards = u32::try_from(part.count).unwrap_or(u32::MAX);
        Self {
            result: RunResult::new(run, shards, &settings.thresholds, ended.measurements),
            participants: scenario.participants,
            stopped: ended.stopped,
            part,
        }
    }

    /// Returns how the command ends. A part says nothing about the whole: what it measured is there,
    /// and that is all it was for. An engine would take anything else for a reason to stop the others.
    pub(super) fn exit(&self) -> Exit {
        match self.stopped {
            Some(StopReason::Interrupted) => Exit::Interrupted,
            _ if self.part.is_partial() => Exit::Done,
            _ => exit_of(&self.result),
        }
    }

    /// Prints the result and writes the report.
    pub(super) fn tell(&self, form: Form, report: Option<&Path>) -> Result<(), Failure> {
        match form {
            Form::Json => print::json(&self.result),
            Form::Text => self.print(),
        }
        if let Some(folder) = report {
            let page = report::write_all(folder, &self.result).map_err(Failure::failed)?;
            if form == Form::Text {
                print::line(format_args!("Report: {}", page.display()));
            }
        }
        Ok(())
    }

    fn print(&self) {
        let measured = &self.result.measurements;
        let count = |counter| measured.counter(counter);
        print::line(format_args!(
            "{} joins, {} of them led into the conference; {} tokens left behind",
            count(Counter::JoinsAttempted),
            count(Counter::JoinsOk),
            count(Counter::TokensKept),
        ));
        print::line(format_args!(
            "{} packets sent, {} received, {} lost on the way here",
            count(Counter::PacketsSent),
            count(Counter::PacketsReceived),
            count(Counter::PacketsLost),
        ));
        for metric in SHOWN {
            if let Some(line) = measured
                .histogram(metric)
                .and_then(|all| figure(metric, all))
            {
                print::line(line);
            }
        }
        for (title, reasons) in [
            ("failed", measured.failures()),
            ("no room", measured.capacity()),
        ] {
            for (reason, times) in reasons {
                print::line(format_args!("  {title}: {times} × {reason}"));
            }
        }
        if self.part.is_partial() {
            print::line(format_args!(
                "Part {} of {}, counted from 0: judged with the others, by standin load merge",
                self.part.index, self.part.count
            ));
            return;
        }
        for judged in &self.result.verdict.thresholds {
            print::line(format_args!(
                "  {} {}: {}",
                if judged.holds { "held  " } else { "missed" },
                judged.threshold,
                judged.told
            ));
        }
        print::line(self.result.verdict.line());
    }
}

/// Returns how a command ends whose result this is.
pub(super) fn exit_of(result: &RunResult) -> Exit {
    match result.verdict.conclusion {
        Conclusion::Pass => Exit::Done,
        Conclusion::Fail => Exit::Failed,
        Conclusion::Invalid | Conclusion::Interrupted => Exit::Invalid,
    }
}

/// The figures that a person wants to see first.
static SHOWN: [&Metric; 18] = [
    &metric::JOIN_TOTAL,
    &metric::HTTP_ALL,
    &metric::RTT,
    &metric::AUDIO_LOSS,
    &metric::AUDIO_JITTER,
    &metric::AUDIO_MOS,
    &metric::VIDEO_LOSS,
    &metric::VIDEO_FRAME_RATE,
    &metric::VIDEO_FREEZES,
    &metric::AUDIO_DELAY,
    &metric::VIDEO_DELAY,
    &metric::AV_SKEW,
    &metric::AUDIO_SILENCE,
    &metric::VIDEO_DECODED_FPS,
    &metric::VIDEO_BLANK,
    &metric::EVENTS_RATE,
    &metric::EVENTS_BIT_RATE,
    &metric::GENERATOR_LATE,
];

fn figure(metric: &Metric, values: &Histogram) -> Option<String> {
    let told = |value| metric.unit.told(value);
    Some(format!(
        "  {:<18} p50 {}   p95 {}   p99 {}   ({})",
        metric.name,
        told(values.quantile(0.5)?),
        told(values.quantile(0.95)?),
        told(values.quantile(0.99)?),
        metric.what
    ))
}

/// Returns what is to be said about the run.
fn run(scenario: &Scenario, started: SystemTime) -> Run {
    let since_1970 = started
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let conferences: Vec<_> = scenario
        .conferences
        .iter()
        .map(ToString::to_string)
        .collect();
    let title = match conferences.as_slice() {
        [one] => format!("{} in {one}", scenario.participants),
        more => format!(
            "{} in each of {} conferences",
            scenario.participants,
            more.len()
        ),
    };
    let roles = scenario.roles;
    let mut described = named(scenario);
    described.push(format!(
        "each with {} participants: {} talkers, {} video senders, {} churners",
        scenario.participants, roles.talkers, roles.video_senders, roles.churners
    ));
    described.push(format!(
        "arrivals: {}, then all stay for {} s",
        scenario.ramp,
        scenario.hold.as_secs_f64()
    ));
    Run {
        title,
        plan: digest(scenario),
        seed: scenario.seed,
        started_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        callers: u32::try_from(scenario.callers()).unwrap_or(u32::MAX),
        described,
        master: None,
    }
}

/// Returns what there is to say of a scenario but for who comes when.
pub(super) fn named(scenario: &Scenario) -> Vec<String> {
    let names = |list: Vec<String>| list.join(", ");
    let conferences = scenario.conferences.iter().map(ToString::to_string);
    let mut described = vec![
        format!(
            "nodes: {}",
            names(scenario.nodes.iter().map(ToString::to_string).collect())
        ),
        format!("conferences: {}", names(conferences.collect())),
        format!("video: {}", if scenario.video { "yes" } else { "no" }),
    ];
    if scenario.decoded > 0 {
        described.push(format!(
            "decoded: what {} of the callers receive; marks: {}",
            scenario.decoded.min(scenario.callers()),
            if scenario.marks { "yes" } else { "no" }
        ));
    }
    for (impairment, way) in [
        (&scenario.impairment, "to"),
        (&scenario.inbound_impairment, "from"),
    ] {
        if !impairment.is_none() {
            described.push(format!(
                "impaired on purpose: {:.0} % of the callers, on their way {way} the node, {}",
                scenario.impaired_share * 100.0,
                names(wrong_with(impairment))
            ));
        }
    }
    described
}

/// Returns what is wrong with a link, in words.
fn wrong_with(impairment: &Impairment) -> Vec<String> {
    let mut said = Vec::new();
    if impairment.loss > 0.0 {
        said.push(format!("{} % loss", impairment.loss * 100.0));
    }
    for (what, time) in [("delay", impairment.delay), ("jitter", impairment.jitter)] {
        if !time.is_zero() {
            said.push(format!("{} ms {what}", time.as_secs_f64() * 1e3));
        }
    }
    if let Some(rate) = impairment.rate {
        said.push(format!("{} kbit/s at most", rate / 1000));
    }
    said
}

/// Returns a digest by which the parts of a test know each other.
pub(super) fn digest(scenario: &Scenario) -> String {
    let mut digest = DefaultHasher::new();
    format!("{:?}", Plan::new(scenario)).hash(&mut digest);
    format!("{:?}", (&scenario.nodes, &scenario.conferences)).hash(&mut digest);
    format!("{:016x}", digest.finish())
}
