//! The settings of `standin load`: as written in a scenario or on the command line, and as checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driver::{HttpClient, Impairment, Material, Network, Tls};
use infinity::ConferenceAlias;
use load::{Connections, GeneratorLimits, Ramp, Roles, Scenario, ScenarioError, Threshold};
use media::SourceSpec;
use serde::{Deserialize, Serialize};

use crate::node_settings::WrongValue;
use crate::node_url::NodeUrl;
use crate::{destination, pin, sources};

/// Stands for the number of a conference, and of a caller.
const NUMBER: &str = "{n}";

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
    pub(crate) seed: u64,
    pub(crate) most_callers: usize,
    pub(crate) threads: usize,
    pub(crate) thresholds: Vec<String>,
    pub(crate) knee_step: usize,
    pub(crate) generator_cpu_percent: f64,
    pub(crate) generator_late_ms: f64,
    pub(crate) generator_timer_ms: f64,
    pub(crate) generator_descriptors_percent: f64,
    pub(crate) generator_drops_percent: f64,
    pub(crate) report: Option<PathBuf>,
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
            generator_drops_percent: limits.socket_drops * 100.0,
            report: None,
        }
    }
}

/// What `standin load` is to do, checked, with its media opened.
#[derive(Debug)]
pub(crate) struct LoadSettings {
    /// Who comes when.
    pub(crate) scenario: Scenario,
    /// What it is judged by.
    pub(crate) thresholds: Vec<Threshold>,
    /// Whom callers believe to be the node.
    pub(crate) client: HttpClient,
    /// How HTTP connections are used.
    pub(crate) connections: Connections,
    /// What talkers play.
    pub(crate) sound: Option<Arc<Material>>,
    /// What video senders play.
    pub(crate) picture: Option<Arc<Material>>,
    /// How media uses the network.
    pub(crate) network: Network,
    /// What the generator can take.
    pub(crate) limits: GeneratorLimits,
    /// How many threads callers run on.
    pub(crate) threads: usize,
    /// How many participants each conference gets more from level to level; 0 for one level alone.
    pub(crate) knee_step: usize,
    /// Where the report goes.
    pub(crate) report: Option<PathBuf>,
}

