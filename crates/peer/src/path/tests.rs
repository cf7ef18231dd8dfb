//! Two paths with sockets and keys, and no connection beneath them.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use media::{Codec, Frame, Kind};
use rtc::{
    crypto,
    rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest},
    shared::marshal::Marshal,
};
use tokio::sync::mpsc;

use super::*;
use crate::{
    Inbound, PeerEvent, RtpPacket, TrackReceiver, relay::Servers, socket::SocketSettings,
    srtp::Profile,
};

const DEADLINE: Duration = Duration::from_secs(10);

fn new_path() -> (Arc<MediaPath>, mpsc::Receiver<PeerEvent>) {
    let (events, receiver) = EventSink::channel();
    let settings = PathSettings {
        events,
        cname: "me".into(),
        audio: (fastrand::u32(..), fastrand::u32(..)),
        video: (fastrand::u32(..), fastrand::u32(..)),
        report_interval: Duration::ZERO,
        transport_cc: true,
    };
    (MediaPath::new(settings, Instant::now()), receiver)
}

/// A path of which nothing is wanted.
pub(crate) fn path() -> Arc<MediaPath> {
    new_path().0
}

struct Side {
    path: Arc<MediaPath>,
    events: mpsc::Receiver<PeerEvent>,
    socket: Arc<Socket>,
}

impl Side {
    fn new(settings: SocketSettings) -> Self {
        let (path, events) = new_path();
        let servers = Arc::new(Servers::new(Vec::new(), EventSink::channel().0, None));
        let bound = std::net::UdpSocket::bind("127.0.0.1:0").expect("bound");
        let socket = Socket::open(bound, settings, servers, path.clone()).expect("a socket");
        Self {
            path,
            events,
            socket,
        }
    }

    fn address(&self) -> SocketAddr {
        webrtc::runtime::AsyncUdpSocket::local_addr(&*self.socket).expect("bound")
    }

    fn leads_to(&self, to: SocketAddr) {
        self.path.set_route(Some(Route {
            socket: Arc::downgrade(&self.socket),
            to,
            relay: None,
        }));
        self.path.set_open(true);
    }

    async fn track(&mut self) -> TrackReceiver {
        loop {
            let event = tokio::time::timeout(DEADLINE, self.events.recv()).await;
            if let PeerEvent::Track(track) = event.expect("in time").expect("not closed") {
                return track;
            }
        }
    }
}

/// Two sides that know each other; the first one's socket misbehaves as told.
fn sides(settings: SocketSettings, profile: Profile, rtx: Option<u8>) -> [Side; 2] {
    let sides = [Side::new(settings), Side::new(SocketSettings::default())];
    let [a, b] = [sides[0].address(), sides[1].address()];
    sides[0].leads_to(b);
    sides[1].leads_to(a);
    let crypto = crypto::default_provider().expect("a provider");
    let masters = [1, 2].map(|seed| Master {
        profile,
        key: [seed; 16],
        salt: [seed; 14],
    });
    let [first, second] = &masters;
    sides[0].path.agreed(first, second, crypto.crypto());
    sides[1].path.agreed(second, first, crypto.crypto());
    for side in &sides {
        let format = |codec, payload_type, rtx_payload_type| Format {
            codec,
            payload_type,
            rtx_payload_type,
            mid: payload_type.to_string(),
            nack: codec == Codec::Vp8,
            transport_wide: Some(3),
            sources: Vec::new(),
        };
        let formats = vec![format(Codec::Opus, 111, None), format(Codec::Vp8, 96, rtx)];
        side.path.set_formats(formats);
    }
    sides
}

fn frame(codec: Codec, number: u32, payloads: u32) -> Frame {
    let payload = |at: u32| Bytes::from(vec![(number + at) as u8; 500 + at as usize]);
    Frame {
        codec,
        payloads: (0..payloads).map(payload).collect(),
        media_time: Duration::ZERO,
        duration: Duration::from_millis(20),
        is_key: true,
        promise: None,
    }
}

async fn packet(track: &mut TrackReceiver) -> RtpPacket {
    loop {
        let inbound = tokio::time::timeout(DEADLINE, track.recv()).await;
        if let Inbound::Packet(packet) = inbound.expect("in time").expect("not closed") {
            return packet;
        }
    }
}

