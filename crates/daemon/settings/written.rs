//! The configuration of `standin run` as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use media::OpusWishes;
use serde::{Deserialize, Serialize};

use super::hooks::HookWritten;
use crate::destination::DISPLAY_NAME;
use crate::telemetry::{LogFormat, Verbosity};

/// The configuration as written; `config/standin.toml` describes each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    pub(super) node: OneOrMore,
    pub(super) conference: String,
    pub(super) extension: Option<String>,
    pub(super) name: String,
    pub(super) pin_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) insecure: bool,
    pub(super) waiting_room_seconds: Option<f64>,
    pub(super) media: MediaWritten,
    pub(super) network: NetworkWritten,
    pub(super) rejoin: RejoinWritten,
    pub(super) leave: LeaveWritten,
    // What follows is of the service as a whole: a participant of several does not have it.
    pub(super) participants: Option<String>,
    pub(super) participant: BTreeMap<String, toml::Value>,
    pub(super) ready: Ready,
    pub(super) control: ControlWritten,
    pub(super) hook: BTreeMap<String, HookWritten>,
    pub(super) log: LogWritten,
}

/// What is played and kept, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MediaWritten {
    pub(super) audio: Option<String>,
    pub(super) video: Option<String>,
    pub(super) codecs: Vec<String>,
    pub(super) record: Option<PathBuf>,
    pub(super) record_rotate: Vec<String>,
    pub(super) record_keep: Option<u32>,
    pub(super) sinks: Vec<String>,
    pub(super) sink_restart: bool,
    pub(super) enabled: bool,
    pub(super) opus: OpusWritten,
}

/// How sound is encoded, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OpusWritten {
    pub(super) bit_rate: u32,
    pub(super) fec: bool,
    pub(super) dtx: bool,
    pub(super) stereo: bool,
}

impl Default for OpusWritten {
    fn default() -> Self {
        let OpusWishes {
            bit_rate,
            fec,
            dtx,
            stereo,
        } = OpusWishes::default();
        Self {
            bit_rate,
            fec,
            dtx,
            stereo,
        }
    }
}

impl Default for MediaWritten {
    fn default() -> Self {
        Self {
            audio: None,
            video: None,
            codecs: Vec::new(),
            record: None,
            record_rotate: Vec::new(),
            record_keep: None,
            sinks: Vec::new(),
            sink_restart: false,
            enabled: true,
            opus: OpusWritten::default(),
        }
    }
}

/// How media uses the network, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NetworkWritten {
    pub(super) media_addresses: Vec<String>,
    pub(super) media_ports: Option<String>,
    pub(super) dscp: Option<String>,
}

/// The pauses before joining again, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RejoinWritten {
    pub(super) first_seconds: f64,
    pub(super) longest_seconds: f64,
    pub(super) after_removal_seconds: Option<f64>,
}

/// When to leave by oneself, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LeaveWritten {
    pub(super) alone_seconds: Option<f64>,
    pub(super) longest_seconds: Option<f64>,
    pub(super) at_utc: Option<String>,
}

/// Where a running service listens to its operator, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ControlWritten {
    pub(super) socket: Option<PathBuf>,
    pub(super) listen: Option<String>,
    pub(super) token_file: Option<PathBuf>,
}

/// When a service counts as started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ready {
    /// As soon as the configuration is valid and everything runs.
    #[default]
    Running,
    /// Once every participant has been in its conference.
    InConference,
}

/// What is logged, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogWritten {
    pub(super) format: LogFormat,
    pub(super) level: Level,
}

/// A level of the log, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// A list, or its one element alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, or a list of texts")]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) if one.is_empty() => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

impl Default for Written {
    fn default() -> Self {
        Self {
            node: OneOrMore::More(Vec::new()),
            conference: String::new(),
            extension: None,
            name: DISPLAY_NAME.to_owned(),
            pin_file: None,
            ca_file: None,
            insecure: false,
            waiting_room_seconds: None,
            media: MediaWritten::default(),
            network: NetworkWritten::default(),
            rejoin: RejoinWritten::default(),
            leave: LeaveWritten::default(),
            participants: None,
            participant: BTreeMap::new(),
            ready: Ready::default(),
            control: ControlWritten::default(),
            hook: BTreeMap::new(),
            log: LogWritten::default(),
        }
    }
}

impl Default for RejoinWritten {
    fn default() -> Self {
        Self {
            first_seconds: 0.5,
            longest_seconds: 30.0,
            after_removal_seconds: None,
        }
    }
}

impl From<Level> for Verbosity {
    fn from(level: Level) -> Self {
        match level {
            Level::Warn => Self::Warnings,
            Level::Info => Self::Info,
            Level::Debug => Self::Debug,
            Level::Trace => Self::Trace,
        }
    }
}
