//! The STUN and TURN servers of one peer: where they are, and what became of asking them.
//!
//! webrtc speaks TURN over UDP only. So it is told a name of ours for every TURN server, an address
//! that cannot exist; what it sends there is taken to the server by the socket it sends from, as a
//! datagram, or in a TCP or TLS connection (see [`super::Link`]). A new name makes webrtc ask for a
//! new relayed address, which is wanted when ICE restarts: the old one may be gone.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::ClientConfig;
use webrtc::peer_connection::RTCIceServer;

use super::{
    IceServerError,
    stun::{self, Class, TransactionId},
    uri::{IceUri, Purpose, Transport},
};
use crate::{IceServer, PeerEvent, inlet::EventSink};

/// How long names of servers may take to be resolved, all together.
const RESOLVING: Duration = Duration::from_secs(2);
/// webrtc repeats a request after 0.2, 0.6, 1.4, 3, 4.6 and 6.2 s. When this one of a kind stays
/// unanswered, the server is given up, and gathering ends: sooner over UDP, since connecting takes
/// several round trips.
const MOST_ASKED: u32 = 5;
const MOST_ASKED_CONNECTED: u32 = 7;

/// A way to one TURN server.
#[derive(Clone)]
pub(crate) struct Route {
    /// What webrtc takes for its address.
    pub(crate) name: SocketAddr,
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) host: String,
    /// How often everything had begun anew when it was named.
    generation: u32,
    server: Arc<Mutex<Server>>,
}

/// The servers of a peer.
pub(crate) struct Servers {
    state: Mutex<State>,
    has_turn: AtomicBool,
    events: EventSink,
    tls: Option<Arc<ClientConfig>>,
}

#[derive(Default)]
struct State {
    wanted: Vec<IceServer>,
    /// Those of this generation and of the one before, whose relayed addresses are still released.
    routes: Vec<Route>,
    names: u16,
    generation: u32,
}

/// What became of one URI.
struct Server {
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
    /// Servers as the node handed them out; TLS is judged by `tls`.
    pub(crate) fn new(
        wanted: Vec<IceServer>,
        events: EventSink,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                wanted,
                ..State::default()
            }),
            has_turn: AtomicBool::new(false),
            events,
            tls,
        }
    }

    /// Adds servers; they are used from the next [`Servers::configure`] on.
    pub(crate) fn add(&self, servers: Vec<IceServer>) {
        let wanted = &mut self.state().wanted;
        for server in servers {
            if !wanted.contains(&server) {
                wanted.push(server);
            }
        }
    }

    /// Whether any server was ever named.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().wanted.is_empty()
    }

    /// Whether there is a TURN server.
    pub(crate) fn has_turn(&self) -> bool {
        self.has_turn.load(Ordering::Acquire)
    }

    /// How certificates of TURN servers are judged.
    pub(crate) fn tls(&self) -> Option<Arc<ClientConfig>> {
        self.tls.clone()
    }

    /// Resolves all names and begins anew; returns the servers as webrtc shall know them. Whatever
    /// cannot be used is told and left out.
    pub(crate) async fn configure(&self, locals: &[IpAddr]) -> Vec<RTCIceServer> {
        let wanted = self.state().wanted.clone();
        let mut asked = Vec::new();
        for (index, server) in wanted.iter().enumerate() {
            for text in &server.urls {
                match IceUri::parse(text) {
                    Ok(uri) => asked.push((index, uri)),
                    Err(error) => self.tell(text, IceServerError::Uri(error.to_string())),
                }
            }
        }
        // STUN over TCP would tell the address of a connection, which is no help.
        asked.retain(|(_, uri)| uri.purpose == Purpose::Relay || uri.transport == Transport::Udp);
        let mut seen = Vec::new();
        asked.retain(|(_, uri)| {
            let new = !seen.contains(uri);
            seen.push(uri.clone());
            new
        });
        let found = futures_util::future::join_all(asked.iter().map(|(_, uri)| resolve(uri))).await;
        let mut told = Vec::new();
        let mut state = self.state();
        state.generation += 1;
        let generation = state.generation;
        state.routes.retain(|r| r.generation + 1 == generation);
        let mut configured = Vec::new();
        for ((index, uri), found) in asked.into_iter().zip(found) {
            let server = &wanted[index];
            let addresses = match usable(&uri, server, found, locals) {
                Ok(addresses) => addresses,
                Err(error) => {
                    told.push((uri.to_string(), error));
                    continue;
                }
            };
            let urls = match uri.purpose {
                Purpose::Reflect => addresses
                    .iter()
                    .map(|address| format!("stun:{address}"))
                    .collect(),
                Purpose::Relay => state.name(&uri, &addresses),
            };
            configured.push(RTCIceServer {
                urls,
                username: server.username.clone(),
                credential: server.credential.clone(),
            });
        }
        self.has_turn
            .store(!state.routes.is_empty(), Ordering::Release);
        drop(state);
        for (uri, error) in told {
            self.tell(&uri, error);
        }
        configured
    }

    /// The way to the server that webrtc knows by this address.
    pub(crate) fn route(&self, name: SocketAddr) -> Option<Route> {
        let routes = &self.state().routes;
        routes.iter().find(|route| route.name == name).cloned()
    }

    /// What webrtc knows the sender of this datagram by, if it is a TURN server that speaks UDP.
    pub(crate) fn name_of(&self, address: SocketAddr, datagram: &[u8]) -> Option<SocketAddr> {
        // The same server may answer to STUN, under its own address.
        let is_turn = match datagram.first()? {
            64..=79 => true,
            0..=3 => stun::head(datagram).is_some_and(|head| head.method != stun::BINDING),
            _ => false,
        };
        if !is_turn {
            return None;
        }
        let state = self.state();
        let mut latest_first = state.routes.iter().rev();
        let route = latest_first
            .find(|route| route.transport == Transport::Udp && route.address == address)?;
        Some(route.name)
    }

    /// Whether webrtc has let go of this server, but for releasing what it had of it.
    pub(crate) fn is_over(&self, route: &Route) -> bool {
        route.generation < self.state().generation
    }

    /// Takes note of what goes to a server; false when it was given up.
    pub(crate) fn sent(&self, local: SocketAddr, route: &Route, datagram: &[u8]) -> bool {
        let Some(head) = stun::head(datagram) else {
            return true;
        };
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
            return;
        };
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
        let routes = self.state().routes.clone();
        routes.iter().rev().find_map(|route| {
            let server = route.server();
            let mut attempts = server.attempts.iter();
            let gave = attempts.any(|attempt| attempt.relayed == Some(relayed));
            gave.then(|| server.uri.clone())
        })
    }

    /// ICE found no way: what would be no news otherwise may be why.
    pub(crate) fn ice_failed(&self) {
        let mut told = Vec::new();
        let routes = self.state().routes.clone();
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

    fn tell(&self, uri: &str, error: IceServerError) {
        // As the node wrote it: not more than a line of it.
        let server = uri.chars().filter(|c| !c.is_control()).take(200).collect();
        self.events
            .send(PeerEvent::IceServerFailed { server, error });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Names the addresses of a TURN server.
    fn name(&mut self, uri: &IceUri, addresses: &[SocketAddr]) -> Vec<String> {
        let server = Arc::new(Mutex::new(Server {
            uri: uri.to_string(),
            attempts: Vec::new(),
            permitted: false,
            forbidden: None,
            told: false,
        }));
        let mut urls = Vec::new();
        for address in addresses {
            self.names = self.names.wrapping_add(1);
            let name = SocketAddr::new(name(self.names, address.is_ipv4()), address.port());
            self.routes.push(Route {
                name,
                address: *address,
                transport: uri.transport,
                host: uri.host.clone(),
                generation: self.generation,
                server: server.clone(),
            });
            urls.push(format!("turn:{name}?transport=udp"));
        }
        urls
    }
}

impl Route {
    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            address,
            transport,
            ..
        } = self;
        write!(f, "{name} for {address} over {transport:?}")
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers")
            .field("routes", &self.state().routes)
            .finish_non_exhaustive()
    }
}

