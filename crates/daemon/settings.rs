//! The settings of `standin run`: as written in a configuration file, and as checked.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use driver::{HttpClient, Material, Network, Pin, Rejoin, SinkSpec, Tls};
use media::{Codec, OpusWishes, RecordSettings};

use crate::config_file::ConfigFile;
use crate::destination::{Destination, warn_of_plain_http};
use crate::exit::Failure;
use crate::node_url::NodeUrl;
use crate::pin;
use crate::recording;
use crate::run::{LeaveRules, Materials};
use crate::sources;
use crate::telemetry::{LogFormat, Verbosity};

mod hooks;
mod service;
#[cfg(test)]
mod tests;
mod written;
#[cfg(test)]
mod wrong_values;

pub(crate) use hooks::{Action, HookSettings, Occasion, Posting};
pub(crate) use service::{ControlSettings, ServiceSettings};
use written::{MediaWritten, NetworkWritten, OpusWritten};
pub(crate) use written::{Ready, Written};

/// What `standin run` is to do, checked, with its media opened.
#[derive(Clone, Debug)]
pub(crate) struct RunSettings {
    /// Where to go and as whom.
    pub(crate) destination: Destination,
    /// What is played over and over, if anything.
    pub(crate) material: Option<Arc<Material>>,
    /// The video codecs to offer, best first; `None` for all.
    pub(crate) codecs: Option<Vec<Codec>>,
    /// Where what is heard and seen is kept.
    pub(crate) record: Option<RecordSettings>,
    /// Who else gets it.
    pub(crate) sinks: Vec<SinkSpec>,
    /// What is allowed of what answers may ask for in Opus.
    pub(crate) wishes: OpusWishes,
    /// Whether there is a call at all.
    pub(crate) media: bool,
    /// What happens after a loss of the conference.
    pub(crate) rejoin: Rejoin,
    /// After which time it comes back when a host has removed it; `None` to stay out.
    pub(crate) after_removal: Option<Duration>,
    /// How long one waits to be let in.
    pub(crate) waiting_room_limit: Option<Duration>,
    /// When it leaves by itself.
    pub(crate) leave: LeaveRules,
}

/// What of the configuration is needed before anything can be logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogSettings {
    /// The form of a line.
    pub(crate) format: LogFormat,
    /// How much is logged.
    pub(crate) verbosity: Verbosity,
}

impl Written {
    /// Reads the file, and the environment over it.
    pub(crate) fn read(file: &ConfigFile) -> Result<Self, Failure> {
        file.decode_with_environment().map_err(Failure::usage)
    }

    /// Finds the PIN of the participant that is called `name`.
    pub(crate) fn pin(&self, file: &ConfigFile, name: &str) -> Result<Option<Pin>, Failure> {
        let pin_file = self.pin_file.as_deref().map(|path| file.resolve(path));
        pin::find_of(pin_file.as_deref(), Some(name))
            .map_err(|error| Failure::usage(file.complain("pin_file", error)))
    }

    /// Returns where what is heard and seen is kept.
    pub(crate) fn recording(&self, file: &ConfigFile) -> Option<PathBuf> {
        self.media.record.as_deref().map(|path| file.resolve(path))
    }

