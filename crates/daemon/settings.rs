//! The settings of `standin run`: as written in a configuration file, and as checked.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use driver::{HttpClient, Material, Network, Rejoin, Tls};
use media::Codec;
use serde::{Deserialize, Serialize};

use crate::config_file::ConfigFile;
use crate::destination::{DISPLAY_NAME, Destination, warn_of_plain_http};
use crate::exit::Failure;
use crate::node_url::NodeUrl;
use crate::pin;
use crate::sources;
use crate::telemetry::{LogFormat, Verbosity};

/// The configuration as written; `config/standin.toml` describes each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    node: OneOrMore,
    conference: String,
    extension: Option<String>,
    name: String,
    pin_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    insecure: bool,
    waiting_room_seconds: Option<f64>,
    media: MediaWritten,
    network: NetworkWritten,
    rejoin: RejoinWritten,
    log: LogWritten,
}

/// What is played and kept, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MediaWritten {
    audio: Option<String>,
    video: Option<String>,
    codecs: Vec<String>,
    record: Option<PathBuf>,
    enabled: bool,
}

impl Default for MediaWritten {
    fn default() -> Self {
        Self {
            audio: None,
            video: None,
            codecs: Vec::new(),
            record: None,
            enabled: true,
        }
    }
}

/// How media uses the network, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetworkWritten {
    media_addresses: Vec<String>,
    media_ports: Option<String>,
    dscp: Option<String>,
}

/// The pauses before joining again, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RejoinWritten {
    first_seconds: f64,
    longest_seconds: f64,
}

/// What is logged, as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogWritten {
    format: LogFormat,
    level: Level,
}

/// A level of the log, as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// A list, or its one element alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text, or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
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
            log: LogWritten::default(),
        }
    }
}

