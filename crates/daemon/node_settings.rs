//! The practice node's settings: as written in a file or on the command line, and as checked.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use infinity::{Credential, Profile};
use media::Codec;
use node::{ConferenceSettings, Fault, HttpCredentials, NodeSettings, SettingsError, TlsIdentity};
use serde::{Deserialize, Serialize};

use crate::node_ice::{TurnWritten, hidden, ice_servers};

/// How an address is written that is not to be listened on.
const OFF: &str = "off";

/// The settings as written; `config/node.toml` describes each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NodeWritten {
    pub(crate) https: String,
    pub(crate) http: String,
    pub(crate) conferences: Vec<String>,
    pub(crate) profile: String,
    pub(crate) video_codecs: Vec<String>,
    pub(crate) faults: Vec<String>,
    pub(crate) token_seconds: u64,
    pub(crate) waiting_room_seconds: u64,
    pub(crate) media_addresses: Vec<String>,
    pub(crate) stun: Vec<String>,
    pub(crate) turn: Vec<TurnWritten>,
    pub(crate) use_relay_candidates_only: bool,
    pub(crate) http_user: Option<String>,
    #[serde(deserialize_with = "hidden")]
    pub(crate) http_password: Option<Credential>,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) operator_token_file: Option<PathBuf>,
}

/// A value that makes no sense, by its key.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct WrongValue {
    /// The key, as in the file; the flag has the same name.
    pub(crate) key: &'static str,
    /// What is wrong with it and what to write instead.
    pub(crate) what: String,
}

impl NodeWritten {
    /// Keys by which a file for a practice node is told from one for a participant.
    pub(crate) const MARKS: [&'static str; 5] =
        ["https", "http", "conferences", "profile", "faults"];

    /// Checks every value; opens no socket.
    pub(crate) fn check(&self) -> Result<NodeSettings, WrongValue> {
        let settings = NodeSettings {
            https: address("https", &self.https)?,
            http: address("http", &self.http)?,
            conferences: all("conferences", &self.conferences, |text| {
                text.parse::<ConferenceSettings>()
            })?,
            profile: wrong("profile", node::settings::profile(&self.profile))?,
            video_codecs: wrong(
                "video_codecs",
                Codec::video_list(self.video_codecs.iter().map(String::as_str)),
            )?,
            faults: all("faults", &self.faults, |text| text.parse::<Fault>())?
                .into_iter()
                .collect(),
            token_life: Duration::from_secs(self.token_seconds),
            waiting_room_life: Duration::from_secs(self.waiting_room_seconds),
            media_addresses: all("media_addresses", &self.media_addresses, |text| {
                text.parse::<IpAddr>().map_err(|_| {
                    format!("{text:?} is no address of this machine, such as 192.0.2.7")
                })
            })?,
            ice_servers: ice_servers(&self.stun, &self.turn, self.use_relay_candidates_only),
            http_credentials: match (&self.http_user, &self.http_password) {
                (None, None) => None,
                (Some(user), Some(password)) => Some(HttpCredentials {
                    user: user.clone(),
                    password: password.clone(),
                }),
                (Some(_), None) | (None, Some(_)) => {
                    return Err(WrongValue {
                        key: "http_user",
                        what: "a user needs a password and a password its user: give both http_user and http_password"
                            .to_owned(),
                    });
                }
            },
            headers_within: NodeSettings::default().headers_within,
            patience: NodeSettings::default().patience,
            tls: match (&self.tls_cert, &self.tls_key) {
                (None, None) => TlsIdentity::SelfMade,
                (Some(certificate), Some(key)) => TlsIdentity::Files {
                    certificate: certificate.clone(),
                    key: key.clone(),
                },
                (Some(_), None) | (None, Some(_)) => {
                    return Err(WrongValue {
                        key: "tls_cert",
                        what: "a certificate needs its key and a key its certificate: give both tls_cert and tls_key"
                            .to_owned(),
                    });
                }
            },
            // Read, or made, when the node starts.
            operator_token: None,
            seed: None,
        };
        settings.check().map_err(|error| WrongValue {
            key: key_of(&error),
            what: error.to_string(),
        })?;
        Ok(settings)
    }
}

impl Default for NodeWritten {
    fn default() -> Self {
        let settings = NodeSettings::default();
        let written = |address: Option<SocketAddr>| {
            address.map_or(OFF.to_owned(), |address| address.to_string())
        };
        Self {
            https: written(settings.https),
            http: written(settings.http),
            conferences: settings
                .conferences
                .iter()
                .map(|conference| conference.alias.to_string())
                .collect(),
            profile: profile_name(settings.profile).to_owned(),
            video_codecs: settings
                .video_codecs
                .iter()
                .map(|codec| codec.name().to_owned())
                .collect(),
            faults: Vec::new(),
            token_seconds: settings.token_life.as_secs(),
            waiting_room_seconds: settings.waiting_room_life.as_secs(),
            media_addresses: Vec::new(),
            stun: Vec::new(),
            turn: Vec::new(),
            use_relay_candidates_only: false,
            http_user: None,
            http_password: None,
            tls_cert: None,
            tls_key: None,
            operator_token_file: None,
        }
    }
}

/// Returns the key that a complaint about the whole is about.
fn key_of(error: &SettingsError) -> &'static str {
    match error {
        SettingsError::ServesNothing => "https",
        SettingsError::PlainHttpInTheOpen(_) => "http",
        SettingsError::TokenLife(_) => "token_seconds",
        SettingsError::NotVideo(_) | SettingsError::NoVideoCodec => "video_codecs",
        SettingsError::UnknownProfile(_) => "profile",
        SettingsError::IceUri { scheme: "stun", .. } => "stun",
        SettingsError::IceUri { .. } | SettingsError::TurnWithoutUri => "turn",
        SettingsError::HttpUser => "http_user",
        SettingsError::RelayWithoutTurn => "use_relay_candidates_only",
        SettingsError::NoConference
        | SettingsError::AliasTwice(_)
        | SettingsError::Conference { .. }
        | _ => "conferences",
    }
}

