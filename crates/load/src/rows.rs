//! What is kept of each caller and of each generator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one caller lived through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallerRow {
    /// The conference it was in.
    pub conference: String,
    /// What it did there: talker, listener, video, churner.
    pub role: String,
    /// The node it joined, host and port.
    pub node: String,
    /// When the steps of its first join were reached, in seconds from the join's beginning, by
    /// the figure's name without `join.`.
    pub join: BTreeMap<String, f64>,
    /// How long it was in the conference, in seconds.
    pub seconds_in: f64,
    /// Round-trip time of its media, in seconds; the mean.
    pub rtt: Option<f64>,
    /// Share of the audio packets that never came.
    pub audio_loss: Option<f64>,
    /// Share of the video packets that never came.
    pub video_loss: Option<f64>,
    /// Its MOS over all; see [`crate::mos`].
    pub mos: Option<f64>,
    /// How often its picture froze.
    pub freezes: u32,
    /// Why it failed, in the words of [`crate::Measurements::failed`].
    pub failure: Option<String>,
    /// Its MOS in each interval of the run, by the interval's number, in hundredths.
    pub over_time: BTreeMap<u32, u16>,
}

impl CallerRow {
    /// The row with its numbers as they can be written and read back without change.
    pub(crate) fn rounded(mut self) -> Self {
        self.join.values_mut().for_each(round);
        round(&mut self.seconds_in);
        let shares = [
            &mut self.rtt,
            &mut self.audio_loss,
            &mut self.video_loss,
            &mut self.mos,
        ];
        shares.into_iter().flatten().for_each(round);
        self
    }
}

/// Rounds to millionths. What is no number becomes 0, since JSON cannot say it.
fn round(value: &mut f64) {
    *value = (*value * 1e6).round() / 1e6;
    if !value.is_finite() {
        *value = 0.0;
    }
}

/// How the program that generated a shard's load did itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Generator {
    /// The machine's name.
    pub host: String,
    /// Its processor, in the words of its maker.
    pub processor: String,
    /// How many cores the program may use.
    pub cores: u32,
    /// Its kernel.
    pub kernel: String,
    /// Callers it ran at most at a time.
    pub callers: u32,
    /// CPU time used, in seconds, user and system.
    pub cpu_seconds: f64,
    /// Resident memory at its highest, in bytes.
    pub memory: u64,
    /// File descriptors open at most.
    pub descriptors: u64,
    /// Datagrams that the kernel dropped because a socket's buffer was full.
    pub socket_drops: u64,
    /// The limits that it exceeded, each in a sentence: what was measured, and what was allowed.
    /// With any, the whole run is invalid.
    pub exceeded: Vec<String>,
    /// By what and when it was told to stop before the end of the plan.
    /// With one of these, nothing is concluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
}

impl Generator {
    /// The row with its numbers as they can be written and read back without change.
    pub(crate) fn rounded(mut self) -> Self {
        round(&mut self.cpu_seconds);
        self
    }
}
