//! Logs: where they go, in which form, and from which level on.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::redaction::Redacted;

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs, one JSON object a line.
    Json,
}

/// How much is logged unless `RUST_LOG` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// What someone should look at, unless standard output tells it anyway.
    Untold,
    /// What someone should look at.
    Warnings,
    /// What an operator would tell a colleague.
    Info,
    /// Every input, output and transition.
    Debug,
    /// Everything, packets included.
    Trace,
}

impl Verbosity {
    /// Returns the level that `-v`, given `times`, raises this one to.
    pub(crate) fn raised(self, times: u8) -> Self {
        // One -v is worth a change anyone can see.
        let least = if times > 0 { Self::Warnings } else { self };
        match (self.max(least) as u8).saturating_add(times) {
            0 => Self::Untold,
            1 => Self::Warnings,
            2 => Self::Info,
            3 => Self::Debug,
            _ => Self::Trace,
        }
    }

    /// Returns the directives for our crates, with all others at warnings: a stack that logs each
    /// candidate pair would drown what happened.
    fn directives(self) -> String {
        let level = match self {
            Self::Untold | Self::Warnings => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        };
        let ours = [
            "standin",
            "announcer",
            "driver",
            "infinity",
            "load",
            "media",
            "node",
            "participant",
            "peer",
        ];
        let others = if self == Self::Trace {
            "debug"
        } else {
            "error"
        };
        let mut all = ours.iter().fold(others.to_owned(), |all, name| {
            format!("{all},{name}={level}")
        });
        if self < Self::Debug {
            // A server of no use is told once, with what is wrong; each packet to it is not.
            all.push_str(
                ",webrtc::peer_connection::transport::turn_relayer=off,webrtc::peer_connection::driver=off",
            );
        }
        if self == Self::Untold {
            // What befalls a caller is a notice, which the command prints.
            all.push_str(",driver::run=error");
        }
        all
    }
}

/// Begins to log to standard error.
///
/// `RUST_LOG` has the last word on levels. Under systemd the journal keeps the time itself, so
/// lines carry none.
pub(crate) fn start(format: LogFormat, verbosity: Verbosity) {
    let filter = match env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::new(wanted),
        _ => EnvFilter::new(verbosity.directives()),
    };
    let journal = env::var_os("JOURNAL_STREAM").is_some();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Redacted::stderr)
        .with_ansi(!journal && io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none());
    match (format, journal) {
        (LogFormat::Text, false) => builder.with_timer(SystemTime).init(),
        (LogFormat::Text, true) => builder.without_time().init(),
        (LogFormat::Json, false) => builder.json().with_timer(SystemTime).init(),
        (LogFormat::Json, true) => builder.json().without_time().init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_v_raises_by_one_level_and_no_further_than_the_last() {
        assert_eq!(Verbosity::Untold.raised(0), Verbosity::Untold);
        assert_eq!(Verbosity::Untold.raised(1), Verbosity::Info);
        assert_eq!(Verbosity::Warnings.raised(1), Verbosity::Info);
        assert_eq!(Verbosity::Info.raised(1), Verbosity::Debug);
        assert_eq!(Verbosity::Info.raised(200), Verbosity::Trace);
    }
}
