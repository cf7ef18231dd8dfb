//! Which way media goes: through the pair of candidates that ICE has chosen.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rtc::peer_connection::transport::RTCIceCandidatePair;
use webrtc::rtp_transceiver::RtpSender;

use crate::{
    path::{MediaPath, Route},
    relay::Servers,
    socket::Socket,
};

/// Looks the way up. webrtc tells of no change, so this is asked after each turn of its driver in
/// which there was a message of ICE.
#[derive(Clone)]
pub(crate) struct Lookup {
    pub(crate) sender: Arc<dyn RtpSender>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) path: Arc<MediaPath>,
}

impl Lookup {
    /// Tells the path, which has these sockets.
    pub(crate) async fn look(self, sockets: Vec<Arc<Socket>>) {
        // While ICE is begun anew there is no pair, and media goes on as before (RFC 8445 §9).
        if let Some(pair) = selected_pair(&self.sender).await {
            self.path.set_route(self.route(&pair, &sockets));
        }
    }

    fn route(&self, pair: &RTCIceCandidatePair, sockets: &[Arc<Socket>]) -> Option<Route> {
        let local = pair.local();
        let address = address(&local.address, local.port)?;
        let to = self::address(&pair.remote().address, pair.remote().port)?;
        let (bound, relay) = match self.servers.way_of(address) {
            Some((bound, server)) => (bound, Some(server)),
            None => (address, None),
        };
        // What a STUN server or the far end sees is not what is bound (RFC 8445 §5.1.1).
        let base = self::address(&local.related_address, local.related_port);
        let is = |wanted: SocketAddr| move |socket: &&Arc<Socket>| socket.is_bound_to(wanted);
        let socket = sockets
            .iter()
            .find(is(bound))
            .or_else(|| sockets.iter().find(is(base?)))?;
        Some(Route {
            socket: Arc::downgrade(socket),
            to,
            relay,
        })
    }
}

/// The pair of candidates ICE has chosen.
pub(crate) async fn selected_pair(sender: &Arc<dyn RtpSender>) -> Option<RTCIceCandidatePair> {
    let transport = sender.transport().await.ok()??;
    let ice = transport.ice_transport();
    ice.get_selected_candidate_pair().await.ok()?
}

fn address(address: &str, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, port))
}