    /// Checks every value of the participant that is called `name`, and opens what is to be played,
    /// once for all who play the same; opens no socket but a live input's.
    pub(crate) fn check(
        &self,
        file: &ConfigFile,
        name: &str,
        materials: &Materials,
    ) -> Result<RunSettings, Failure> {
        let wrong =
            |key: &str, what: &dyn std::fmt::Display| Failure::usage(file.complain(key, what));
        let seconds = |key: &str, value: f64| {
            Duration::try_from_secs_f64(value)
                .ok()
                .filter(|pause| !pause.is_zero())
                .ok_or_else(|| {
                    wrong(
                        key,
                        &format_args!("{value} is no time: give seconds, more than 0"),
                    )
                })
        };

        let texts = self.node.as_slice();
        if texts.is_empty() {
            return Err(wrong(
                "node",
                &"no node is named: write node = \"https://HOST\"",
            ));
        }
        let nodes = texts
            .iter()
            .map(|text| {
                text.parse::<NodeUrl>()
                    .map_err(|error| wrong("node", &format_args!("{text:?}: {error}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let conference = self
            .conference
            .parse()
            .map_err(|error| wrong("conference", &error))?;
        if self.extension.as_deref().is_some_and(str::is_empty) {
            return Err(wrong(
                "extension",
                &"no conference is named: leave the key out, or name one",
            ));
        }
        if self.name.trim().is_empty() {
            return Err(wrong("name", &"the name in the roster is empty: give one"));
        }
        if self.insecure && self.ca_file.is_some() {
            return Err(wrong(
                "insecure",
                &"ca_file and insecure exclude each other: remove one",
            ));
        }
        let tls = match &self.ca_file {
            _ if self.insecure => Tls::Insecure,
            Some(path) => Tls::CaFile(file.resolve(path)),
            None => Tls::SystemRoots,
        };
        let rejoin = Rejoin::Always {
            first: seconds("rejoin.first_seconds", self.rejoin.first_seconds)?,
            longest: seconds("rejoin.longest_seconds", self.rejoin.longest_seconds)?,
        };
        if self.rejoin.longest_seconds < self.rejoin.first_seconds {
            return Err(wrong(
                "rejoin.longest_seconds",
                &"the longest pause is shorter than the first: raise it",
            ));
        }
        let waiting_room_limit = self
            .waiting_room_seconds
            .map(|value| seconds("waiting_room_seconds", value))
            .transpose()?;
        let after_removal = self.rejoin.after_removal_seconds;
        let after_removal = after_removal
            .map(|value| seconds("rejoin.after_removal_seconds", value))
            .transpose()?;
        let limit =
            |key: &str, value: Option<f64>| value.map(|value| seconds(key, value)).transpose();
        let leave = LeaveRules {
            alone: limit("leave.alone_seconds", self.leave.alone_seconds)?,
            longest: limit("leave.longest_seconds", self.leave.longest_seconds)?,
            at: read("leave.at_utc", self.leave.at_utc.as_deref(), &wrong)?,
        };
        let source = |key: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => sources::parse(text, |path: &Path| file.resolve(path))
                .map(Some)
                .map_err(|error| wrong(key, &error)),
        };
        let audio = source("media.audio", &self.media.audio)?;
        let video = source("media.video", &self.media.video)?;

        if !self.media.enabled
            && (audio.is_some()
                || video.is_some()
                || self.media.record.is_some()
                || !self.media.sinks.is_empty())
        {
            return Err(wrong(
                "media.enabled",
                &"there is no call to play or record in: remove the sources and the recording",
            ));
        }
        let network = self.network.check(&wrong)?;
        let wishes = self.media.opus.check(&wrong)?;

        warn_of_plain_http(&nodes);
        Ok(RunSettings {
            destination: Destination {
                client: HttpClient::new(&tls).map_err(|error| wrong("ca_file", &error))?,
                nodes: nodes.iter().map(NodeUrl::address).collect(),
                conference,
                extension: self.extension.clone(),
                display_name: self.name.clone(),
                pin: self.pin(file, name)?,
                // Good for one time, which is not what a service is for.
                one_time_token: None,
                network,
            },
            material: materials
                .open(audio.as_ref(), video.as_ref(), wishes)
                .map_err(|error| {
                    let key = match (&audio, &video) {
                        (_, None) => "media.audio",
                        (None, Some(_)) => "media.video",
                        (Some(_), Some(_)) => "media",
                    };
                    wrong(key, &error)
                })?,
            wishes,
            media: self.media.enabled,
            codecs: sources::codecs(&self.media.codecs)
                .map_err(|error| wrong("media.codecs", &error))?,
            record: self.media.recording(file, &wrong)?,
            sinks: self.media.sinks(&wrong)?,
            rejoin,
            after_removal,
            waiting_room_limit,
            leave,
        })
    }
}

impl MediaWritten {
    fn sinks(
        &self,
        wrong: &dyn Fn(&str, &dyn std::fmt::Display) -> Failure,
    ) -> Result<Vec<SinkSpec>, Failure> {
        let sinks = self.sinks.iter().map(|text| {
            text.parse::<SinkSpec>()
                .map(|sink| sink.restarting(self.sink_restart))
                .map_err(|error| wrong("media.sinks", &error))
        });
        sinks.collect()
    }

    fn recording(
        &self,
        file: &ConfigFile,
        wrong: &dyn Fn(&str, &dyn std::fmt::Display) -> Failure,
    ) -> Result<Option<RecordSettings>, Failure> {
        let Some(path) = self.record.as_deref() else {
            if !self.record_rotate.is_empty() || self.record_keep.is_some() {
                let what = "nothing is recorded: name a file with media.record";
                return Err(wrong("media.record_rotate", &what));
            }
            return Ok(None);
        };
        let limits = self.record_rotate.iter().map(|text| {
            text.parse()
                .map_err(|error: String| wrong("media.record_rotate", &error))
        });
        let limits: Vec<_> = limits.collect::<Result<_, _>>()?;
        if self.record_keep == Some(0) {
            return Err(wrong(
                "media.record_keep",
                &"no file would be left: keep 1 or more",
            ));
        }
        let mut settings = recording::settings(&file.resolve(path), &limits, self.record_keep);
        // A service that is started again has something to lose.
        settings.keep_existing = true;
        settings
            .container()
            .map_err(|error| wrong("media.record", &error))?;
        Ok(Some(settings))
    }
}

impl OpusWritten {
    fn check(
        &self,
        wrong: &dyn Fn(&str, &dyn std::fmt::Display) -> Failure,
    ) -> Result<OpusWishes, Failure> {
        // RFC 7587 §6.1 has this range for one channel or two together.
        if !(6_000..=255_000).contains(&self.bit_rate) {
            return Err(wrong(
                "media.opus.bit_rate",
                &format_args!(
                    "{} is out of range: Opus has 6000 to 255000 bits a second for each channel",
                    self.bit_rate
                ),
            ));
        }
        Ok(OpusWishes {
            bit_rate: self.bit_rate,
            fec: self.fec,
            dtx: self.dtx,
            stereo: self.stereo,
        })
    }
}

impl NetworkWritten {
    fn check(
        &self,
        wrong: &dyn Fn(&str, &dyn std::fmt::Display) -> Failure,
    ) -> Result<Network, Failure> {
        let addresses = self.media_addresses.iter().map(|text| {
            text.parse().map_err(|_| {
                let what = format!(
                    "{text:?} is no address: write one of this machine's, such as 192.0.2.7"
                );
                wrong("network.media_addresses", &what)
            })
        });
        Ok(Network {
            impairment: None,
            inbound_impairment: None,
            relay_only: false,
            addresses: addresses.collect::<Result<_, _>>()?,
            ports: read("network.media_ports", self.media_ports.as_deref(), wrong)?,
            dscp: read("network.dscp", self.dscp.as_deref(), wrong)?,
        })
    }
}

fn read<T: FromStr<Err: std::fmt::Display>>(
    key: &str,
    text: Option<&str>,
    wrong: &dyn Fn(&str, &dyn std::fmt::Display) -> Failure,
) -> Result<Option<T>, Failure> {
    text.map(|text| text.parse().map_err(|error| wrong(key, &error)))
        .transpose()
}
