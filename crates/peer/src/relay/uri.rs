//! URIs of STUN and TURN servers (RFC 7064, RFC 7065), in all the forms nodes write them.

use std::{fmt, net::Ipv6Addr};

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// What a server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// It tells us our address (STUN).
    Reflect,
    /// It relays (TURN).
    Relay,
}

/// A STUN or TURN URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct IceUri {
    pub(crate) purpose: Purpose,
    pub(crate) transport: Transport,
    /// Name or address; an IPv6 address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a text is no URI of a server we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UriError {
    #[error("it is no STUN or TURN URI, such as turn:turn.example.com:3478?transport=udp")]
    NotOne,
    #[error("{0:?} is no port")]
    Port(String),
    #[error("it names no host")]
    Host,
    #[error("its transport {0:?} is none of udp, tcp and, with turns:, TLS over tcp")]
    Transport(String),
}

impl IceUri {
    /// Reads a URI. Case, spaces around it, slashes after the scheme and unknown parameters do not
    /// matter.
    pub(crate) fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.trim().split_once(':').ok_or(UriError::NotOne)?;
        let (purpose, secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (Purpose::Reflect, false),
            "stuns" => (Purpose::Reflect, true),
            "turn" => (Purpose::Relay, false),
            "turns" => (Purpose::Relay, true),
            _ => return Err(UriError::NotOne),
        };
        let rest = rest.trim_start_matches('/');
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let named = query.split('&').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("transport").then_some(value)
        });
        let transport = match (named.map(str::to_ascii_lowercase).as_deref(), secure) {
            (None | Some("" | "udp"), false) => Transport::Udp,
            (Some("tcp"), false) => Transport::Tcp,
            // RFC 7065 §3.2: the default of turns: is TLS over TCP; DTLS is not spoken.
            (None | Some("" | "tcp" | "tls"), true) => Transport::Tls,
            (Some(other), _) => return Err(UriError::Transport(other.to_owned())),
        };
        let (host, port) = host_and_port(authority.trim_end_matches('/'))?;
        let port = match port {
            None | Some("") if secure => 5349,
            None | Some("") => 3478,
            Some(text) => match text.parse() {
                Ok(port) if port != 0 => port,
                _ => return Err(UriError::Port(text.to_owned())),
            },
        };
        let is_host = !host.is_empty()
            && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "@/[]".contains(c));
        if !is_host {
            return Err(UriError::Host);
        }
        Ok(Self {
            purpose,
            transport,
            host: host.to_owned(),
            port,
        })
    }
}

fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), UriError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UriError::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| UriError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(UriError::Port(rest.to_owned())),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority, None));
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

impl fmt::Display for IceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.purpose, self.transport) {
            (Purpose::Reflect, Transport::Tls) => "stuns",
            (Purpose::Reflect, _) => "stun",
            (Purpose::Relay, Transport::Tls) => "turns",
            (Purpose::Relay, _) => "turn",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}:[{host}]:{port}")?;
        } else {
            write!(f, "{scheme}:{host}:{port}")?;
        }
        match (self.purpose, self.transport) {
            (Purpose::Relay, Transport::Udp) => f.write_str("?transport=udp"),
            (Purpose::Relay, _) => f.write_str("?transport=tcp"),
            (Purpose::Reflect, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(text: &str, canonical: &str, transport: Transport) {
        let uri = IceUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.to_string(), canonical, "{text}");
        assert_eq!(uri.transport, transport, "{text}");
        assert_eq!(IceUri::parse(canonical), Ok(uri), "{text}");
    }

    #[test]
    fn all_forms_nodes_write_are_understood() {
        use Transport::{Tcp, Tls, Udp};
        same("stun:stun.example.com", "stun:stun.example.com:3478", Udp);
        same("stun:192.0.2.1:19302", "stun:192.0.2.1:19302", Udp);
        same("turn:t", "turn:t:3478?transport=udp", Udp);
        same("turn:t:443?transport=tcp", "turn:t:443?transport=tcp", Tcp);
        same("TURN:t:80?Transport=TCP", "turn:t:80?transport=tcp", Tcp);
        same("turns:t", "turns:t:5349?transport=tcp", Tls);
        same(
            " turns:t:443?transport=tcp ",
            "turns:t:443?transport=tcp",
            Tls,
        );
        same("turn://t:3479/", "turn:t:3479?transport=udp", Udp);
        same("turn:t?x=y&transport=udp", "turn:t:3478?transport=udp", Udp);
        same(
            "turn:[2001:db8::1]",
            "turn:[2001:db8::1]:3478?transport=udp",
            Udp,
        );
        same(
            "turns:[2001:db8::1]:443",
            "turns:[2001:db8::1]:443?transport=tcp",
            Tls,
        );
        same(
            "turn:2001:db8::1",
            "turn:[2001:db8::1]:3478?transport=udp",
            Udp,
        );
    }

    #[test]
    fn what_is_none_says_why() {
        use UriError::{Host, NotOne, Port};
        for (text, why) in [
            ("", NotOne),
            ("turn.example.com", NotOne),
            ("https://turn.example.com", NotOne),
            ("turn:", Host),
            ("turn::3478", Host),
            ("turn:user@host", Host),
            ("turn:[::1", Host),
            ("turn:[turn.example.com]", Host),
            ("turn:a b", Host),
            ("turn:t:x", Port("x".into())),
            ("turn:t:0", Port("0".into())),
            ("turn:t:99999", Port("99999".into())),
            ("turns:t?transport=udp", UriError::Transport("udp".into())),
            ("turn:t?transport=sctp", UriError::Transport("sctp".into())),
        ] {
            assert_eq!(IceUri::parse(text), Err(why), "{text:?}");
        }
    }
}