/// Returns the name a profile goes by.
pub(crate) fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::V10 => "v10",
        Profile::Modern => "modern",
    }
}

fn address(key: &'static str, text: &str) -> Result<Option<SocketAddr>, WrongValue> {
    if text == OFF {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| WrongValue {
        key,
        what: format!("{text:?} is no address with a port: write for example 127.0.0.1:8443, [::1]:8443, or {OFF}"),
    })
}

fn all<T, E: ToString>(
    key: &'static str,
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, WrongValue> {
    texts.iter().map(|text| wrong(key, parse(text))).collect()
}

fn wrong<T, E: ToString>(key: &'static str, result: Result<T, E>) -> Result<T, WrongValue> {
    result.map_err(|error| WrongValue {
        key,
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::ConfigFile;
    use crate::config_file::tests::documented;

    #[test]
    fn the_sample_documents_every_key_at_its_default() {
        let (file, keys) = documented("config/node.toml");

        assert_eq!(
            file.decode::<NodeWritten>().expect("readable"),
            NodeWritten::default()
        );
        assert_eq!(keys, {
            let mut known: Vec<_> = [
                "https",
                "http",
                "conferences",
                "profile",
                "video_codecs",
                "faults",
                "token_seconds",
                "waiting_room_seconds",
                "media_addresses",
                "stun",
                "turn",
                "use_relay_candidates_only",
                "http_user",
                "http_password",
                "tls_cert",
                "tls_key",
                "operator_token_file",
            ]
            .map(str::to_owned)
            .into();
            known.sort();
            known
        });
    }

    #[test]
    fn the_defaults_are_those_of_the_node() {
        let settings = NodeWritten::default().check().expect("good defaults");

        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", NodeSettings::default())
        );
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let key = |written: NodeWritten| written.check().expect_err("wrong").key;

        assert_eq!(
            key(NodeWritten {
                https: "8443".to_owned(),
                ..NodeWritten::default()
            }),
            "https"
        );
        assert_eq!(
            key(NodeWritten {
                faults: vec!["noise".to_owned()],
                ..NodeWritten::default()
            }),
            "faults"
        );
        assert_eq!(
            key(NodeWritten {
                tls_key: Some("key.pem".into()),
                ..NodeWritten::default()
            }),
            "tls_cert"
        );
    }

    #[test]
    fn a_node_can_be_told_from_a_participant() {
        let file = ConfigFile::of("node.toml", "faults = ['silent']\n");

        assert!(NodeWritten::MARKS.iter().any(|key| file.has_key(key)));
    }
}
