//! What webrtc tells us, turned into events.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

use crate::{IceConnectionState, PeerEvent, path::MediaPath, relay::Servers, sink::EventSink};

/// Called on the driver's task; never waits.
pub(crate) struct Handler {
    pub(crate) events: EventSink,
    pub(crate) path: Arc<MediaPath>,
    pub(crate) gathered: watch::Sender<bool>,
    pub(crate) ufrag: watch::Receiver<String>,
    pub(crate) first_mid: watch::Receiver<String>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) connected: AtomicBool,
    /// ICE has failed and was not begun anew.
    pub(crate) has_failed: AtomicBool,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json()
            && !candidate.candidate.is_empty()
        {
            self.events.send(PeerEvent::LocalCandidate {
                candidate: candidate.candidate,
                mid: self.first_mid.borrow().clone(),
                ufrag: self.ufrag.borrow().clone(),
            });
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.send_replace(true);
            self.events.send(PeerEvent::GatheringComplete);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        let state = match state {
            RTCIceConnectionState::New => IceConnectionState::New,
            RTCIceConnectionState::Checking => IceConnectionState::Checking,
            RTCIceConnectionState::Connected => IceConnectionState::Connected,
            RTCIceConnectionState::Completed => IceConnectionState::Completed,
            RTCIceConnectionState::Disconnected => IceConnectionState::Disconnected,
            RTCIceConnectionState::Failed => IceConnectionState::Failed,
            RTCIceConnectionState::Closed => IceConnectionState::Closed,
            _ => return,
        };
        self.path.route_may_have_changed();
        let is_settled = matches!(
            state,
            IceConnectionState::Connected | IceConnectionState::Completed
        );
        self.path.set_settled(is_settled);
        let has_failed = state == IceConnectionState::Failed;
        self.has_failed.store(has_failed, Ordering::Release);
        if has_failed {
            self.servers.ice_failed();
            // There is no consent to send any more (RFC 7675 §5.1).
            self.path.set_route(None);
        }
        self.events.send(PeerEvent::IceConnectionState(state));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            // ICE and DTLS both; after a restart again, which is nothing new to anybody.
            RTCPeerConnectionState::Connected => {
                self.path.set_open(true);
                if !self.connected.swap(true, Ordering::AcqRel) {
                    self.events.send(PeerEvent::DtlsConnected);
                }
            }
            // Told already; ICE can be restarted.
            RTCPeerConnectionState::Failed if self.has_failed.load(Ordering::Acquire) => {}
            RTCPeerConnectionState::Failed => {
                let reason = if self.connected.load(Ordering::Acquire) {
                    "the far end no longer answers"
                } else {
                    "the DTLS handshake failed"
                };
                self.events.send(PeerEvent::ConnectionFailed {
                    reason: reason.to_owned(),
                });
            }
            _ => {}
        }
    }
}
