//! A scenario as it is written, in a file or on the command line.

use std::path::{Path, PathBuf};

use load::GeneratorLimits;
use media::SourceSpec;
use serde::{Deserialize, Serialize};

/// A scenario as written; `config/load.toml` describes each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LoadWritten {
    pub(crate) nodes: Vec<String>,
    pub(crate) allow: Vec<String>,
    pub(crate) conference: String,
    pub(crate) conferences: usize,
    pub(crate) participants: usize,
    pub(crate) name: String,
    pub(crate) pin_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) connections: String,
    pub(crate) talkers: usize,
    pub(crate) video_senders: usize,
    pub(crate) churners: usize,
    pub(crate) stay_seconds: f64,
    pub(crate) away_seconds: f64,
    pub(crate) turn_seconds: f64,
    pub(crate) audio: Option<String>,
    pub(crate) video: Option<String>,
    pub(crate) with_video: bool,
    pub(crate) media_addresses: Vec<String>,
    pub(crate) relay_only: bool,
    pub(crate) marks: bool,
    pub(crate) decode_callers: usize,
    pub(crate) sound_late_ms: f64,
    pub(crate) ramp: String,
    pub(crate) rate: f64,
    pub(crate) step_callers: usize,
    pub(crate) step_seconds: f64,
    pub(crate) soak_seconds: f64,
    pub(crate) hold_seconds: f64,
    pub(crate) impaired_percent: f64,
    pub(crate) loss_percent: f64,
    pub(crate) delay_ms: f64,
    pub(crate) jitter_ms: f64,
    pub(crate) rate_kbit: u64,
    pub(crate) inbound_loss_percent: f64,
    pub(crate) inbound_delay_ms: f64,
    pub(crate) inbound_jitter_ms: f64,
    pub(crate) inbound_rate_kbit: u64,
    pub(crate) seed: u64,
    pub(crate) most_callers: usize,
    pub(crate) threads: usize,
    pub(crate) thresholds: Vec<String>,
    pub(crate) knee_step: usize,
    pub(crate) generator_cpu_percent: f64,
    pub(crate) generator_late_ms: f64,
    pub(crate) generator_timer_ms: f64,
    pub(crate) generator_descriptors_percent: f64,
    pub(crate) generator_memory_percent: f64,
    pub(crate) generator_drops_percent: f64,
    pub(crate) report: Option<PathBuf>,
    pub(crate) listen: Option<String>,
}

impl Default for LoadWritten {
    fn default() -> Self {
        let limits = GeneratorLimits::default();
        Self {
            nodes: Vec::new(),
            allow: Vec::new(),
            conference: "load-{n}".to_owned(),
            conferences: 1,
            participants: 10,
            name: "Load {n}".to_owned(),
            pin_file: None,
            ca_file: None,
            insecure: false,
            connections: "per_caller".to_owned(),
            talkers: 1,
            video_senders: 0,
            churners: 0,
            stay_seconds: 10.0,
            away_seconds: 5.0,
            turn_seconds: 0.0,
            audio: Some("tone".to_owned()),
            video: None,
            with_video: false,
            media_addresses: Vec::new(),
            relay_only: false,
            marks: false,
            decode_callers: 0,
            sound_late_ms: 0.0,
            ramp: "rate".to_owned(),
            rate: 10.0,
            step_callers: 10,
            step_seconds: 10.0,
            soak_seconds: 600.0,
            hold_seconds: 30.0,
            impaired_percent: 100.0,
            loss_percent: 0.0,
            delay_ms: 0.0,
            jitter_ms: 0.0,
            rate_kbit: 0,
            inbound_loss_percent: 0.0,
            inbound_delay_ms: 0.0,
            inbound_jitter_ms: 0.0,
            inbound_rate_kbit: 0,
            seed: 1,
            most_callers: 1000,
            threads: 2,
            thresholds: vec![
                "failures.rate < 1%".to_owned(),
                "join.total.p95 < 5s".to_owned(),
            ],
            knee_step: 0,
            generator_cpu_percent: limits.cpu * 100.0,
            generator_late_ms: limits.late_p99.as_secs_f64() * 1e3,
            generator_timer_ms: limits.timer_p99.as_secs_f64() * 1e3,
            generator_descriptors_percent: limits.descriptors * 100.0,
            generator_memory_percent: limits.memory * 100.0,
            generator_drops_percent: limits.socket_drops * 100.0,
            report: None,
            listen: None,
        }
    }
}

impl LoadWritten {
    /// Keys by which a scenario is told from other configurations.
    pub(crate) const MARKS: [&'static str; 5] =
        ["nodes", "participants", "hold_seconds", "ramp", "allow"];

    /// Lets relative paths begin where `resolve` says.
    pub(crate) fn resolve(&mut self, resolve: impl Fn(&Path) -> PathBuf) {
        for path in [&mut self.pin_file, &mut self.ca_file, &mut self.report] {
            *path = path.as_deref().map(&resolve);
        }
        for source in [&mut self.audio, &mut self.video] {
            if let Some(text) = source.as_deref()
                && let Ok(spec) = text.parse::<SourceSpec>()
            {
                *source = Some(spec.resolved(&resolve).to_string());
            }
        }
    }
}
