//! The settings of `standin load`: as written in a scenario or on the command line, and as checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use driver::{HttpClient, Impairment, Material, Network, Tls};
use infinity::ConferenceAlias;
use load::{Connections, GeneratorLimits, Ramp, Roles, Scenario, Threshold, Voice};
use media::SourceSpec;

use crate::node_settings::WrongValue;
use crate::node_url::NodeUrl;
use crate::{destination, pin, sources};

#[cfg(test)]
mod tests;
mod values;
mod voices;
mod written;

use values::{all, key_of, listen, milliseconds, seconds, share, wrong};
pub(crate) use written::LoadWritten;

/// Stands for the number of a conference, and of a caller.
const NUMBER: &str = "{n}";

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
    /// What talkers and video senders play where there are marks.
    pub(crate) voices: Vec<Voice>,
    /// How media uses the network.
    pub(crate) network: Network,
    /// What the generator can take.
    pub(crate) limits: GeneratorLimits,
    /// How many threads callers run on.
    pub(crate) threads: usize,
    /// How many participants each conference gets more from level to level; 0 for one level alone.
    pub(crate) knee_step: usize,
    /// Where the live page is served.
    pub(crate) listen: Option<SocketAddr>,
    /// Where the report goes.
    pub(crate) report: Option<PathBuf>,
}

impl LoadWritten {
    /// Forgets who comes when: that is told while it runs. What callers of each role are like stays.
    pub(super) fn leave_callers_to_others(&mut self) {
        self.with_video |= self.video_senders > 0;
        self.video_senders = 0;
        // One of them each, so that the choices for churners are checked.
        self.churners = 1;
        self.participants = self.talkers.saturating_add(1);
        self.knee_step = 0;
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
        let rate = |kbit: u64| (kbit > 0).then_some(kbit.saturating_mul(1000));
        scenario.impairment = Impairment {
            loss: share("loss_percent", self.loss_percent)?,
            delay: milliseconds("delay_ms", self.delay_ms)?,
            jitter: milliseconds("jitter_ms", self.jitter_ms)?,
            rate: rate(self.rate_kbit),
            ..Impairment::default()
        };
        scenario.inbound_impairment = Impairment {
            loss: share("inbound_loss_percent", self.inbound_loss_percent)?,
            delay: milliseconds("inbound_delay_ms", self.inbound_delay_ms)?,
            jitter: milliseconds("inbound_jitter_ms", self.inbound_jitter_ms)?,
            rate: rate(self.inbound_rate_kbit),
            ..Impairment::default()
        };
        scenario.impaired_share = share("impaired_percent", self.impaired_percent)?;
        scenario.marks = self.marks;
        scenario.decoded = self.decode_callers;
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
            Some(text) => match text.parse::<SourceSpec>() {
                Ok(spec) if spec.is_feed() => {
                    let what = "callers of a load test play files and generators: a live input is for `join` and `run`";
                    Err(wrong(key, what))
                }
                read => read.map(Some).map_err(|error| wrong(key, error)),
            },
        };
        let audio = source("audio", &self.audio)?;
        let video = source("video", &self.video)?;
        let sound = sources::open(audio.as_ref(), None).map_err(|error| wrong("audio", error))?;
        let picture = match &video {
            Some(_) => sources::open(audio.as_ref(), video.as_ref())
                .map_err(|error| wrong("video", error))?,
            None => sound.clone(),
        };
        let late = milliseconds("sound_late_ms", self.sound_late_ms)?;
        let voices = match self.marks {
            true => voices::open(audio.as_ref(), video.as_ref(), scenario.roles, late)?,
            false => Vec::new(),
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
            voices,
            network: Network {
                addresses: all("media_addresses", &self.media_addresses, |text| {
                    text.parse().map_err(|_| {
                        format!("{text:?} is no address of this machine, such as 192.0.2.7")
                    })
                })?,
                relay_only: self.relay_only,
                ..Network::default()
            },
            limits: self.limits()?,
            threads: self.threads.clamp(1, 256),
            knee_step: self.knee_step,
            listen: listen(self.listen.as_deref())?,
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
            memory: share("generator_memory_percent", self.generator_memory_percent)?,
            socket_drops: share("generator_drops_percent", self.generator_drops_percent)?,
        })
    }
}