impl Default for RejoinWritten {
    fn default() -> Self {
        Self {
            first_seconds: 0.5,
            longest_seconds: 30.0,
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

/// What `standin run` is to do, checked, with its media opened.
#[derive(Debug)]
pub(crate) struct RunSettings {
    /// Where to go and as whom.
    pub(crate) destination: Destination,
    /// What is played over and over, if anything.
    pub(crate) material: Option<Arc<Material>>,
    /// The video codecs to offer, best first; `None` for all.
    pub(crate) codecs: Option<Vec<Codec>>,
    /// Where what is heard and seen is kept.
    pub(crate) record: Option<PathBuf>,
    /// Whether there is a call at all.
    pub(crate) media: bool,
    /// What happens after a loss of the conference.
    pub(crate) rejoin: Rejoin,
    /// How long one waits to be let in.
    pub(crate) waiting_room_limit: Option<Duration>,
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

    /// Returns how to log.
    pub(crate) fn log(&self) -> LogSettings {
        LogSettings {
            format: self.log.format,
            verbosity: self.log.level.into(),
        }
    }

    /// Checks every value, and opens what is to be played; opens no socket.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<RunSettings, Failure> {
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
        let pin_file = self.pin_file.as_deref().map(|path| file.resolve(path));
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
        let source = |key: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => sources::parse(text, |path: &Path| file.resolve(path))
                .map(Some)
                .map_err(|error| wrong(key, &error)),
        };
        let audio = source("media.audio", &self.media.audio)?;
        let video = source("media.video", &self.media.video)?;

        if !self.media.enabled
            && (audio.is_some() || video.is_some() || self.media.record.is_some())
        {
            return Err(wrong(
                "media.enabled",
                &"there is no call to play or record in: remove the sources and the recording",
            ));
        }
        let network = self.network.check(&wrong)?;

        warn_of_plain_http(&nodes);
        Ok(RunSettings {
            destination: Destination {
                client: HttpClient::new(&tls).map_err(|error| wrong("ca_file", &error))?,
                nodes: nodes.iter().map(NodeUrl::address).collect(),
                conference,
                extension: self.extension.clone(),
                display_name: self.name.clone(),
                pin: pin::find(pin_file.as_deref()).map_err(|error| wrong("pin_file", &error))?,
                // Good for one time, which is not what a service is for.
                one_time_token: None,
                network,
            },
            material: sources::open(audio.as_ref(), video.as_ref()).map_err(|error| {
                let key = if video.is_none() {
                    "media.audio"
                } else {
                    "media"
                };
                wrong(key, &error)
            })?,
            media: self.media.enabled,
            codecs: sources::codecs(&self.media.codecs)
                .map_err(|error| wrong("media.codecs", &error))?,
            record: self.media.record.as_deref().map(|path| file.resolve(path)),
            rejoin,
            waiting_room_limit,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::tests::documented;

    fn failure(text: &str) -> String {
        let file = ConfigFile::of("meet.toml", text);
        let written: Written = file.decode().expect("readable");
        written.check(&file).expect_err("wrong").to_string()
    }

    #[test]
    fn the_sample_documents_every_key_at_its_default() {
        let (file, keys) = documented("config/standin.toml");
        let written: Written = file.decode().expect("readable");

        let sample = Written {
            node: OneOrMore::One("https://node.example.com".to_owned()),
            conference: "meet".to_owned(),
            ..Written::default()
        };
        assert_eq!(written, sample);
        assert_eq!(
            keys,
            [
                "ca_file",
                "conference",
                "extension",
                "insecure",
                "log.format",
                "log.level",
                "media.audio",
                "media.enabled",
                "media.record",
                "media.video",
                "name",
                "network.dscp",
                "network.media_addresses",
                "network.media_ports",
                "node",
                "pin_file",
                "rejoin.first_seconds",
                "rejoin.longest_seconds",
                "waiting_room_seconds",
            ]
        );
    }

    #[test]
    fn the_sample_can_be_used_as_it_is() {
        let file = ConfigFile::read(Path::new("config/standin.toml")).expect("readable");
        let settings = Written::decode_for_test(&file).check(&file).expect("good");

        assert_eq!(settings.destination.conference.as_str(), "meet");
    }

    #[test]
    fn a_wrong_value_is_named_with_file_line_and_key() {
        assert_eq!(
            failure("conference = 'meet'\nnode = 'sip://node'\n"),
            "meet.toml:2: `node`: \"sip://node\": a node speaks http or https: write https://host"
        );
        assert!(
            failure("conference = 'meet'\n").starts_with("meet.toml: `node`: no node is named")
        );
        assert!(
            failure("node = 'n'\nconference = ''\n").starts_with("meet.toml:2: `conference`: ")
        );
        let text = "node = 'n'\nconference = 'm'\n[rejoin]\nfirst_seconds = -1\n";
        assert!(failure(text).starts_with("meet.toml:4: `rejoin.first_seconds`: -1 is no time"));
    }

    #[test]
    fn what_media_may_use_of_the_network_is_checked() {
        let complaint = |lines: &str| failure(&format!("node = 'n'\nconference = 'm'\n{lines}"));
        let network = |line: &str| complaint(&format!("[network]\n{line}\n"));

        assert!(network("media_ports = '9-8'").starts_with("meet.toml:4: `network.media_ports`: "));
        assert!(network("dscp = 'voice'").starts_with("meet.toml:4: `network.dscp`: no DSCP"));
        assert!(network("media_addresses = ['eth0']").contains("\"eth0\" is no address"));
        assert!(
            complaint("[media]\nenabled = false\naudio = 'tone'\n").contains("there is no call")
        );
    }

    #[test]
    fn a_missing_recording_is_found_before_joining() {
        let text = "node = 'n'\nconference = 'm'\n[media]\naudio = 'missing.ogg'\n";
        let failure = failure(text);

        assert!(
            failure.starts_with("meet.toml:4: `media.audio`: "),
            "{failure}"
        );
        assert!(failure.contains("missing.ogg"), "{failure}");
    }

    #[test]
    fn relative_paths_begin_at_the_file() {
        let file = ConfigFile::of("/etc/standin/meet.toml", "");

        assert_eq!(
            file.resolve(Path::new("a.ogg")),
            Path::new("/etc/standin/a.ogg")
        );
        assert_eq!(
            file.resolve(Path::new("/srv/a.ogg")),
            Path::new("/srv/a.ogg")
        );
    }

    impl Written {
        fn decode_for_test(file: &ConfigFile) -> Self {
            file.decode().expect("readable")
        }
    }
}
