//! webrtc as its examples use it: its own runtime on a multi-threaded tokio, its own interceptors,
//! one `write_rtp` a packet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
        RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, Registry,
        SettingEngineBuilder, SrtpProtectionProfile, configure_twcc, register_default_interceptors,
    },
    runtime::TokioRuntime,
};

use crate::{
    measure::Outcome,
    run::{Failure, Joined, Run, Sent, SharedFarEnd, measure},
    workload::{Material, Schedule, Streams},
};

struct Handler {
    gathered: watch::Sender<bool>,
    connected: watch::Sender<bool>,
    received: Arc<AtomicU64>,
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

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let received = self.received.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(_) = event {
                    received.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}

struct Caller {
    _connection: Box<dyn PeerConnection>,
    tracks: Vec<(Arc<TrackLocalStaticRTP>, u32, u8)>,
}

pub(crate) fn run(run: &Run) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let far_end = SharedFarEnd::start()?;
    let received = Arc::new(AtomicU64::new(0));
    let material = Arc::new(Material::new());
    let streams = run.streams;
    measure(
        run,
        &far_end,
        &received,
        |_| {
            let joined = runtime.spawn(join(far_end.clone(), streams, received.clone()));
            async { joined.await? }
        },
        |_, caller, begin, end| {
            let (material, schedule) = (material.clone(), Schedule::new(begin, streams));
            let sent = runtime.spawn(async move { send(caller, &material, schedule, end).await });
            async { Ok(sent.await?) }
        },
    )
}

async fn join(
    far_end: SharedFarEnd,
    streams: Streams,
    received: Arc<AtomicU64>,
) -> Result<Joined<Caller>, Failure> {
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
            received,
        }))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await?;
    let mut tracks = vec![track(Kind::Audio, "audio/opus", 48_000, 2, 111)];
    if streams == Streams::Both {
        tracks.push(track(Kind::Video, "video/VP8", 90_000, 0, 96));
    }
    for (track, _, _) in &tracks {
        connection.add_track(track.clone()).await?;
    }
    let offer = connection.create_offer(None).await?;
    connection.set_local_description(offer).await?;
    gathered.subscribe().wait_for(|done| *done).await?;
    let offer = connection.local_description().await.ok_or("no offer")?;
    let answer = far_end.answer(offer.sdp).await?;
    connection
        .set_remote_description(RTCSessionDescription::answer(answer)?)
        .await?;
    connected.subscribe().wait_for(|done| *done).await?;
    Ok(Joined {
        caller: Caller {
            _connection: Box::new(connection),
            tracks,
        },
        took: begun.elapsed(),
    })
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

async fn send(
    caller: Caller,
    material: &Material,
    mut schedule: Schedule,
    end: Instant,
) -> Sent<Caller> {
    let (mut packets, mut late) = (0, Vec::new());
    let mut sequence_numbers = [0_u16; 2];
    while let Some(due) = schedule.wait(end, &mut late).await {
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
                packets += 1;
            }
        }
    }
    Sent {
        _caller: caller,
        packets,
        late,
    }
}
