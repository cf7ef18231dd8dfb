//! From the URI of a server to the addresses it is asked at.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    IceServerError,
    uri::{IceUri, Purpose},
};
use crate::IceServer;

/// How long names of servers may take to be resolved, all together.
const RESOLVING: Duration = Duration::from_secs(2);

pub(super) async fn resolve(uri: &IceUri) -> Result<Vec<SocketAddr>, IceServerError> {
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
pub(super) fn usable(
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
