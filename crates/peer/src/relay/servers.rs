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
};

use rustls::ClientConfig;
use webrtc::peer_connection::RTCIceServer;

use super::{
    IceServerError,
    resolving::{resolve, usable},
    standing::Server,
    stun,
    uri::{IceUri, Purpose, Transport},
};
use crate::{IceServer, PeerEvent, sink::EventSink};

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
    /// Whether media or anything else for a far end has passed, either way, since somebody asked.
    has_passed: AtomicBool,
}

#[derive(Default)]
struct State {
    wanted: Vec<IceServer>,
    /// Those of this generation and of the one before, whose relayed addresses are still released.
    routes: Vec<Route>,
    names: u16,
    generation: u32,
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
            has_passed: AtomicBool::new(false),
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

    /// Whether anything for or from a far end has passed through a TURN server since the last time.
    pub(crate) fn take_passed(&self) -> bool {
        self.has_passed.swap(false, Ordering::AcqRel)
    }

    pub(super) fn passed(&self) {
        self.has_passed.store(true, Ordering::Release);
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

    pub(super) fn tell(&self, uri: &str, error: IceServerError) {
        // As the node wrote it: not more than a line of it.
        let server = uri.chars().filter(|c| !c.is_control()).take(200).collect();
        self.events
            .send(PeerEvent::IceServerFailed { server, error });
    }

    /// Every way there is, the oldest first.
    pub(super) fn routes(&self) -> Vec<Route> {
        self.state().routes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Names the addresses of a TURN server.
    fn name(&mut self, uri: &IceUri, addresses: &[SocketAddr]) -> Vec<String> {
        let server = Arc::new(Mutex::new(Server::of(uri.to_string())));
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
    pub(super) fn server(&self) -> MutexGuard<'_, Server> {
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
