//! What a Locust master and its workers say to each other: msgpack arrays `[type, data, node_id]`.
//!
//! As in Locust 2.x (`locust/rpc/protocol.py`, `locust/runners.py`), for workers that are not
//! Locust's own: they call themselves version −1.

use std::fmt;
use std::time::Duration;

use rmp_serde::Deserializer;
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::class::Counts;
use super::statistics::Report;

/// Deeper than this no message of a master is.
const DEPTH: usize = 64;

/// What a master says. What it says beside that is [`Self::Other`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FromMaster {
    /// It knows us, as the worker of this number.
    Ack {
        /// From 0; masters before 2.11 do not say it.
        index: Option<u64>,
    },
    /// So many callers of each class shall there be.
    Spawn(Spawn),
    /// Everyone shall leave; the next test will come.
    Stop,
    /// Everyone shall leave, and the worker end.
    Quit,
    /// The connection shall be made anew.
    Reconnect,
    /// It heard our heartbeat.
    Heartbeat,
    /// All workers together have reached what was asked for.
    SpawningComplete,
    /// Something that is no concern of ours, by its type.
    Other(String),
}

/// The callers a master wants of a worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Spawn {
    /// When it was said, in seconds since 1970 by the master's clock: an older one than the last is
    /// out of date.
    pub(super) timestamp: f64,
    /// By user class; these are all, not those to be added.
    pub(super) user_classes_count: Counts,
    /// The master's command line, of which one thing matters here.
    #[serde(default)]
    parsed_options: Loose<Options>,
}

/// What of a master's command line matters here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Options {
    run_time: Loose<f64>,
}

/// What is useful if it is there in the form we know, and nothing otherwise.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(untagged)]
enum Loose<T> {
    Known(T),
    #[default]
    Other,
    Unknown(IgnoredAny),
}

impl Spawn {
    /// What a master says that wants these callers.
    #[cfg(test)]
    pub(super) fn new(timestamp: f64, user_classes_count: Counts) -> Self {
        Self {
            timestamp,
            user_classes_count,
            parsed_options: Loose::Other,
        }
    }

    /// How long the test takes, if the master was told.
    pub(super) fn run_time(&self) -> Option<Duration> {
        match &self.parsed_options {
            Loose::Known(Options {
                run_time: Loose::Known(seconds),
            }) => Duration::try_from_secs_f64(*seconds).ok(),
            _ => None,
        }
    }
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[error("not a message of a Locust master: {0}")]
pub(super) struct NoMessage(#[from] rmp_serde::decode::Error);

impl FromMaster {
    /// Reads a message.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NoMessage> {
        let mut deserializer = Deserializer::from_read_ref(bytes);
        deserializer.set_max_depth(DEPTH);
        Ok(Self::deserialize(&mut deserializer)?)
    }
}

impl<'de> Deserialize<'de> for FromMaster {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(MessageVisitor)
    }
}

/// Reads the type first, which says what the data are.
struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = FromMaster;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of type, data and node id")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<FromMaster, A::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Ack {
            index: Option<u64>,
        }
        fn part<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
            parts: &mut A,
            what: &'static str,
        ) -> Result<T, A::Error> {
            let part = parts.next_element()?;
            part.ok_or_else(|| de::Error::missing_field(what))
        }
        let kind: String = part(&mut parts, "type")?;
        let message = match kind.as_str() {
            "ack" => FromMaster::Ack {
                index: part::<Option<Ack>, A>(&mut parts, "data")?.and_then(|ack| ack.index),
            },
            "spawn" => FromMaster::Spawn(part(&mut parts, "data")?),
            known => {
                part::<IgnoredAny, A>(&mut parts, "data")?;
                match known {
                    "stop" => FromMaster::Stop,
                    "quit" => FromMaster::Quit,
                    "reconnect" => FromMaster::Reconnect,
                    "heartbeat" => FromMaster::Heartbeat,
                    "spawning_complete" => FromMaster::SpawningComplete,
                    _ => FromMaster::Other(kind),
                }
            }
        };
        while parts.next_element::<IgnoredAny>()?.is_some() {}
        Ok(message)
    }
}

/// What a worker says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ToMaster {
    /// Here is a worker that can be told to spawn.
    ClientReady,
    /// It begins to spawn.
    Spawning,
    /// It has spawned; there are so many callers of each class.
    SpawningComplete(Counts),
    /// Everyone has left.
    ClientStopped,
    /// The worker ends.
    Quit,
    /// It is there.
    Heartbeat(Heartbeat),
    /// What its callers lived through since the last time.
    Stats(Box<Report>),
    /// Something is wrong that belongs before the eyes of whoever watches the master.
    Exception(String),
}

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Heartbeat {
    /// One of Locust's names of states.
    pub(super) state: &'static str,
    /// Percent of its cores; a master warns above 90.
    pub(super) current_cpu_usage: f64,
    /// In bytes.
    pub(super) current_memory_usage: u64,
}

/// How a foreign worker names its version.
const FOREIGN: i8 = -1;

impl ToMaster {
    /// Writes the message of the worker with this id.
    ///
    /// # Errors
    /// With what cannot be written, which is none of the messages above.
    pub(super) fn encode(&self, node_id: &str) -> Result<Vec<u8>, rmp_serde::encode::Error> {
        #[derive(Serialize)]
        struct Counted<'a> {
            user_classes_count: &'a Counts,
            user_count: u64,
        }
        #[derive(Serialize)]
        struct Exception<'a> {
            msg: &'a str,
            traceback: &'a str,
        }
        fn message(
            kind: &str,
            data: impl Serialize,
            node_id: &str,
        ) -> Result<Vec<u8>, rmp_serde::encode::Error> {
            rmp_serde::to_vec_named(&(kind, data, node_id))
        }
        match self {
            Self::ClientReady => message("client_ready", FOREIGN, node_id),
            Self::Spawning => message("spawning", (), node_id),
            Self::SpawningComplete(counts) => {
                let data = Counted {
                    user_classes_count: counts,
                    user_count: counts.values().sum(),
                };
                message("spawning_complete", data, node_id)
            }
            Self::ClientStopped => message("client_stopped", (), node_id),
            Self::Quit => message("quit", (), node_id),
            Self::Heartbeat(heartbeat) => message("heartbeat", heartbeat, node_id),
            Self::Stats(report) => message("stats", report, node_id),
            Self::Exception(what) => {
                let data = Exception {
                    msg: what,
                    traceback: "",
                };
                message("exception", data, node_id)
            }
        }
    }
}

#[cfg(test)]
mod tests;