impl LoadWritten {
    /// Keys by which a scenario is told from other configurations.
    pub(crate) const MARKS: [&'static str; 4] = ["participants", "hold_seconds", "ramp", "allow"];

    /// Lets relative paths begin where `resolve` says.
    pub(crate) fn resolve(&mut self, resolve: impl Fn(&Path) -> PathBuf) {
        for path in [&mut self.pin_file, &mut self.ca_file, &mut self.report] {
            *path = path.as_deref().map(&resolve);
        }
        for source in [&mut self.audio, &mut self.video] {
            if let Some(text) = source.as_deref()
                && let Ok(SourceSpec::File(path)) = text.parse()
            {
                *source = Some(resolve(&path).to_string_lossy().into_owned());
            }
        }
    }

    /// Checks every value, and opens what is to be played; opens no socket.
    pub(crate) fn check(&self) -> Result<LoadSettings, WrongValue> {
        let nodes = all("nodes", &self.nodes, |text| text.parse::<NodeUrl>())?;
        let mut scenario = Scenario::new(
            nodes.iter().map(NodeUrl::address).collect(),
            self.aliases()?,
        );
        scenario.allow.clone_from(&self.allow);
        scenario.participants = self.participants;
        scenario.roles = Roles {
            talkers: self.talkers,
            video_senders: self.video_senders,
            churners: self.churners,
        };
        if self.name.trim().is_empty() {
            return Err(wrong("name", "the name in the roster is empty: give one"));
        }
        scenario.display_name.clone_from(&self.name);
        scenario.video = self.with_video || self.video.is_some() || self.video_senders > 0;
        scenario.ramp = self.ramp()?;
        scenario.hold = seconds("hold_seconds", self.hold_seconds)?;
        scenario.stay = seconds("stay_seconds", self.stay_seconds)?;
        scenario.away = seconds("away_seconds", self.away_seconds)?;
        let turn = seconds("turn_seconds", self.turn_seconds)?;
        scenario.turn = (!turn.is_zero()).then_some(turn);
        scenario.impairment = Impairment {
            loss: share("loss_percent", self.loss_percent)?,
            delay: milliseconds("delay_ms", self.delay_ms)?,
            jitter: milliseconds("jitter_ms", self.jitter_ms)?,
            rate: (self.rate_kbit > 0).then_some(self.rate_kbit.saturating_mul(1000)),
            seed: 0,
        };
        scenario.impaired_share = share("impaired_percent", self.impaired_percent)?;
        scenario.seed = self.seed;
        scenario.most_callers = self.most_callers;
        scenario.check().map_err(|error| WrongValue {
            key: key_of(&error),
            what: error.to_string(),
        })?;

        scenario.pin =
            pin::find(self.pin_file.as_deref()).map_err(|error| wrong("pin_file", error))?;
        let tls = match &self.ca_file {
            Some(_) if self.insecure => {
                let what = "ca_file and insecure exclude each other: remove one";
                return Err(wrong("insecure", what));
            }
            _ if self.insecure => Tls::Insecure,
            Some(path) => Tls::CaFile(path.clone()),
            None => Tls::SystemRoots,
        };
        let source = |key, text: &Option<String>| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse::<SourceSpec>()
                .map(Some)
                .map_err(|error| wrong(key, error)),
        };
        let audio = source("audio", &self.audio)?;
        let video = source("video", &self.video)?;
        let sound = sources::open(audio.as_ref(), None).map_err(|error| wrong("audio", error))?;
        let picture = match &video {
            Some(_) => sources::open(audio.as_ref(), video.as_ref())
                .map_err(|error| wrong("video", error))?,
            None => sound.clone(),
        };
        destination::warn_of_plain_http(&nodes);
        Ok(LoadSettings {
            thresholds: all("thresholds", &self.thresholds, |text| {
                text.parse::<Threshold>()
            })?,
            client: HttpClient::new(&tls).map_err(|error| wrong("ca_file", error))?,
            connections: match self.connections.as_str() {
                "per_caller" => Connections::PerCaller,
                "shared" => Connections::Shared,
                other => {
                    let what = format!("{other:?} is neither \"per_caller\" nor \"shared\"");
                    return Err(wrong("connections", what));
                }
            },
            sound,
            picture,
            network: Network {
                addresses: all("media_addresses", &self.media_addresses, |text| {
                    text.parse().map_err(|_| {
                        format!("{text:?} is no address of this machine, such as 192.0.2.7")
                    })
                })?,
                ..Network::default()
            },
            limits: self.limits()?,
            threads: self.threads.clamp(1, 256),
            knee_step: self.knee_step,
            report: self.report.clone(),
            scenario,
        })
    }

    fn aliases(&self) -> Result<Vec<ConferenceAlias>, WrongValue> {
        if self.conferences > 1 && !self.conference.contains(NUMBER) {
            let what = format!(
                "{} conferences need different aliases: put {NUMBER} where the number goes, as in \
                 \"load-{NUMBER}\"",
                self.conferences
            );
            return Err(wrong("conference", what));
        }
        if self.conferences > self.most_callers {
            return Err(wrong(
                "conferences",
                "there are more conferences than most_callers allows callers",
            ));
        }
        (1..=self.conferences)
            .map(|n| self.conference.replace(NUMBER, &n.to_string()))
            .map(|alias| alias.parse().map_err(|error| wrong("conference", error)))
            .collect()
    }

    fn ramp(&self) -> Result<Ramp, WrongValue> {
        Ok(match self.ramp.as_str() {
            "rate" if self.rate.is_finite() && self.rate > 0.0 => Ramp::Rate {
                per_second: self.rate,
            },
            "rate" => {
                let what = format!(
                    "{} callers a second never come: give more than 0",
                    self.rate
                );
                return Err(wrong("rate", what));
            }
            "steps" if self.step_callers > 0 => Ramp::Steps {
                callers: self.step_callers,
                every: seconds("step_seconds", self.step_seconds)?,
            },
            "steps" => return Err(wrong("step_callers", "a step needs at least one caller")),
            "spike" => Ramp::Spike,
            "soak" => Ramp::Soak {
                over: seconds("soak_seconds", self.soak_seconds)?,
            },
            other => {
                let what =
                    format!("no ramp is called {other:?}: choose rate, steps, spike or soak");
                return Err(wrong("ramp", what));
            }
        })
    }

    fn limits(&self) -> Result<GeneratorLimits, WrongValue> {
        Ok(GeneratorLimits {
            cpu: share("generator_cpu_percent", self.generator_cpu_percent)?,
            late_p99: milliseconds("generator_late_ms", self.generator_late_ms)?,
            timer_p99: milliseconds("generator_timer_ms", self.generator_timer_ms)?,
            descriptors: share(
                "generator_descriptors_percent",
                self.generator_descriptors_percent,
            )?,
            socket_drops: share("generator_drops_percent", self.generator_drops_percent)?,
        })
    }
}

