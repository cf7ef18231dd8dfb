//! One media leg: the peer connection, what it sends and what it receives.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use infinity::{MediaType, NewCandidate, Statistics, TurnServer};
use media::{Acceptance, Kind};
use participant::{Gather, IceServers, PeerId, PeerInput};
use peer::{
    Direction, IceServer, Negotiated, Peer, PeerConfig, PeerError, PeerEvents, PeerStats, Shard,
    TrackReceiver,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::debug;
use url::{Host, Url};

use super::flow::Flow;
use super::ladder::Ladder;
use super::wakeup::{PeerNews, Wakeup};
use crate::Network;
use crate::listening::{Before, Listening};
use crate::names::Names;
use crate::pump::{self, Lane, Manner, Pump, PumpCommand};
use crate::receive::Inflow;
use crate::recording::Recording;
use crate::sinks::Sink;
use crate::sources::Sources;
use crate::statistics::{Counted, Meter, Pictures};

/// How many commands may wait for a peer connection. With more, candidates are left out: the
/// others find a way.
const COMMANDS: usize = 128;

/// What sound takes, with its headers, of what may be sent altogether, in bit/s.
pub(super) const SOUND: u32 = 80_000;

/// What is to be done with the connection itself, one after the other.
#[derive(Debug)]
pub(super) enum LegCommand {
    SetAnswer(String),
    AddCandidate(NewCandidate),
    AddIceServers(Vec<IceServer>),
    RestartIce,
}

/// What a leg is made of.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) id: PeerId,
    pub(super) node: Url,
    pub(super) names: Names,
    pub(super) network: Network,
    pub(super) ice: IceServers,
    pub(super) turn_tls: Arc<rustls::ClientConfig>,
    pub(super) gather: Gather,
    pub(super) media_type: Option<MediaType>,
    pub(super) video_codecs: Option<Vec<media::Codec>>,
    pub(super) listen: bool,
    pub(super) bandwidth_out: Option<u32>,
}

/// One media leg and everything that belongs to it.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: PeerId,
    pub(super) gather: Gather,
    /// The most that may be sent, sound and picture together, in kbit/s.
    pub(super) bandwidth_out: Option<u32>,
    pub(super) peer: Option<Peer>,
    pub(super) negotiated: Option<Negotiated>,
    /// Tracks that came before the answer was taken note of.
    pub(super) early: Vec<TrackReceiver>,
    pub(super) recording: Option<Recording>,
    pub(super) sinks: Vec<Sink>,
    /// Decodes what comes in, and what it found before.
    pub(super) listening: Option<(Listening, Before)>,
    pub(super) inflow: Inflow,
    pub(super) meter: Meter,
    /// The pictures that were sent.
    shown: Arc<Pictures>,
    pub(super) flow: Flow,
    pub(super) ladder: Ladder,
    /// The `a=mid` of the first candidate, for the end of candidates.
    pub(super) first_mid: Option<String>,
    pub(super) dtls: bool,
    pub(super) may_send: bool,
    pub(super) sources: Option<Sources>,
    pub(super) pump: Option<mpsc::Sender<PumpCommand>>,
    /// When media was first sent, and the RTP timestamps of that moment.
    epoch: Option<(Instant, [u32; 2])>,
    commands: mpsc::Sender<LegCommand>,
    work: JoinHandle<()>,
}

impl Leg {
    /// Begins a leg; its offer comes as a wakeup.
    pub(super) fn open(shard: &Shard, opening: Opening, wakeups: mpsc::Sender<Wakeup>) -> Self {
        let (commands, queue) = mpsc::channel(COMMANDS);
        let (id, gather, bandwidth_out) = (opening.id, opening.gather, opening.bandwidth_out);
        let work = shard.spawn(work(shard.clone(), opening, queue, wakeups));
        Self {
            id,
            gather,
            bandwidth_out,
            peer: None,
            negotiated: None,
            early: Vec::new(),
            recording: None,
            sinks: Vec::new(),
            listening: None,
            inflow: Inflow::default(),
            meter: Meter::default(),
            shown: Arc::default(),
            flow: Flow::default(),
            ladder: Ladder::default(),
            first_mid: None,
            dtls: false,
            may_send: false,
            sources: None,
            pump: None,
            epoch: None,
            commands,
            work,
        }
    }

    /// Has the connection do something.
    pub(super) fn command(&self, command: LegCommand) {
        if let Err(error) = self.commands.try_send(command) {
            debug!(%error, "the peer connection is busy or gone; left out");
        }
    }

