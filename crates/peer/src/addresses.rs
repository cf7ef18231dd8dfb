//! Which local addresses a peer may offer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

/// All addresses of this machine that a peer may be reached at: loopback, and every other that
/// is not link-local.
pub fn local_addresses() -> Vec<IpAddr> {
    vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
}

/// The addresses to bind for a node at `host`: loopback when the node is on loopback, otherwise
/// the one the system routes by first, then the other usable ones.
pub fn local_addresses_towards(host: IpAddr) -> Vec<IpAddr> {
    if host.is_loopback() {
        return vec![host];
    }
    routed_address(host).into_iter().collect()
}

/// Connecting a UDP socket sends nothing; it only asks the routing table.
fn routed_address(host: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = if host.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((host, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
