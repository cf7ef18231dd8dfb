//! What a node does for its clients, piece by piece, so that a piece can be left out.

use std::fmt;
use std::str::FromStr;

use infinity::{Event, Path};

/// Stands for any uuid or alias in a path.
const ANY: &str = "any";

/// A request that a node answers, or an event that it sends.
///
/// Requests are named by their path without what differs from one to the next: `status`, `lock`,
/// `participants/mute`, `calls`, `calls/ack`. Events have `event/` before their name: `event/stage`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handler(String);

impl Handler {
    /// Returns what answers requests to `path`.
    pub fn of(path: &Path) -> Self {
        let path = path.encode();
        let segments: Vec<&str> = path.trim_end_matches('/').split('/').skip(4).collect();
        Self(match segments.as_slice() {
            ["conferences", _, "participants", _, "calls", _, rest @ ..] => {
                format!("calls/{}", rest.join("/"))
            }
            ["conferences", _, "participants", _, "calls"] => "calls".to_owned(),
            ["conferences", _, "participants", _, rest @ ..] => {
                format!("participants/{}", rest.join("/"))
            }
            ["conferences", _, rest @ ..] => rest.join("/"),
            rest => rest.join("/"),
        })
    }

    /// Returns what sends events called `name`.
    pub fn of_event(name: &str) -> Self {
        Self(format!("event/{name}"))
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A handler was named that no node has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a node has no {name:?} that it could do without: name a request, such as `lock`, \
     `participants/mute` or `calls/ack`, or an event, such as `event/stage`"
)]
pub struct UnknownHandler {
    name: String,
}

impl FromStr for Handler {
    type Err = UnknownHandler;

    fn from_str(name: &str) -> Result<Self, UnknownHandler> {
        let handler = Self(name.to_owned());
        let is_known = match name.strip_prefix("event/") {
            Some(event) => !matches!(Event::decode(event, ""), Ok(Event::Unknown { .. })),
            None => paths(name).any(|path| Self::of(&path) == handler),
        };
        if is_known {
            Ok(handler)
        } else {
            Err(UnknownHandler {
                name: name.to_owned(),
            })
        }
    }
}

/// The paths that may be meant by a name.
fn paths(name: &str) -> impl Iterator<Item = Path> {
    let own = format!("conferences/{ANY}/participants/{ANY}");
    let below_calls = name.replacen("calls", &format!("calls/{ANY}"), 1);
    let below_participants = name.trim_start_matches("participants/");
    [
        name.to_owned(),
        format!("conferences/{ANY}/{name}"),
        // The API writes `theme/`.
        format!("conferences/{ANY}/{name}/"),
        format!("{own}/{name}"),
        format!("{own}/{below_calls}"),
        format!("{own}/{below_participants}"),
    ]
    .into_iter()
    .filter_map(|path| Path::decode(&format!("/api/client/v2/{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_every_level_and_events_have_names() {
        for name in [
            "status",
            "lock",
            "disconnect",
            "participants",
            "participants/disconnect",
            "participants/mute",
            "calls",
            "calls/ack",
            "calls/disconnect",
            "theme",
            "event/stage",
            "event/message",
            "event/message_received",
        ] {
            assert_eq!(
                name.parse().map(|it: Handler| it.to_string()),
                Ok(name.to_owned())
            );
        }
        for name in [
            "",
            "mute",
            "calls/mute",
            "participants/lock",
            "event/",
            "event/mute",
            "stage",
        ] {
            assert!(name.parse::<Handler>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_path_is_answered_by_its_handler_whatever_stands_in_it() {
        let handler = |path: &str| {
            let path = Path::decode(&format!("/api/client/v2/conferences/{path}"));
            Handler::of(&path.expect("a path of the API")).to_string()
        };

        assert_eq!(handler("a%2Fb/lock"), "lock");
        assert_eq!(handler("calls/participants/lock/mute"), "participants/mute");
        assert_eq!(handler("m/participants/p/calls/calls/ack"), "calls/ack");
    }
}