    /// Tells the pump something, if there is one. Returns whether a pump that is there took it.
    pub(super) fn tell_pump(&self, command: PumpCommand) -> bool {
        let Some(pump) = &self.pump else { return true };
        let told = pump.try_send(command);
        if let Err(error) = &told {
            debug!(%error, "the pump is busy or gone; left out");
        }
        told.is_ok()
    }

    /// Returns what the far end takes of a picture, and the way to it, as far as is known now.
    pub(super) fn accepted(&self) -> Option<Acceptance> {
        let video = self.negotiated.as_ref()?.video.as_ref()?;
        let left = self
            .bandwidth_out
            .map(|kilobits| kilobits.saturating_mul(1000).saturating_sub(SOUND));
        let limits = [video.max_bitrate, left, self.ladder.limit()];
        let written = video.format_parameters.as_deref().unwrap_or_default();
        let most = limits.into_iter().flatten().min();
        Some(Acceptance::read(video.codec, written, most))
    }

    /// Has the connection measured; what comes of it is a wakeup.
    pub(super) fn measure(&self, shard: &Shard, wakeups: &mpsc::Sender<Wakeup>) {
        let Some(peer) = self.peer.clone() else {
            return;
        };
        let (id, wakeups) = (self.id, wakeups.clone());
        shard.spawn(async move {
            let news = PeerNews::Measured(Box::new(peer.stats().await));
            // A loop that is gone needs no figures.
            let _ = wakeups.send(Wakeup::Peer(id, news)).await;
        });
    }

    /// Returns the figures that come of a measurement; nothing before there is an answer.
    pub(super) fn figures(&mut self, now: Instant, stats: &PeerStats) -> Option<Statistics> {
        let negotiated = self.negotiated.as_ref()?;
        let seen = &self.inflow.pictures;
        Some(
            self.meter
                .measure(now, stats, negotiated, seen, &self.shown),
        )
    }