#[tokio::test]
async fn frames_arrive_as_they_were_sent() {
    for profile in [Profile::AeadAes128Gcm, Profile::Aes128CmHmacSha1] {
        let [a, mut b] = sides(SocketSettings::default(), profile, None);
        for (codec, kind) in [(Codec::Opus, Kind::Audio), (Codec::Vp8, Kind::Video)] {
            let first = a.path.next_sequence_number(kind) as u16;
            a.path.send(&frame(codec, 1, 3), 1234);
            let mut track = b.track().await;
            assert_eq!((track.codec(), track.ssrc()), (codec, a.path.ssrc(kind)));
            for (at, payload) in frame(codec, 1, 3).payloads.iter().enumerate() {
                let packet = packet(&mut track).await;
                assert_eq!(packet.payload, *payload);
                assert_eq!(
                    (packet.sequence_number, packet.timestamp),
                    (first + at as u16, 1234)
                );
                assert_eq!(
                    packet.marker,
                    (kind == Kind::Video) == (at == 2) && (at == 2 || at == 0)
                );
            }
            assert_eq!(a.path.stats(kind).1.packets_sent, 3);
            let (received, _) = b.path.stats(kind);
            assert_eq!((received.packets_received, received.packets_lost), (3, 0));
        }
        assert_eq!(a.path.discarded(), 0);
    }
}

#[tokio::test]
async fn what_is_lost_is_asked_for_and_comes_again_in_its_place() {
    let lossy = SocketSettings {
        drop_one_in: Some(3),
        ..SocketSettings::default()
    };
    for rtx in [Some(97), None] {
        let [a, mut b] = sides(lossy, Profile::AeadAes128Gcm, rtx);
        // Over the end of a cycle of numbers, as SRTP counts them too.
        a.path.state().outgoing[Kind::Video as usize].next = 65_530;
        a.path.send(&frame(Codec::Vp8, 0, 20), 1);
        // Of the first twenty the last that arrive are 18 and 19; behind them nothing is missing.
        let mut track = b.track().await;
        let mut numbers = Vec::new();
        let mut now = Instant::now();
        while numbers.len() < 20 {
            match tokio::time::timeout(Duration::from_millis(20), packet(&mut track)).await {
                Ok(packet) => {
                    assert_eq!(
                        packet.payload[0],
                        packet.sequence_number.wrapping_sub(65_530) as u8
                    );
                    assert!(!numbers.contains(&packet.sequence_number));
                    numbers.push(packet.sequence_number);
                }
                Err(_) => {
                    now += TICK;
                    b.path.tick(now);
                }
            }
        }
        let (received, _) = b.path.stats(Kind::Video);
        assert!(
            received.nack_count > 0 && received.packets_lost == 0,
            "{received:?}"
        );
        let (_, sent) = a.path.stats(Kind::Video);
        assert!(
            sent.nack_count > 0 && sent.retransmitted_packets_sent >= 6,
            "{sent:?}"
        );
        assert_eq!(sent.packets_sent, 20);
    }
}

#[tokio::test]
async fn a_report_comes_back_and_what_was_numbered_is_reported() {
    let [mut a, mut b] = sides(SocketSettings::default(), Profile::AeadAes128Gcm, None);
    a.path.send(&frame(Codec::Opus, 1, 2), 5);
    let mut track = b.track().await;
    packet(&mut track).await;
    let last = a.path.next_sequence_number(Kind::Audio) - 1;
    // A sender report, whose receiver report knows the round trip.
    a.path.tick(Instant::now());
    loop {
        let inbound = tokio::time::timeout(DEADLINE, track.recv()).await;
        if let Inbound::SenderReport { .. } = inbound.expect("in time").expect("not closed") {
            break;
        }
    }
    b.path.tick(Instant::now());
    b.path.tick(Instant::now());
    let event = tokio::time::timeout(DEADLINE, a.events.recv()).await;
    let Some(PeerEvent::ReceiverReport(report)) = event.expect("in time") else {
        panic!("no report");
    };
    assert_eq!((report.kind, report.packets_lost), (Kind::Audio, 0));
    assert_eq!(report.highest_sequence_number, last);
    assert!(report.round_trip_time.is_some());
    assert!(!b.path.state().arrivals.any(), "both were reported");
}

