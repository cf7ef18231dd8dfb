//! Which local addresses a peer may offer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// All addresses of this machine that a peer may be reached at, IPv4 first: loopback, and every
/// other that is not link-local.
pub fn local_addresses() -> Vec<IpAddr> {
    let mut addresses = interface_addresses();
    if addresses.is_empty() {
        addresses.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    addresses
}

/// The addresses to bind for a node at `host`: loopback when the node is on loopback, otherwise
/// the one the system routes by first, then the other usable ones.
pub fn local_addresses_towards(host: IpAddr) -> Vec<IpAddr> {
    if host.is_loopback() {
        return vec![host];
    }
    let routed = routed_address(host);
    if let Some(routed) = routed.filter(IpAddr::is_loopback) {
        // One of this machine's own addresses.
        return vec![host, routed];
    }
    let others = interface_addresses()
        .into_iter()
        .filter(|address| !address.is_loopback() && Some(*address) != routed);
    let addresses: Vec<IpAddr> = routed.into_iter().chain(others).collect();
    if addresses.is_empty() {
        local_addresses()
    } else {
        addresses
    }
}

fn interface_addresses() -> Vec<IpAddr> {
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list network interfaces; using loopback alone");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> = interfaces
        .into_iter()
        .filter_map(|interface| Some(interface.addr?.ip()))
        .filter(is_usable)
        .collect();
    addresses.sort_by_key(|address| (address.is_ipv6(), address.is_loopback()));
    addresses.dedup();
    addresses
}

fn is_usable(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    // Listed does not mean usable: a duplicate or deprecated address cannot be bound.
    !link_local && !address.is_unspecified() && UdpSocket::bind((*address, 0)).is_ok()
}

/// Connecting a UDP socket sends nothing; it only asks the routing table.
fn routed_address(host: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match host {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect((host, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    is_usable(&address).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_on_loopback_is_reached_from_loopback() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(local_addresses_towards(localhost), [localhost]);
    }

    #[test]
    fn the_node_offers_loopback_too_and_nothing_twice() {
        let addresses = local_addresses();
        assert!(addresses.iter().any(IpAddr::is_loopback), "{addresses:?}");
        let mut once = addresses.clone();
        once.dedup();
        assert_eq!(addresses, once);
    }
}