    /// Starts sending, as soon as all that it takes is there.
    pub(super) fn start_pump(
        &mut self,
        shard: &Shard,
        manner: Manner,
        random: &mut fastrand::Rng,
        now: Instant,
        wakeups: &mpsc::Sender<Wakeup>,
    ) -> bool {
        if !(self.dtls && self.may_send && self.pump.is_none()) {
            return false;
        }
        let (Some(peer), Some(sources)) = (&self.peer, &self.sources) else {
            return false;
        };
        let (epoch, bases) = *self
            .epoch
            .get_or_insert_with(|| (now, [random.u32(..), random.u32(..)]));
        let lane = |kind, base, idle: &Option<_>, part: &Option<_>| {
            let idle = Arc::clone(idle.as_ref()?);
            let sink = Counted {
                sender: peer.sender(kind)?,
                pictures: Arc::clone(&self.shown),
            };
            Some(Lane::new(sink, idle, part.clone(), base, epoch))
        };
        let audio = lane(Kind::Audio, bases[0], &sources.silence, &sources.audio);
        let video = lane(Kind::Video, bases[1], &sources.slate, &sources.video);
        if audio.is_none() && video.is_none() {
            return false;
        }
        let (commands, queue) = mpsc::channel(pump::QUEUE);
        let (events, mut told) = mpsc::channel(pump::QUEUE);
        shard.spawn(pump::run(
            Pump::new(audio, video, manner, now),
            queue,
            events,
        ));
        let (id, wakeups) = (self.id, wakeups.clone());
        shard.spawn(async move {
            while let Some(event) = told.recv().await {
                if wakeups
                    .send(Wakeup::Peer(id, PeerNews::Pump(event)))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        });
        self.pump = Some(commands);
        self.flow.sends(now);
        true
    }

    /// Closes the connection. Waits until it is closed, and gives back what must be completed.
    pub(super) async fn close(self) -> (Option<Recording>, Vec<Sink>) {
        let Self {
            commands,
            pump,
            peer,
            work,
            recording,
            sinks,
            early,
            ..
        } = self;
        drop((commands, pump, early));
        match peer {
            Some(peer) => peer.close().await,
            // Still being made: whoever makes it closes it, since nobody commands it any more.
            None => work.abort(),
        }
        (recording, sinks)
    }
}

/// Makes the connection and does what is commanded, until nobody commands it any more.
async fn work(
    shard: Shard,
    opening: Opening,
    mut commands: mpsc::Receiver<LegCommand>,
    wakeups: mpsc::Sender<Wakeup>,
) {
    let (id, gather) = (opening.id, opening.gather);
    let tell = async |news| {
        // A loop that is gone needs no news.
        let _ = wakeups.send(Wakeup::Peer(id, news)).await;
    };
    let failed = |error: PeerError| PeerNews::Input(PeerInput::Failed(error.to_string()));
    let offered = |offer: Result<String, PeerError>| match offer {
        Ok(offer) => PeerNews::Input(PeerInput::Offer(offer)),
        Err(error) => failed(error),
    };
    let addresses = match opening.network.addresses.as_slice() {
        [] => local_addresses(&opening.node, &opening.names).await,
        chosen => chosen.to_vec(),
    };
    let (peer, events) = match Peer::offerer(&shard, config(opening, addresses)).await {
        Ok(made) => made,
        Err(error) => return tell(failed(error)).await,
    };
    tell(PeerNews::Made(peer.clone())).await;
    shard.spawn(forward(id, events, wakeups.clone()));
    tell(offered(offer(&peer, gather).await)).await;
    while let Some(command) = commands.recv().await {
        match command {
            LegCommand::SetAnswer(answer) => match peer.set_answer(&answer).await {
                Ok(negotiated) => tell(PeerNews::Negotiated(negotiated)).await,
                Err(error) => tell(failed(error)).await,
            },
            LegCommand::AddCandidate(candidate) => {
                let NewCandidate {
                    candidate,
                    mid,
                    ufrag,
                    ..
                } = candidate;
                let mid = Some(mid.as_str()).filter(|mid| !mid.is_empty());
                if let Err(error) = peer.add_candidate(&candidate, mid, ufrag.as_deref()).await {
                    debug!(%error, "a candidate of the node's is left out");
                }
            }
            LegCommand::AddIceServers(servers) => peer.add_ice_servers(servers),
            LegCommand::RestartIce => {
                peer.restart_ice();
                tell(offered(offer(&peer, gather).await)).await;
            }
        }
    }
    peer.close().await;
}

async fn offer(peer: &Peer, gather: Gather) -> Result<String, PeerError> {
    match gather {
        Gather::First => peer.gathered_offer().await,
        Gather::Trickle => peer.create_offer().await,
    }
}

async fn forward(id: PeerId, mut events: PeerEvents, wakeups: mpsc::Sender<Wakeup>) {
    while let Some(event) = events.recv().await {
        if wakeups
            .send(Wakeup::Peer(id, PeerNews::Event(event)))
            .await
            .is_err()
        {
            return;
        }
    }
}

fn config(opening: Opening, addresses: Vec<IpAddr>) -> PeerConfig {
    let direction = if opening.listen {
        Direction::SendRecv
    } else {
        Direction::SendOnly
    };
    let with_video = opening.media_type != Some(MediaType::Audio);
    let video_codecs = opening.video_codecs.filter(|_| with_video);
    let stun = opening.ice.stun.into_iter().map(|server| IceServer {
        urls: vec![server.url],
        ..IceServer::default()
    });
    let turn = opening.ice.turn.into_iter().map(turn_server);
    PeerConfig {
        addresses,
        ports: opening.network.ports,
        dscp: opening.network.dscp,
        impairment: opening.network.impairment,
        inbound_impairment: opening.network.inbound_impairment,
        ice_servers: stun.chain(turn).collect(),
        tls: Some(opening.turn_tls),
        relay_only: opening.ice.relay_only,
        audio: Some(direction),
        video: video_codecs.as_ref().map(|_| direction),
        video_codecs: video_codecs.unwrap_or_default(),
        ..PeerConfig::default()
    }
}

/// Returns a TURN server as the peer connection wants it.
pub(super) fn turn_server(server: TurnServer) -> IceServer {
    IceServer {
        urls: server.urls,
        username: server.username,
        credential: server
            .credential
            .map(|word| word.expose().to_owned())
            .unwrap_or_default(),
    }
}

/// Returns the addresses of this machine from which the node can be reached.
async fn local_addresses(node: &Url, names: &Names) -> Vec<IpAddr> {
    let address = match node.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let found = names.addresses(name).await.unwrap_or_default();
            found.first().copied()
        }
        None => None,
    };
    match address {
        Some(address) => peer::local_addresses_towards(address),
        None => peer::local_addresses(),
    }
}
