//! The side that makes the offer: a participant.

use std::sync::atomic::Ordering;

use rtc::peer_connection::configuration::RTCOfferOptions;
use webrtc::peer_connection::RTCSessionDescription;

use crate::{
    IceServer, Negotiated, Peer, PeerConfig, PeerError, PeerEvents, Shard, engine,
    peer::kinds,
    sdp::{Description, choose_in_answer, expand_wildcard_feedback, present_offer, toward_webrtc},
};

impl Peer {
    /// A peer that makes the offer.
    pub async fn offerer(
        shard: &Shard,
        config: PeerConfig,
    ) -> Result<(Self, PeerEvents), PeerError> {
        Self::build(shard, config).await
    }

    /// Makes an offer and starts gathering. Candidates may still come, as events.
    pub async fn create_offer(&self) -> Result<String, PeerError> {
        let core = &self.0;
        let ice_restart = core.restart.swap(false, Ordering::AcqRel);
        if ice_restart {
            self.renew_servers().await?;
        }
        let options = RTCOfferOptions { ice_restart };
        let offer = core
            .connection
            .create_offer(Some(options))
            .await
            .map_err(|error| PeerError::stack("create an offer", &error))?;
        let offered = kinds(&core.config);
        let text = present_offer(&offer.sdp, &offered).map_err(own)?;
        let description = Description::parse(&offer.sdp).map_err(own)?;
        core.begin_gathering(
            description
                .transport_attribute(0, "ice-ufrag")
                .unwrap_or(""),
            &description.mid(0),
        );
        core.connection
            .set_local_description(offer)
            .await
            .map_err(|error| PeerError::stack("apply our offer", &error))?;
        Ok(text)
    }

    /// The offer of [`Peer::create_offer`] with all candidates in it; makes one if there is none.
    pub async fn gathered_offer(&self) -> Result<String, PeerError> {
        let core = &self.0;
        if core.connection.pending_local_description().await.is_none() {
            self.create_offer().await?;
        }
        core.gathered().await;
        let offer = core
            .connection
            .pending_local_description()
            .await
            .ok_or(PeerError::Closed)?;
        present_offer(&offer.sdp, &kinds(&core.config)).map_err(own)
    }

    /// Takes the answer to the last offer.
    ///
    /// # Errors
    ///
    /// Fails if it is no answer to our offer, or one that cannot be carried out. A rejected m-line
    /// is none of these: it is `None` in the result.
    pub async fn set_answer(&self, answer: &str) -> Result<Negotiated, PeerError> {
        let core = &self.0;
        let malformed = |detail| PeerError::MalformedSdp {
            what: "answer",
            detail,
        };
        let answer = Description::parse(&expand_wildcard_feedback(answer)).map_err(malformed)?;
        let offered = kinds(&core.config);
        let chosen = choose_in_answer(&answer, &offered, &core.config.video_codecs)
            .map_err(PeerError::UnusableAnswer)?;
        if chosen.lines().is_empty() {
            return Err(PeerError::UnusableAnswer("every m-line is rejected".into()));
        }
        let taken: Vec<usize> = chosen.lines().iter().map(|line| line.index).collect();
        let rejected: Vec<_> = offered
            .iter()
            .enumerate()
            .filter(|(index, _)| !taken.contains(index))
            .map(|(index, (kind, _))| (index, *kind))
            .collect();
        let text = toward_webrtc(&answer, &chosen, &rejected).map_err(malformed)?;
        let description =
            RTCSessionDescription::answer(text).map_err(|error| malformed(error.to_string()))?;
        core.prepare_tracks(&chosen).await?;
        core.connection
            .set_remote_description(description)
            .await
            .map_err(|error| PeerError::UnusableAnswer(error.to_string()))?;
        Ok(core.agree(&chosen))
    }

    /// Adds STUN and TURN servers, which are used from the next restart of ICE on.
    pub fn add_ice_servers(&self, servers: Vec<IceServer>) {
        self.0.servers.add(servers);
    }

    /// Makes the next offer restart ICE (RFC 8445 §9), with new relayed addresses; call
    /// [`Peer::create_offer`] afterwards.
    pub fn restart_ice(&self) {
        self.0.restart.store(true, Ordering::Release);
    }

    /// Looks ICE servers up anew. The relayed addresses of before may be gone, and webrtc would
    /// offer them again.
    async fn renew_servers(&self) -> Result<(), PeerError> {
        let core = &self.0;
        if core.servers.is_empty() {
            return Ok(());
        }
        let servers = core.servers.configure(&core.config.addresses).await;
        core.connection
            .set_configuration(engine::configuration(servers, core.config.relay_only))
            .await
            .map_err(|error| PeerError::stack("take other ICE servers", &error))
    }
}

/// Our own description should be readable to ourselves.
fn own(detail: String) -> PeerError {
    PeerError::Stack {
        action: "describe this peer",
        detail,
    }
}
