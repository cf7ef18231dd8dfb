//! One media leg.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32},
    },
    time::{Duration, Instant},
};

use media::{Codec, Kind};
use tokio::sync::watch;
use webrtc::{
    media_stream::track_local::static_rtp::TrackLocalStaticRTP,
    peer_connection::{PeerConnection, PeerConnectionBuilder, RTCIceCandidateInit, StatsSelector},
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit},
};

use crate::{
    CandidatePairStats, Direction, MediaSender, Negotiated, PeerConfig, PeerError, PeerEvents,
    PeerStats, Shard,
    connection::Core,
    engine,
    handler::Handler,
    path::{MediaPath, PathSettings},
    ports::Reservation,
    relay::Servers,
    route::Lookup,
    runtime::PeerRuntime,
    sdp::{Identity, RemoteCandidate, read_candidate},
    sink::EventSink,
    socket::SocketSettings,
    srtp::Keyring,
    stats,
};

/// One media leg. Cheap to clone; the connection ends with [`Peer::close`] or the last clone.
#[derive(Clone)]
pub struct Peer(pub(crate) Arc<Core>);

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("negotiated", &self.negotiated())
            .finish_non_exhaustive()
    }
}

impl Peer {
    /// Builds the connection with its transceivers: audio first, then video.
    pub(crate) async fn build(
        shard: &Shard,
        config: PeerConfig,
    ) -> Result<(Self, PeerEvents), PeerError> {
        if config.addresses.is_empty() {
            return Err(PeerError::Bind {
                addresses: Vec::new(),
                detail: "no local address to bind was given".into(),
            });
        }
        let (events, receiver) = EventSink::channel();
        let servers = Arc::new(Servers::new(
            config.ice_servers.clone(),
            events.clone(),
            config.tls.clone(),
        ));
        let identity = Identity {
            session_id: fastrand::u32(..) >> 1,
            cname: word(),
            stream: word(),
            audio: sources(),
            video: sources(),
            slides: sources(),
            max_video_bitrate: config.max_video_bitrate,
        };
        let path = MediaPath::new(
            PathSettings {
                events: events.clone(),
                cname: identity.cname.clone(),
                audio: identity.audio,
                video: identity.video,
                report_interval: config.report_interval,
                transport_cc: config.transport_cc,
            },
            Instant::now(),
        );
        let runtime = PeerRuntime::new(
            shard.handle().clone(),
            SocketSettings {
                hold_dtls: config.hold_dtls,
                drop_one_in: config.drop_one_in,
                dscp: config.dscp,
                impairment: config.impairment,
                inbound_impairment: config.inbound_impairment,
            },
            patience(&config),
            servers.clone(),
            path.clone(),
        );
        let keyring = Keyring::new(path.clone()).map_err(|error| PeerError::Stack {
            action: "set up cryptography",
            detail: error.to_string(),
        })?;
        let gathered = watch::Sender::new(false);
        let ufrag = watch::Sender::new(String::new());
        let first_mid = watch::Sender::new("0".to_owned());
        let handler = Handler {
            events: events.clone(),
            path: path.clone(),
            gathered: gathered.clone(),
            ufrag: ufrag.subscribe(),
            first_mid: first_mid.subscribe(),
            servers: servers.clone(),
            connected: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        };
        let ports = match config.ports {
            None => None,
            Some(range) => Some(Reservation::take(&config.addresses, range).ok_or_else(|| {
                PeerError::NoPort {
                    range,
                    addresses: config.addresses.clone(),
                }
            })?),
        };
        let sockets: Vec<String> = match &ports {
            Some(ports) => ports.sockets().iter().map(ToString::to_string).collect(),
            None => config
                .addresses
                .iter()
                .map(|address| std::net::SocketAddr::new(*address, 0).to_string())
                .collect(),
        };
        let configured = servers.configure(&config.addresses).await;
        let connection = PeerConnectionBuilder::new()
            .with_configuration(engine::configuration(configured, config.relay_only))
            .with_media_engine(engine::media_engine(&config.video_codecs)?)
            .with_setting_engine(engine::settings(&config, keyring))
            .with_runtime(Arc::new(runtime.clone()))
            .with_handler(Arc::new(handler))
            .with_udp_addrs(sockets)
            // So that the driver ends when the connection is dropped without being closed.
            .with_dedicated_reactor_pool_size(1)
            .build()
            .await
            .map_err(|error| PeerError::Bind {
                addresses: config.addresses.clone(),
                detail: error.to_string(),
            })?;
        let connection: Box<dyn PeerConnection> = Box::new(connection);
        let mut tracks = Vec::new();
        for (kind, _) in kinds(&config) {
            let (codec, sources) = match kind {
                Kind::Audio => (Codec::Opus, identity.audio),
                Kind::Video => (
                    config.video_codecs.first().copied().unwrap_or(Codec::Vp8),
                    identity.video,
                ),
            };
            let track = engine::track(codec, sources, &identity.stream);
            let transceiver = connection
                .add_transceiver_from_track(
                    Arc::new(TrackLocalStaticRTP::new(track)),
                    Some(RTCRtpTransceiverInit {
                        direction: RTCRtpTransceiverDirection::Sendrecv,
                        streams: Vec::new(),
                        send_encodings: Vec::new(),
                    }),
                )
                .await
                .map_err(|error| PeerError::stack("add a track", &error))?;
            if kind == Kind::Video {
                // Of itself it would offer the track's codec alone.
                transceiver
                    .set_codec_preferences(engine::codec_parameters(&config.video_codecs))
                    .await
                    .map_err(|error| PeerError::stack("set the order of codecs", &error))?;
            }
            if let Ok(Some(sender)) = transceiver.sender().await {
                tracks.push((kind, sender));
            }
        }
        if let Some((_, sender)) = tracks.first() {
            runtime.set_lookup(Lookup {
                sender: sender.clone(),
                servers: servers.clone(),
                path: path.clone(),
            });
        }
        shard.tick(&path);
        let core = Core {
            connection,
            config,
            _ports: ports,
            servers,
            identity,
            answers: AtomicU32::new(0),
            restart: AtomicBool::new(false),
            runtime,
            path,
            events,
            gathered,
            ufrag,
            first_mid,
            tracks,
            media: Mutex::default(),
        };
        Ok((Self(Arc::new(core)), receiver))
    }

