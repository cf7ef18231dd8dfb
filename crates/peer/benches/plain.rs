//! webrtc as its examples use it: its own runtime on a multi-threaded tokio, its own interceptors,
//! one `write_rtp` a packet.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use media::Kind;
use rtc::{
    ice::mdns::MulticastDnsMode,
    media_stream::MediaStreamTrack,
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use tokio::sync::watch;
use webrtc::{
    media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
        SettingEngineBuilder, SrtpProtectionProfile, configure_twcc, register_default_interceptors,
    },
    runtime::TokioRuntime,
};

use crate::{
    measure::{self, Outcome},
    node::Node,
    pump::{Material, Schedule},
};

struct Handler {
    gathered: watch::Sender<bool>,
    connected: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered
            .send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.connected
            .send_replace(state == RTCPeerConnectionState::Connected);
    }
}

struct Caller {
    _connection: Box<dyn PeerConnection>,
    tracks: [(Arc<TrackLocalStaticRTP>, u32, u8); 2],
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn run(callers: usize, seconds: u64) -> io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let node = Arc::new(Mutex::new(Node::start()?));
    let mut joining = Vec::new();
    for at in 0..callers {
        let node = node.clone();
        joining.push(runtime.spawn(join(node)));
        if at + 1 < callers {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let mut joins = Vec::new();
    let mut all = Vec::new();
    for caller in joining {
        let (caller, took) = runtime
            .block_on(caller)
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        joins.push(took.as_secs_f64() * 1000.0);
        all.push(caller);
    }
    let begin = Instant::now() + Duration::from_millis(200);
    let end = begin + Duration::from_secs(seconds);
    let material = Arc::new(Material::new());
    let before = lock(&node).received()?;
    let mut pumps = Vec::new();
    for caller in all {
        let material = material.clone();
        pumps.push(runtime.spawn(async move { pump(caller, &material, begin, end).await }));
    }
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    let (wall, cpu) = (Instant::now(), measure::cpu_time()?);
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    let (wall, cpu) = (wall.elapsed(), measure::cpu_time()? - cpu);
    let rss_mb = measure::rss_mb();
    let mut late = Vec::new();
    let mut sent = 0;
    let mut ended = Vec::new();
    for pump in pumps {
        let (caller, packets, mut times) = runtime.block_on(pump).map_err(io::Error::other)?;
        ended.push(caller);
        sent += packets;
        late.append(&mut times);
    }
    std::thread::sleep(Duration::from_millis(300));
    let received = lock(&node).received()? - before;
    Ok(Outcome {
        core_percent: measure::core_percent(cpu, wall, callers),
        rss_mb,
        join_p50_ms: measure::percentile(&mut joins, 0.5),
        join_p95_ms: measure::percentile(&mut joins, 0.95),
        late_p99_ms: measure::percentile(&mut late, 0.99),
        lost_percent: 100.0 * (1.0 - received as f64 / sent as f64),
    })
}

fn lock(node: &Mutex<Node>) -> std::sync::MutexGuard<'_, Node> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn join(node: Arc<Mutex<Node>>) -> Result<(Caller, Duration), Failure> {
    let begun = Instant::now();
    let mut engine = MediaEngine::default();
    engine.register_default_codecs()?;
    let registry = register_default_interceptors(Registry::new(), &mut engine)?;
    let registry = configure_twcc(registry, &mut engine)?;
    // Join time and cipher are not what is compared here.
    let settings = SettingEngineBuilder::new()
        .with_ice_connection_attempts(Some(Duration::from_millis(20)), Some(750))
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
        .build();
    let (gathered, connected) = (watch::Sender::new(false), watch::Sender::new(false));
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_interceptor_registry(registry)
        .with_setting_engine(settings)
        .with_runtime(Arc::new(TokioRuntime))
        .with_handler(Arc::new(Handler {
            gathered: gathered.clone(),
            connected: connected.clone(),
        }))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await?;
    let tracks = [
        track(Kind::Audio, "audio/opus", 48_000, 2, 111),
        track(Kind::Video, "video/VP8", 90_000, 0, 96),
    ];
    for (track, _, _) in &tracks {
        connection.add_track(track.clone()).await?;
    }
    let offer = connection.create_offer(None).await?;
    connection.set_local_description(offer).await?;
    gathered.subscribe().wait_for(|done| *done).await?;
    let offer = connection.local_description().await.ok_or("no offer")?;
    let answer = tokio::task::spawn_blocking(move || lock(&node).answer(&offer.sdp)).await??;
    // The node's wildcard feedback, or webrtc would find none.
    let answer = peer::sdp::expand_wildcard_feedback(&answer);
    connection
        .set_remote_description(RTCSessionDescription::answer(answer)?)
        .await?;
    connected.subscribe().wait_for(|done| *done).await?;
    let caller = Caller {
        _connection: Box::new(connection),
        tracks,
    };
    Ok((caller, begun.elapsed()))
}

fn track(
    kind: Kind,
    mime_type: &str,
    clock_rate: u32,
    channels: u16,
    payload_type: u8,
) -> (Arc<TrackLocalStaticRTP>, u32, u8) {
    let ssrc = fastrand::u32(1..);
    let track = MediaStreamTrack::new(
        "stream".into(),
        kind.to_string(),
        kind.to_string(),
        match kind {
            Kind::Audio => RtpCodecKind::Audio,
            Kind::Video => RtpCodecKind::Video,
        },
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            codec: RTCRtpCodec {
                mime_type: mime_type.into(),
                clock_rate,
                channels,
                ..Default::default()
            },
            ..Default::default()
        }],
    );
    (
        Arc::new(TrackLocalStaticRTP::new(track)),
        ssrc,
        payload_type,
    )
}

async fn pump(
    caller: Caller,
    material: &Material,
    begin: Instant,
    end: Instant,
) -> (Caller, u64, Vec<f64>) {
    let mut schedule = Schedule::new(begin);
    let mut late = Vec::new();
    let mut sent = 0;
    let mut sequence_numbers = [0_u16; 2];
    loop {
        let (when, due) = schedule.next();
        if when >= end {
            return (caller, sent, late);
        }
        tokio::time::sleep_until(when.into()).await;
        late.push(when.elapsed().as_secs_f64() * 1000.0);
        let (frame, timestamp) = material.frame(due);
        let at = frame.codec.kind() as usize;
        let (track, ssrc, payload_type) = &caller.tracks[at];
        for (number, payload) in frame.payloads.iter().enumerate() {
            sequence_numbers[at] = sequence_numbers[at].wrapping_add(1);
            let packet = rtp::Packet {
                header: rtp::Header {
                    version: 2,
                    marker: number + 1 == frame.payloads.len(),
                    payload_type: *payload_type,
                    sequence_number: sequence_numbers[at],
                    timestamp,
                    ssrc: *ssrc,
                    ..Default::default()
                },
                payload: payload.clone(),
            };
            if track.write_rtp(packet).await.is_ok() {
                sent += 1;
            }
        }
    }
}
