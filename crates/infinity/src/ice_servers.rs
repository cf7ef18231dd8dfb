//! The STUN and TURN servers that a node names.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Credential, lenient};

/// A STUN server (RFC 8489).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StunServer {
    /// Its URI, such as `stun:stun.example.com:3478`.
    pub url: String,
}

/// A TURN server (RFC 8656).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TurnServer {
    /// Its URIs, such as `turn:turn.example.com:3478?transport=udp`.
    pub urls: Vec<String>,
    /// The user name.
    pub username: String,
    /// The password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
}

/// A server in any of the spellings seen: one URI or several, as `url` or as `urls`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    url: OneOrMany,
    urls: OneOrMany,
    #[serde(deserialize_with = "lenient::text")]
    username: String,
    credential: Option<Credential>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
    Nothing(()),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Nothing(())
    }
}

impl OneOrMany {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
            Self::Nothing(()) => Vec::new(),
        }
    }
}

impl Written {
    fn uris(&mut self) -> Vec<String> {
        let mut uris = std::mem::take(&mut self.urls).all();
        for uri in std::mem::take(&mut self.url).all() {
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
        uris.retain(|uri| !uri.trim().is_empty());
        uris
    }
}

impl<'de> Deserialize<'de> for TurnServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut written = Written::deserialize(deserializer)?;
        Ok(Self {
            urls: written.uris(),
            username: written.username,
            credential: written.credential,
        })
    }
}

/// Reads a list of servers. A call may do without any: what is none is left out.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> Deserialize<'a>,
{
    let values = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Array(values) => values,
        serde_json::Value::Null => Vec::new(),
        one => vec![one],
    };
    let read = |value| serde_json::from_value(value).ok();
    Ok(values.into_iter().filter_map(read).collect())
}

/// Reads a list of STUN servers, each URI one of its own.
pub(crate) fn stun<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<StunServer>, D::Error> {
    let written: Vec<Written> = list(deserializer)?;
    let uris = written.into_iter().flat_map(|mut server| server.uris());
    Ok(uris.map(|url| StunServer { url }).collect())
}

/// Reads a list of TURN servers.
pub(crate) fn turn<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<TurnServer>, D::Error> {
    list(deserializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stun_servers_in_all_spellings() {
        for value in [
            json!([{ "url": "stun:a" }, { "url": "stun:b" }]),
            json!([{ "urls": "stun:a" }, { "urls": ["stun:b"] }]),
            json!([{ "urls": ["stun:a", "stun:b"], "url": "stun:a" }]),
            json!([{ "url": "stun:a", "username": null }, 7, {}, { "url": null }, { "urls": "stun:b" }]),
        ] {
            let servers = stun(value.clone()).expect("readable");
            let uris: Vec<_> = servers.iter().map(|server| server.url.as_str()).collect();
            assert_eq!(uris, ["stun:a", "stun:b"], "{value}");
        }
        for nothing in [json!(null), json!([]), json!("stun:a"), json!(false)] {
            assert_eq!(stun(nothing).expect("readable"), []);
        }
    }

    #[test]
    fn turn_servers_in_all_spellings() {
        for value in [
            json!([{ "urls": ["turn:a"], "username": "u", "credential": "c" }]),
            json!([{ "urls": "turn:a", "username": "u", "credential": "c" }]),
            json!([{ "url": "turn:a", "username": "u", "credential": "c", "credentialType": "password" }]),
            json!({ "url": "turn:a", "urls": ["turn:a", ""], "username": "u", "credential": "c" }),
            json!([{ "urls": ["turn:a"], "username": "u", "credential": "c" }, { "urls": 7 }]),
        ] {
            let servers = turn(value.clone()).expect("readable");
            let [server] = servers.as_slice() else {
                panic!("{value}: {servers:?}")
            };
            assert_eq!(server.urls, ["turn:a"], "{value}");
            assert_eq!(server.username, "u");
            assert_eq!(server.credential, Some(Credential::new("c")));
        }
    }
}
