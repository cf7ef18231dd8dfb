//! What all clones of a peer share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32},
    },
    time::Duration,
};

use media::Kind;
use tokio::sync::watch;
use webrtc::{
    media_stream::track_local::static_rtp::TrackLocalStaticRTP, peer_connection::PeerConnection,
    rtp_transceiver::RtpSender,
};

use crate::{
    CandidatePairStats, MediaSender, Negotiated, PeerConfig, PeerError, engine,
    path::{Format, MediaPath},
    ports::Reservation,
    relay::Servers,
    route::selected_pair,
    runtime::PeerRuntime,
    sdp::{Chosen, Identity},
    sink::EventSink,
    stats,
};

/// Gathering ends by itself; a STUN server that does not answer must not hold a call up.
const MAX_GATHERING: Duration = Duration::from_secs(3);

/// The connection, and what belongs to it.
pub(crate) struct Core {
    pub(crate) connection: Box<dyn PeerConnection>,
    pub(crate) config: PeerConfig,
    /// Ours for as long as the connection may bind them.
    pub(crate) _ports: Option<Reservation>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) identity: Identity,
    pub(crate) answers: AtomicU32,
    pub(crate) restart: AtomicBool,
    pub(crate) runtime: PeerRuntime,
    pub(crate) path: Arc<MediaPath>,
    pub(crate) events: EventSink,
    pub(crate) gathered: watch::Sender<bool>,
    pub(crate) ufrag: watch::Sender<String>,
    pub(crate) first_mid: watch::Sender<String>,
    pub(crate) tracks: Vec<(Kind, Arc<dyn RtpSender>)>,
    pub(crate) media: Mutex<Media>,
}

/// What was negotiated, and its senders.
#[derive(Default)]
pub(crate) struct Media {
    pub(crate) negotiated: Negotiated,
    pub(crate) audio: Option<MediaSender>,
    pub(crate) video: Option<MediaSender>,
}

impl Core {
    /// Lets no more media in or out.
    pub(crate) fn stop(&self) {
        self.path.close();
    }

    /// The pair ICE has chosen, and the TURN server it goes through.
    pub(crate) async fn selected_pair(&self) -> Option<CandidatePairStats> {
        let (_, sender) = self.tracks.first()?;
        let pair = selected_pair(sender).await?;
        let mut pair = stats::pair(pair.local(), pair.remote())?;
        if pair.local_type == "relay" {
            pair.relay = self.servers.relay_of(pair.local);
        }
        Some(pair)
    }

    pub(crate) fn media(&self) -> MutexGuard<'_, Media> {
        self.media.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before gathering begins anew.
    pub(crate) fn begin_gathering(&self, ufrag: &str, first_mid: &str) {
        self.gathered.send_replace(false);
        self.ufrag.send_replace(ufrag.to_owned());
        self.first_mid.send_replace(first_mid.to_owned());
    }

    /// Waits until all candidates are known, or long enough.
    pub(crate) async fn gathered(&self) {
        let mut gathered = self.gathered.subscribe();
        let all = gathered.wait_for(|gathered| *gathered);
        if tokio::time::timeout(MAX_GATHERING, all).await.is_err() {
            tracing::warn!("gathering takes too long; going on with the candidates known so far");
        }
    }

    /// Tells webrtc's senders which codec was chosen; before it applies the remote description.
    pub(crate) async fn prepare_tracks(&self, chosen: &Chosen) -> Result<(), PeerError> {
        for (kind, sender) in &self.tracks {
            let (line, sources) = match kind {
                Kind::Audio => (&chosen.audio, self.identity.audio),
                Kind::Video => (&chosen.video, self.identity.video),
            };
            let Some(line) = line else { continue };
            let track = engine::track(line.codec.codec, sources, &self.identity.stream);
            sender
                .replace_track(Arc::new(TrackLocalStaticRTP::new(track)))
                .await
                .map_err(|error| PeerError::stack("set a track's codec", &error))?;
        }
        Ok(())
    }

    /// Takes note of what was agreed; senders keep their numbers over renegotiation.
    pub(crate) fn agree(&self, chosen: &Chosen) -> Negotiated {
        let mut formats = Vec::new();
        let mut media = self.media();
        media.negotiated = Negotiated {
            audio: chosen.audio.as_ref().map(|line| line.codec.clone()),
            video: chosen.video.as_ref().map(|line| line.codec.clone()),
        };
        for line in chosen.lines() {
            let negotiated = &line.codec;
            formats.push(Format {
                codec: negotiated.codec,
                payload_type: negotiated.payload_type,
                rtx_payload_type: negotiated.rtx_payload_type,
                mid: negotiated.mid.clone(),
                nack: line.nack,
                transport_wide: line.transport_wide,
                sources: line.sources.clone(),
            });
            let sender = match negotiated.codec.kind() {
                Kind::Audio => &mut media.audio,
                Kind::Video => &mut media.video,
            };
            *sender = Some(MediaSender::new(negotiated.codec, self.path.clone()));
        }
        let negotiated = media.negotiated.clone();
        drop(media);
        self.path.set_formats(formats);
        negotiated
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.stop();
        self.events.close();
    }
}
