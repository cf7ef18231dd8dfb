//! The path that media takes.

use std::fmt;
use std::net::SocketAddr;

use peer::CandidatePairStats;
use serde::Serialize;

/// The path that media takes: the pair of candidates ICE has chosen (RFC 8445 §8.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MediaPath {
    /// Our end of it: an address of this machine, or one on a TURN server.
    pub local: SocketAddr,
    /// How we came by it: `host`, `srflx`, `prflx` or `relay`.
    pub local_type: String,
    /// The node's end of it.
    pub remote: SocketAddr,
    /// How the node came by it.
    pub remote_type: String,
    /// The TURN server it leads through, as a URI.
    pub relay: Option<String>,
}

impl MediaPath {
    pub(crate) fn of(pair: &CandidatePairStats) -> Self {
        Self {
            local: pair.local,
            local_type: pair.local_type.clone(),
            remote: pair.remote,
            remote_type: pair.remote_type.clone(),
            relay: pair.relay.clone(),
        }
    }
}

impl fmt::Display for MediaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relay {
            Some(server) => write!(f, "media goes through {server}"),
            None if self.local_type == "relay" => f.write_str("media goes through a TURN server"),
            None => f.write_str("media goes straight to the node"),
        }
    }
}