impl Server {
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

/// An address that nobody has: reserved IPv4 (RFC 1112 §4), discard-only IPv6 (RFC 6666).
fn name(number: u16, is_ipv4: bool) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    if is_ipv4 {
        Ipv4Addr::new(240, 0, high, low).into()
    } else {
        Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, number).into()
    }
}

/// Whether this can be one of our names, at a glance.
pub(crate) fn may_be_name(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(address) => address.octets()[0] == 240,
        IpAddr::V6(address) => address.segments()[..4] == [0x100, 0, 0, 0],
    }
}

async fn resolve(uri: &IceUri) -> Result<Vec<SocketAddr>, IceServerError> {
    if let Ok(address) = uri.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, uri.port)]);
    }
    let looked_up = tokio::net::lookup_host((uri.host.as_str(), uri.port));
    match tokio::time::timeout(RESOLVING, looked_up).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(IceServerError::Name(error.to_string())),
        Err(_) => Err(IceServerError::Name("no answer".into())),
    }
}

/// The addresses to use: one of each family, where there is a local address of that family.
fn usable(
    uri: &IceUri,
    server: &IceServer,
    found: Result<Vec<SocketAddr>, IceServerError>,
    locals: &[IpAddr],
) -> Result<Vec<SocketAddr>, IceServerError> {
    let is_turn = uri.purpose == Purpose::Relay;
    if is_turn && (server.username.is_empty() || server.credential.is_empty()) {
        return Err(IceServerError::NoCredentials);
    }
    let found = found?;
    let one = |is_ipv4: bool| {
        let has_local = locals.iter().any(|local| local.is_ipv4() == is_ipv4);
        let mut of_family = found.iter().filter(|a| a.is_ipv4() == is_ipv4);
        of_family.next().copied().filter(|_| has_local)
    };
    let addresses: Vec<SocketAddr> = [true, false].into_iter().filter_map(one).collect();
    if addresses.is_empty() {
        return Err(IceServerError::Family);
    }
    Ok(addresses)
}
