//! What of a configuration concerns a service as a whole, as checked.

use std::net::SocketAddr;
use std::path::PathBuf;

use node::OperatorToken;

use super::written::{ControlWritten, LogWritten, Ready};
use super::{HookSettings, LogSettings, Written, hooks};
use crate::config_file::ConfigFile;
use crate::exit::Failure;
use crate::operator_token;

/// The settings of a service as a whole.
#[derive(Clone, Debug)]
pub(crate) struct ServiceSettings {
    /// The files of its participants, where they have files of their own.
    pub(crate) participants: Option<String>,
    /// The participants that are tables of the same file.
    pub(crate) tables: Vec<String>,
    /// When it counts as started.
    pub(crate) ready: Ready,
    /// Where it listens to its operator.
    pub(crate) control: ControlSettings,
    /// What is done when something happens.
    pub(crate) hooks: Vec<HookSettings>,
    /// How to log.
    pub(crate) log: LogSettings,
}

/// Where a running service listens to its operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct ControlSettings {
    /// A Unix socket.
    pub(crate) socket: Option<PathBuf>,
    /// An address for TCP, and the token that whoever comes there must bring.
    pub(crate) listen: Option<(SocketAddr, OperatorToken)>,
}

impl ControlSettings {
    /// Returns whether there is an operator who could say what is to be done.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.socket.is_some() || self.listen.is_some()
    }
}

impl Written {
    /// The keys that concern a service as a whole.
    pub(crate) const OF_SERVICE: [&'static str; 6] = [
        "participants",
        "participant",
        "ready",
        "control",
        "hook",
        "log",
    ];

    /// Takes what concerns the service as a whole, and checks it; what is left is a participant.
    pub(crate) fn take_service(&mut self, file: &ConfigFile) -> Result<ServiceSettings, Failure> {
        let settings = ServiceSettings {
            participants: self.participants.take().filter(|text| !text.is_empty()),
            tables: self.participant.keys().cloned().collect(),
            ready: self.ready,
            control: self.control.check(file)?,
            hooks: hooks::check(&self.hook, file)?,
            log: LogSettings {
                format: self.log.format,
                verbosity: self.log.level.into(),
            },
        };
        self.forget_service();
        Ok(settings)
    }

    /// Forgets what concerns the service as a whole: the environment says it to every participant too.
    pub(crate) fn forget_service(&mut self) {
        self.participants = None;
        self.participant.clear();
        self.ready = Ready::default();
        self.control = ControlWritten::default();
        self.hook.clear();
        self.log = LogWritten::default();
    }
}

impl ControlWritten {
    fn check(&self, file: &ConfigFile) -> Result<ControlSettings, Failure> {
        let wrong = |key: &str, what: &dyn std::fmt::Display| {
            Failure::usage(file.complain(&format!("control.{key}"), what))
        };
        let Some(text) = self.listen.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(ControlSettings {
                socket: self.socket.as_deref().map(|path| file.resolve(path)),
                listen: None,
            });
        };
        let address = text.parse::<SocketAddr>().map_err(|_| {
            wrong(
                "listen",
                &format_args!("{text:?} is no address with a port, such as 127.0.0.1:9464"),
            )
        })?;
        let token_file = self.token_file.as_deref().map(|path| file.resolve(path));
        let token = operator_token::of_control(token_file.as_deref())
            .map_err(|error| wrong("token_file", &error))?
            .ok_or_else(|| {
                wrong(
                    "listen",
                    &"whoever comes by TCP must bring a token: name the file that holds it with token_file",
                )
            })?;
        Ok(ControlSettings {
            socket: self.socket.as_deref().map(|path| file.resolve(path)),
            listen: Some((address, token)),
        })
    }
}
