//! A far end that has the keys and means harm, for `tests/fuzz`.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use media::{Codec, Kind};
use rtc::crypto;
use tokio::sync::mpsc;

use super::{Format, Keys as _, MediaPath, PathSettings, header::Header, receiving};
use crate::{
    PeerEvent,
    sink::EventSink,
    srtp::{Master, Profile, Sending, nearest},
};

/// It protects whatever it is given, and a path receives it.
pub struct HostileFarEnd {
    path: Arc<MediaPath>,
    events: mpsc::Receiver<PeerEvent>,
    sending: Sending,
    /// The highest number of each source, as the path counts.
    highest: HashMap<u32, u64>,
    now: Instant,
}

impl HostileFarEnd {
    /// Agrees on Opus as 111 and on VP8 as 96, which 97 repeats; transport-wide numbers are
    /// extension 3.
    pub fn with_keys() -> Self {
        let (sink, events) = EventSink::channel();
        let now = Instant::now();
        let settings = PathSettings {
            events: sink,
            cname: "me".into(),
            audio: (1, 2),
            video: (3, 4),
            report_interval: Duration::ZERO,
            transport_cc: true,
        };
        let path = MediaPath::new(settings, now);
        let format = |codec: Codec, payload_type, rtx_payload_type| Format {
            codec,
            payload_type,
            rtx_payload_type,
            mid: payload_type.to_string(),
            nack: codec != Codec::Opus,
            transport_wide: Some(3),
            sources: vec![(10, Some(11))],
        };
        path.set_formats(vec![
            format(Codec::Opus, 111, None),
            format(Codec::Vp8, 96, Some(97)),
        ]);
        let master = Master {
            profile: Profile::AeadAes128Gcm,
            key: [1; 16],
            salt: [0; 14],
        };
        let provider = crypto::default_provider().expect("webrtc's own provider");
        path.agreed(&master, &master, provider.crypto());
        let sending = Sending::new(&master, provider.crypto()).expect("keys of the right length");
        path.set_open(true);
        Self {
            path,
            events,
            sending,
            highest: HashMap::new(),
            now,
        }
    }

    /// Sends a packet of RTP or RTCP so much later, protected and as it is; returns how many packets
    /// have been received in all.
    pub fn send(&mut self, packet: &[u8], later: Duration) -> u64 {
        self.now += later;
        let protected = self.protected(packet);
        for mut datagram in protected.into_iter().chain([packet.to_vec()]) {
            if receiving::is_media(&datagram) {
                let datagrams = [&mut datagram[..]];
                self.path.receive(self.now, datagrams.into_iter());
            }
        }
        self.path.tick(self.now);
        while self.events.try_recv().is_ok() {}
        let received = |kind| self.path.stats(kind).0.packets_received;
        received(Kind::Audio) + received(Kind::Video)
    }

    fn protected(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = packet.to_vec();
        if receiving::is_rtcp(packet) {
            let ssrc = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
            self.sending.rtcp(&mut bytes, 0, ssrc).ok()?;
            return Some(bytes);
        }
        let header = Header::read(packet)?;
        let highest = self.highest.get(&header.ssrc).copied();
        let index = nearest(highest, header.sequence_number);
        self.highest
            .insert(header.ssrc, highest.map_or(index, |h| h.max(index)));
        self.sending
            .rtp(&mut bytes, 0, header.length, header.ssrc, index)
            .ok()?;
        Some(bytes)
    }
}
