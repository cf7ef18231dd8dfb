//! What became of asking TURN servers, as what passes to and from them shows.

use std::net::SocketAddr;

use super::{
    IceServerError, Route, Servers, Transport,
    stun::{self, Class, TransactionId},
};

/// webrtc repeats a request after 0.2, 0.6, 1.4, 3, 4.6 and 6.2 s. When this one of a kind stays
/// unanswered, the server is given up, and gathering ends: sooner over UDP, since connecting takes
/// several round trips.
const MOST_ASKED: u32 = 5;
const MOST_ASKED_CONNECTED: u32 = 7;

/// What became of one URI.
pub(super) struct Server {
    uri: String,
    attempts: Vec<Attempt>,
    /// A permission was given, or the last refusal of one.
    permitted: bool,
    forbidden: Option<(u16, String)>,
    told: bool,
}

/// One local address that asks one name.
struct Attempt {
    local: SocketAddr,
    name: SocketAddr,
    asked: u32,
    /// The request that was answered by a demand for credentials.
    challenged: Option<TransactionId>,
    standing: Standing,
    relayed: Option<SocketAddr>,
}

#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Asking,
    Allocated,
    Failed,
}

impl Servers {
    /// Takes note of what goes to a server; false when it was given up.
    pub(crate) fn sent(&self, local: SocketAddr, route: &Route, datagram: &[u8]) -> bool {
        let Some(head) = stun::head(datagram) else {
            self.passed();
            return true;
        };
        if head.class == Class::Indication {
            self.passed();
        }
        if (head.class, head.method) != (Class::Request, stun::ALLOCATE) {
            return true;
        }
        let mut server = route.server();
        let attempt = server.attempt(local, route.name);
        attempt.asked += 1;
        let most = match route.transport {
            Transport::Udp => MOST_ASKED,
            Transport::Tcp | Transport::Tls => MOST_ASKED_CONNECTED,
        };
        if attempt.standing != Standing::Asking || attempt.asked < most {
            return true;
        }
        drop(server);
        self.failed(local, route, IceServerError::Silent);
        false
    }

    /// Takes note of what came from a server.
    pub(crate) fn received(&self, local: SocketAddr, route: &Route, datagram: &[u8]) {
        let Some(head) = stun::head(datagram) else {
            self.passed();
            return;
        };
        if head.class == Class::Indication {
            self.passed();
        }
        let mut server = route.server();
        match (head.method, head.class) {
            (stun::ALLOCATE, Class::Success) => {
                let attempt = server.attempt(local, route.name);
                attempt.standing = Standing::Allocated;
                attempt.relayed = stun::relayed(datagram);
            }
            (stun::ALLOCATE, Class::Error) => {
                let (code, reason) = stun::error(datagram).unwrap_or_default();
                let attempt = server.attempt(local, route.name);
                attempt.asked = 0;
                // The first request has no credentials: to be asked for them is no refusal, nor is
                // to be asked again because the request was repeated.
                let is_challenge = code == 401
                    && attempt
                        .challenged
                        .is_none_or(|request| request == head.transaction);
                if is_challenge {
                    attempt.challenged = Some(head.transaction);
                    return;
                }
                let error = match code {
                    401 | 441 => IceServerError::Credentials,
                    _ => IceServerError::Refused { code, reason },
                };
                drop(server);
                self.failed(local, route, error);
            }
            (stun::CREATE_PERMISSION, Class::Success) => server.permitted = true,
            (stun::CREATE_PERMISSION, Class::Error) => {
                // 438 asks for another nonce alone; webrtc asks again.
                if let Some(error) = stun::error(datagram).filter(|(code, _)| *code != 438) {
                    server.forbidden = Some(error);
                }
            }
            _ => {}
        }
    }

    /// Takes note that a server is of no use from this local address. It is told once, when it is
    /// of no use from any.
    pub(crate) fn failed(&self, local: SocketAddr, route: &Route, error: IceServerError) {
        let mut server = route.server();
        server.attempt(local, route.name).standing = Standing::Failed;
        let is_over = server
            .attempts
            .iter()
            .all(|attempt| attempt.standing == Standing::Failed);
        if !is_over || std::mem::replace(&mut server.told, true) {
            return;
        }
        let uri = server.uri.clone();
        drop(server);
        self.tell(&uri, error);
    }

    /// The URI of the server that gave this relayed address.
    pub(crate) fn relay_of(&self, relayed: SocketAddr) -> Option<String> {
        let routes = self.routes();
        routes.iter().rev().find_map(|route| {
            let server = route.server();
            let mut attempts = server.attempts.iter();
            let gave = attempts.any(|attempt| attempt.relayed == Some(relayed));
            gave.then(|| server.uri.clone())
        })
    }

    /// The local address and the server's name through which media has this relayed address.
    pub(crate) fn way_of(&self, relayed: SocketAddr) -> Option<(SocketAddr, SocketAddr)> {
        let routes = self.routes();
        routes.iter().rev().find_map(|route| {
            let server = route.server();
            let mut attempts = server.attempts.iter();
            let gave =
                |attempt: &&Attempt| attempt.name == route.name && attempt.relayed == Some(relayed);
            Some((attempts.find(gave)?.local, route.name))
        })
    }

    /// ICE found no way: what would be no news otherwise may be why.
    pub(crate) fn ice_failed(&self) {
        let mut told = Vec::new();
        let routes = self.routes();
        for route in routes.iter().filter(|route| !self.is_over(route)) {
            let mut server = route.server();
            if let Some((code, reason)) = server.forbidden.clone()
                && !server.permitted
                && !std::mem::replace(&mut server.told, true)
            {
                let error = IceServerError::Forbidden { code, reason };
                told.push((server.uri.clone(), error));
            }
        }
        for (uri, error) in told {
            self.tell(&uri, error);
        }
    }
}

impl Server {
    pub(super) fn of(uri: String) -> Self {
        Self {
            uri,
            attempts: Vec::new(),
            permitted: false,
            forbidden: None,
            told: false,
        }
    }

    fn attempt(&mut self, local: SocketAddr, name: SocketAddr) -> &mut Attempt {
        let known = |attempt: &Attempt| attempt.local == local && attempt.name == name;
        let index = self.attempts.iter().position(known).unwrap_or_else(|| {
            self.attempts.push(Attempt {
                local,
                name,
                asked: 0,
                challenged: None,
                standing: Standing::Asking,
                relayed: None,
            });
            self.attempts.len() - 1
        });
        &mut self.attempts[index]
    }
}