fn wrong(key: &'static str, what: impl ToString) -> WrongValue {
    WrongValue {
        key,
        what: what.to_string(),
    }
}

/// Returns the key that a complaint about the whole is about.
fn key_of(error: &ScenarioError) -> &'static str {
    match error {
        ScenarioError::NoNode | ScenarioError::NotAllowed { .. } => "nodes",
        ScenarioError::TooManyRoles { .. } | ScenarioError::Nobody => "participants",
        ScenarioError::TooMany { .. } => "most_callers",
        ScenarioError::ChurnWithoutStay => "stay_seconds",
        ScenarioError::VideoWithoutVideo => "video_senders",
        _ => "nodes",
    }
}

fn all<T, E: ToString>(
    key: &'static str,
    texts: &[String],
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, WrongValue> {
    texts
        .iter()
        .map(|text| {
            read(text).map_err(|error| wrong(key, format!("{text:?}: {}", error.to_string())))
        })
        .collect()
}

fn seconds(key: &'static str, value: f64) -> Result<Duration, WrongValue> {
    // A hundred years: longer than anything may last, and far from what times cannot tell.
    let most = Duration::from_secs(100 * 365 * 86_400);
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|time| *time <= most)
        .ok_or_else(|| wrong(key, format!("{value} is no time: give 0 or more")))
}

fn milliseconds(key: &'static str, value: f64) -> Result<Duration, WrongValue> {
    seconds(key, value / 1000.0)
}

fn share(key: &'static str, percent: f64) -> Result<f64, WrongValue> {
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(wrong(key, format!("{percent} is no share: give 0 to 100")))
    }
}

#[cfg(test)]
mod tests {
    use crate::config_file::ConfigFile;
    use crate::config_file::tests::documented;

    use super::*;

    fn check(text: &str) -> Result<LoadSettings, String> {
        let file = ConfigFile::of("test.toml", text);
        let mut written: LoadWritten = file.decode().map_err(|error| error.to_string())?;
        written.resolve(|path| file.resolve(path));
        written
            .check()
            .map_err(|wrong| file.complain(wrong.key, wrong.what).to_string())
    }

    #[test]
    fn the_documented_scenario_says_every_default() {
        let (file, keys) = documented("config/load.toml");
        let written: LoadWritten = file.decode().expect("readable");
        let expected = LoadWritten {
            nodes: vec!["http://127.0.0.1:8080".to_owned()],
            ..LoadWritten::default()
        };
        assert_eq!(written, expected);
        let all = serde_json::to_value(LoadWritten::default()).expect("an object");
        let all: Vec<_> = all
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        let mut keys = keys;
        keys.sort();
        assert_eq!(keys, all);
    }

    #[test]
    fn the_documented_scenario_can_be_run() {
        let file = ConfigFile::read(Path::new("config/load.toml")).expect("readable");
        let written: LoadWritten = file.decode().expect("readable");
        let settings = written.check().expect("complete");
        assert_eq!(settings.scenario.callers(), 10);
    }

    #[test]
    fn mistakes_are_named_by_line_and_key() {
        let cases = [
            (
                "nodes = [\"http://127.0.0.1\"]\nrate = 0",
                "test.toml:2: `rate`:",
            ),
            (
                "nodes = [\"http://127.0.0.1\"]\nramp = \"cliff\"",
                "choose rate, steps, spike or soak",
            ),
            (
                "nodes = [\"http://127.0.0.1\"]\nloss_percent = 101",
                "`loss_percent`: 101 is no share",
            ),
            (
                "nodes = [\"http://127.0.0.1\"]\nconferences = 2\nconference = \"meet\"",
                "{n}",
            ),
            (
                "nodes = [\"http://127.0.0.1\"]\nthresholds = [\"join.totals < 2s\"]",
                "thresholds",
            ),
            ("nodes = [\"https://192.0.2.7\"]", "allow = [\"192.0.2.7\"]"),
            (
                "nodes = [\"http://127.0.0.1\"]\nparticipants = 2000",
                "most_callers",
            ),
            ("participants = 3", "no node is given"),
            ("talker = 3", "unknown field"),
        ];
        for (text, wanted) in cases {
            let error = check(text).expect_err(text);
            assert!(error.contains(wanted), "{text}\n{error}");
        }
    }
}
