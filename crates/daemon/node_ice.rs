//! The STUN and TURN servers the practice node hands out, as written in its file.

use infinity::{Credential, StunServer, TurnServer};
use node::IceServers;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A TURN server as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnWritten {
    urls: Vec<String>,
    #[serde(default)]
    username: String,
    #[serde(
        default,
        deserialize_with = "hidden",
        skip_serializing_if = "Option::is_none"
    )]
    credential: Option<Credential>,
    #[serde(default)]
    with: Answer,
}

/// The answer a TURN server is handed out in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    #[default]
    RequestToken,
    Calls,
}

/// Reads a password; what stands there instead is not repeated.
pub(crate) fn hidden<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Credential>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => Ok(Some(Credential::new(text))),
        _ => Err(D::Error::custom("a password is a text, in quotes")),
    }
}

/// Sorts what is written by the answers it goes into.
pub(crate) fn ice_servers(stun: &[String], turn: &[TurnWritten], relay_only: bool) -> IceServers {
    let with = |answer| {
        turn.iter()
            .filter(move |one| one.with == answer)
            .map(|one| TurnServer {
                urls: one.urls.clone(),
                username: one.username.clone(),
                credential: one.credential.clone(),
            })
            .collect()
    };
    IceServers {
        stun: stun
            .iter()
            .map(|url| StunServer { url: url.clone() })
            .collect(),
        turn: with(Answer::RequestToken),
        turn_with_calls: with(Answer::Calls),
        use_relay_candidates_only: relay_only,
    }
}

#[cfg(test)]
mod tests {
    use crate::config_file::ConfigFile;
    use crate::node_settings::NodeWritten;

    fn decode(text: &str) -> Result<NodeWritten, String> {
        let file = ConfigFile::of("node.toml", text);
        file.decode().map_err(|error| error.to_string())
    }

    #[test]
    fn servers_are_sorted_by_the_answer_they_go_into() {
        let written = decode(
            "stun = ['stun:192.0.2.1']\nuse_relay_candidates_only = true\n\
             [[turn]]\nurls = ['turn:192.0.2.1']\nusername = 'u'\ncredential = 'hunter2'\n\
             [[turn]]\nurls = ['turns:192.0.2.1:443']\nwith = 'calls'\n",
        );
        let ice = written
            .expect("readable")
            .check()
            .expect("good")
            .ice_servers;

        assert_eq!(ice.stun[0].url, "stun:192.0.2.1");
        assert_eq!(ice.turn[0].urls, ["turn:192.0.2.1"]);
        assert_eq!(
            ice.turn[0].credential.as_ref().map(|one| one.expose()),
            Some("hunter2")
        );
        assert_eq!(ice.turn_with_calls[0].urls, ["turns:192.0.2.1:443"]);
        assert!(ice.use_relay_candidates_only);
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_repeated() {
        let error =
            decode("[[turn]]\nurls = ['turn:a']\ncredential = 4711\n").expect_err("a number");

        assert!(error.starts_with("node.toml:3"), "{error}");
        assert!(
            error.contains("in quotes") && !error.contains("4711"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_server_is_found_at_its_key() {
        let key = |text| {
            let written = decode(text).expect("readable");
            written.check().expect_err("wrong").key
        };
        assert_eq!(key("stun = ['192.0.2.1']"), "stun");
        assert_eq!(key("turn = [{ urls = ['192.0.2.1'] }]"), "turn");
        assert_eq!(key("turn = [{ urls = [] }]"), "turn");
        assert_eq!(
            key("use_relay_candidates_only = true"),
            "use_relay_candidates_only"
        );
    }
}