    /// Takes a trickled candidate of the far end. Empty means there are no more; `.local` names
    /// and candidates over TCP are ignored.
    pub async fn add_candidate(
        &self,
        candidate: &str,
        mid: Option<&str>,
        ufrag: Option<&str>,
    ) -> Result<(), PeerError> {
        let malformed = |detail: String| PeerError::MalformedCandidate {
            candidate: candidate.chars().take(200).collect(),
            detail,
        };
        let RemoteCandidate::Usable(usable) = read_candidate(candidate).map_err(malformed)? else {
            return Ok(());
        };
        self.0
            .connection
            .add_ice_candidate(RTCIceCandidateInit {
                candidate: format!("candidate:{usable}"),
                sdp_mid: mid.map(str::to_owned),
                username_fragment: ufrag.map(str::to_owned),
                ..Default::default()
            })
            .await
            .map_err(|error| malformed(error.to_string()))
    }

    /// Lets DTLS pass from now on, beginning with what was held (`hold_dtls`).
    pub fn release_dtls(&self) {
        self.0.runtime.release_dtls();
    }

    /// What was negotiated last.
    pub fn negotiated(&self) -> Negotiated {
        self.0.media().negotiated.clone()
    }

    /// The sender of `kind`, once negotiated and if we may send.
    pub fn sender(&self, kind: Kind) -> Option<MediaSender> {
        let media = self.0.media();
        let (sender, negotiated) = match kind {
            Kind::Audio => (&media.audio, &media.negotiated.audio),
            Kind::Video => (&media.video, &media.negotiated.video),
        };
        negotiated
            .as_ref()
            .filter(|negotiated| negotiated.direction.sends())
            .and(sender.clone())
    }

    /// The pair of candidates ICE has chosen.
    pub async fn selected_pair(&self) -> Option<CandidatePairStats> {
        self.0.selected_pair().await
    }

    /// What has been measured so far.
    pub async fn stats(&self) -> PeerStats {
        let report = self
            .0
            .connection
            .get_stats(Instant::now(), StatsSelector::None)
            .await;
        let mut stats = stats::read(&report);
        stats.selected_candidate_pair = self.0.selected_pair().await;
        let path = &self.0.path;
        (stats.inbound_audio, stats.outbound_audio) = path.stats(Kind::Audio);
        (stats.inbound_video, stats.outbound_video) = path.stats(Kind::Video);
        stats.packets_discarded = path.discarded();
        stats.socket_drops = self.0.runtime.socket_drops();
        stats.link = self.0.runtime.link();
        stats
    }

    /// Ends the connection and its tasks.
    pub async fn close(&self) {
        self.0.stop();
        // What it could complain about is gone with it.
        let _ = self.0.connection.close().await;
        self.0.events.close();
    }
}

/// How long ICE may be left alone on a connection that works: half of whatever it does by time.
fn patience(config: &PeerConfig) -> Duration {
    let sooner = config.disconnected_after.min(config.failed_after);
    config.consent_interval.min(sooner) / 2
}

/// The m-lines a peer has, in the order it offers them.
pub(crate) fn kinds(config: &PeerConfig) -> Vec<(Kind, Direction)> {
    let audio = config.audio.map(|direction| (Kind::Audio, direction));
    let video = config.video.map(|direction| (Kind::Video, direction));
    audio.into_iter().chain(video).collect()
}

fn sources() -> (u32, u32) {
    (fastrand::u32(1..), fastrand::u32(1..))
}

fn word() -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(16)
        .collect()
}

impl PeerError {
    pub(crate) fn stack(action: &'static str, error: &webrtc::error::Error) -> Self {
        Self::Stack {
            action,
            detail: error.to_string(),
        }
    }
}
