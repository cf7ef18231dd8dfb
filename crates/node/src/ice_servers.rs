//! The STUN and TURN servers a node hands out to its clients.

use infinity::{StunServer, TurnServer};

use crate::settings::SettingsError;

/// What clients are told to gather candidates with; nothing unless set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServers {
    /// STUN servers, in the answer to `request_token`.
    pub stun: Vec<StunServer>,
    /// TURN servers, in the answer to `request_token`.
    pub turn: Vec<TurnServer>,
    /// TURN servers, in the answer to `calls`: for a client whose media found no way without.
    pub turn_with_calls: Vec<TurnServer>,
    /// Whether media may go through a TURN server alone.
    pub use_relay_candidates_only: bool,
}

impl IceServers {
    /// Checks that each URI is one.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        for server in &self.stun {
            check_uri(&server.url, &["stun", "stuns"])?;
        }
        for server in self.turn.iter().chain(&self.turn_with_calls) {
            if server.urls.is_empty() {
                return Err(SettingsError::TurnWithoutUri);
            }
            for uri in &server.urls {
                check_uri(uri, &["turn", "turns"])?;
            }
        }
        let has_turn = !(self.turn.is_empty() && self.turn_with_calls.is_empty());
        if self.use_relay_candidates_only && !has_turn {
            return Err(SettingsError::RelayWithoutTurn);
        }
        Ok(())
    }
}

/// Checks a URI of STUN (RFC 7064) or TURN (RFC 7065).
fn check_uri(uri: &str, schemes: &[&str]) -> Result<(), SettingsError> {
    let is_good = || {
        let (scheme, rest) = uri.split_once(':')?;
        let (place, query) = rest
            .split_once('?')
            .map_or((rest, None), |(place, query)| (place, Some(query)));
        let transport = query.is_none_or(|query| {
            schemes[0] == "turn" && matches!(query, "transport=udp" | "transport=tcp")
        });
        // An IPv6 address stands in brackets.
        let (host, port) = match place.strip_prefix('[') {
            Some(place) => {
                let (host, port) = place.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (host, port)
            }
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        let port = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().ok()? > 0;
        let host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
        Some(schemes.contains(&scheme) && transport && port && host)
    };
    if is_good() == Some(true) {
        Ok(())
    } else {
        Err(SettingsError::IceUri {
            uri: uri.to_owned(),
            scheme: if schemes[0] == "turn" { "turn" } else { "stun" },
        })
    }
}

#[cfg(test)]
mod tests {
    use infinity::Credential;

    use super::*;

    fn turn(uri: &str) -> IceServers {
        IceServers {
            turn: vec![TurnServer {
                urls: vec![uri.to_owned()],
                username: "u".to_owned(),
                credential: Some(Credential::new("hunter2")),
            }],
            ..IceServers::default()
        }
    }

    #[test]
    fn uris_are_told_from_what_is_none() {
        for good in [
            "turn:turn.example.com",
            "turns:turn.example.com:443?transport=tcp",
            "turn:[2001:db8::1]:3478?transport=udp",
        ] {
            assert_eq!(turn(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "turn:",
            "stun:stun.example.com",
            "turn.example.com:3478",
            "turn:turn.example.com:0",
            "turn:turn.example.com:port",
            "turn://turn.example.com",
            "turn:turn.example.com?transport=sctp",
            "turn:[2001:db8::1",
        ] {
            assert!(turn(bad).check().is_err(), "{bad}");
        }
        let stun = |uri: &str| IceServers {
            stun: vec![StunServer {
                url: uri.to_owned(),
            }],
            ..IceServers::default()
        };
        assert_eq!(stun("stun:192.0.2.1:3478").check(), Ok(()));
        assert!(stun("stun:192.0.2.1?transport=udp").check().is_err());
    }

    #[test]
    fn relays_alone_need_a_relay() {
        let alone = IceServers {
            use_relay_candidates_only: true,
            ..IceServers::default()
        };
        assert_eq!(alone.check(), Err(SettingsError::RelayWithoutTurn));
        let with = IceServers {
            use_relay_candidates_only: true,
            ..turn("turn:turn.example.com")
        };
        assert_eq!(with.check(), Ok(()));
    }

    #[test]
    fn a_password_does_not_print_itself() {
        let printed = format!("{:?}", turn("turn:turn.example.com"));
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