#[tokio::test]
async fn the_first_report_on_a_stream_does_not_wait_for_its_turn() {
    let [mut a, mut b] = sides(SocketSettings::default(), Profile::AeadAes128Gcm, None);
    b.path.state().settings.report_interval = Duration::from_secs(3600);
    for codec in [Codec::Opus, Codec::Vp8] {
        a.path.send(&frame(codec, 1, 1), 5);
        let mut track = b.track().await;
        packet(&mut track).await;
        // The second time it is none of the first.
        b.path.tick(Instant::now());
        b.path.tick(Instant::now());
    }
    let mut told = Vec::new();
    while told.last() != Some(&Kind::Video) {
        let event = tokio::time::timeout(DEADLINE, a.events.recv()).await;
        if let Some(PeerEvent::ReceiverReport(report)) = event.expect("in time") {
            told.push(report.kind);
        }
    }
    assert_eq!(told, [Kind::Audio, Kind::Video]);
}

#[tokio::test]
async fn a_key_frame_is_asked_for() {
    let [mut a, mut b] = sides(SocketSettings::default(), Profile::Aes128CmHmacSha1, None);
    a.path.send(&frame(Codec::Vp8, 1, 1), 5);
    let track = b.track().await;
    track.request_key_frame();
    let event = tokio::time::timeout(DEADLINE, a.events.recv()).await;
    let event = event.expect("in time");
    assert!(matches!(
        event,
        Some(PeerEvent::KeyFrameRequested { kind: Kind::Video })
    ));
    assert_eq!(a.path.stats(Kind::Video).1.pli_count, 1);
    assert_eq!(b.path.stats(Kind::Video).0.pli_count, 1);
}

#[tokio::test]
async fn a_full_intra_request_is_answered_once_however_often_it_is_repeated() {
    let [mut a, b] = sides(SocketSettings::default(), Profile::AeadAes128Gcm, None);
    let request = |path: &MediaPath, sequence_number| {
        let request = FullIntraRequest {
            sender_ssrc: b.path.ssrc(Kind::Video),
            media_ssrc: 0,
            fir: vec![FirEntry {
                ssrc: a.path.ssrc(Kind::Video),
                sequence_number,
            }],
        };
        let bytes = request.marshal().expect("well-formed");
        sending::with_desk(|desk| {
            let mut state = path.state();
            state.rtcp(desk, |to| to.extend_from_slice(&bytes));
            ((), state.socket_for(desk))
        });
    };
    // The number wraps around as any other step; what comes behind the last repeats shows that they came.
    for number in [255, 255, 255, 0, 0] {
        request(&b.path, number);
    }
    b.path.send(&frame(Codec::Opus, 1, 1), 5);
    let mut asked = 0;
    loop {
        let event = tokio::time::timeout(DEADLINE, a.events.recv()).await;
        match event.expect("in time").expect("not closed") {
            PeerEvent::KeyFrameRequested { kind: Kind::Video } => asked += 1,
            PeerEvent::Track(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(asked, 2, "once for 255, once for 0");
    assert_eq!(a.path.stats(Kind::Video).1.pli_count, 2);
}

#[tokio::test]
async fn what_cannot_be_sent_is_discarded_whole_and_takes_no_numbers() {
    let [a, b] = sides(SocketSettings::default(), Profile::AeadAes128Gcm, None);
    let next = a.path.next_sequence_number(Kind::Video);
    a.path.set_open(false);
    a.path.send(&frame(Codec::Vp8, 1, 4), 5);
    a.path.set_open(true);
    a.path.set_route(None);
    a.path.send(&frame(Codec::Vp8, 1, 4), 5);
    assert_eq!(a.path.discarded(), 8);
    assert_eq!(a.path.next_sequence_number(Kind::Video), next);
    assert_eq!(a.path.stats(Kind::Video).1.packets_sent, 0);
    // With other keys they hear nothing of each other.
    let crypto = crypto::default_provider().expect("a provider");
    let other = Master {
        profile: Profile::AeadAes128Gcm,
        key: [9; 16],
        salt: [9; 14],
    };
    a.path.agreed(&other, &other, crypto.crypto());
    a.leads_to(b.address());
    a.path.send(&frame(Codec::Vp8, 1, 4), 5);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(b.path.stats(Kind::Video).0.packets_received, 0);
}
