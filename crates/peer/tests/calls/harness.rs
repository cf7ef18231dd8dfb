//! Two peers on loopback.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use bytes::Bytes;
use media::{Codec, Frame};
use peer::{Inbound, Peer, PeerConfig, PeerEvent, PeerEvents, RtpPacket, Shards, TrackReceiver};

/// Nothing here takes longer, unless it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(15);

pub(crate) fn config() -> PeerConfig {
    PeerConfig {
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        report_interval: Duration::from_millis(200),
        ..PeerConfig::default()
    }
}

/// A peer and what it has told so far.
pub(crate) struct Side {
    pub(crate) peer: Peer,
    pub(crate) events: PeerEvents,
    pub(crate) seen: Vec<PeerEvent>,
}

impl Side {
    /// Waits for an event that `pick` takes; what it does not take is kept for later.
    pub(crate) async fn wait<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(PeerEvent) -> Result<T, PeerEvent>,
    ) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut kept = Vec::new();
        for event in std::mem::take(&mut self.seen) {
            match pick(event) {
                Ok(found) => {
                    kept.append(&mut self.seen);
                    self.seen = kept;
                    return found;
                }
                Err(event) => kept.push(event),
            }
        }
        self.seen = kept;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = tokio::time::timeout(left, self.events.recv())
                .await
                .unwrap_or_else(|_| panic!("no {what} in time; seen {:?}", self.seen))
                .unwrap_or_else(|| panic!("no {what} before the end; seen {:?}", self.seen));
            match pick(event) {
                Ok(found) => return found,
                Err(event) => self.seen.push(event),
            }
        }
    }

    pub(crate) async fn connected(&mut self) {
        self.wait("DTLS", |event| match event {
            PeerEvent::DtlsConnected => Ok(()),
            other => Err(other),
        })
        .await;
    }

    pub(crate) async fn track(&mut self, kind: media::Kind) -> TrackReceiver {
        self.wait("track", |event| match event {
            PeerEvent::Track(track) if track.kind() == kind => Ok(track),
            other => Err(other),
        })
        .await
    }
}

/// Both ends of a call.
pub(crate) struct Call {
    pub(crate) caller: Side,
    pub(crate) node: Side,
    pub(crate) offer: String,
    pub(crate) answer: String,
    // Last, so that they outlive the peers.
    pub(crate) node_shards: Option<Shards>,
    _caller_shards: Shards,
}

/// Offer, answer, and both sides set; nothing waited for.
pub(crate) async fn call(caller: PeerConfig, node: PeerConfig) -> Call {
    let caller_shards = Shards::new(1).unwrap();
    let node_shards = Shards::new(1).unwrap();
    let (peer, events) = Peer::offerer(&caller_shards.next(), caller).await.unwrap();
    let offer = peer.gathered_offer().await.unwrap();
    let (answering, answering_events, answer) = Peer::answerer(&node_shards.next(), node, &offer)
        .await
        .unwrap();
    peer.set_answer(&answer).await.unwrap();
    Call {
        caller: side(peer, events),
        node: side(answering, answering_events),
        offer,
        answer,
        node_shards: Some(node_shards),
        _caller_shards: caller_shards,
    }
}

pub(crate) fn side(peer: Peer, events: PeerEvents) -> Side {
    Side {
        peer,
        events,
        seen: Vec::new(),
    }
}

/// A call with DTLS done on both sides.
pub(crate) async fn connected_call(caller: PeerConfig, node: PeerConfig) -> Call {
    let mut call = call(caller, node).await;
    call.caller.connected().await;
    call.node.connected().await;
    call
}

/// A frame whose payloads say which they are.
pub(crate) fn frame(codec: Codec, number: u32, payloads: usize) -> Frame {
    let payloads = (0..payloads)
        .map(|at| {
            let mut payload = vec![0_u8; 200];
            payload[..4].copy_from_slice(&number.to_be_bytes());
            payload[4] = at as u8;
            Bytes::from(payload)
        })
        .collect();
    Frame {
        codec,
        payloads,
        media_time: Duration::ZERO,
        duration: Duration::from_millis(20),
        is_key: true,
        promise: None,
    }
}

/// The next media packet.
pub(crate) async fn packet(track: &mut TrackReceiver) -> RtpPacket {
    loop {
        let inbound = tokio::time::timeout(DEADLINE, track.recv())
            .await
            .expect("no packet in time")
            .expect("the track has ended");
        if let Inbound::Packet(packet) = inbound {
            return packet;
        }
    }
}
