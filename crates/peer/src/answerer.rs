//! The side that answers: a Conferencing Node.

use std::sync::atomic::Ordering;

use webrtc::peer_connection::RTCSessionDescription;

use crate::{
    Peer, PeerConfig, PeerError, PeerEvents, Shard,
    sdp::{Description, choose, expand_wildcard_feedback, node_form, toward_webrtc},
};

impl Peer {
    /// A peer that answers `offer`; the answer is complete and in the form real nodes use.
    ///
    /// # Errors
    ///
    /// Fails if the offer is malformed, or has nothing in common with us. An m-line we do not take
    /// is rejected in the answer.
    pub async fn answerer(
        shard: &Shard,
        config: PeerConfig,
        offer: &str,
    ) -> Result<(Self, PeerEvents, String), PeerError> {
        // Before any socket is opened.
        read_offer(offer, &config)?;
        let (peer, events) = Self::build(shard, config).await?;
        match peer.accept_update(offer).await {
            Ok(answer) => Ok((peer, events, answer)),
            Err(error) => {
                peer.close().await;
                Err(error)
            }
        }
    }

    /// Answers a further offer on this connection: an ICE restart, or a change of direction.
    pub async fn accept_update(&self, offer: &str) -> Result<String, PeerError> {
        let core = &self.0;
        let (offer, chosen, text) = read_offer(offer, &core.config)?;
        let remote =
            RTCSessionDescription::offer(text).map_err(|error| malformed(error.to_string()))?;
        core.prepare_tracks(&chosen).await?;
        core.connection
            .set_remote_description(remote)
            .await
            .map_err(|error| malformed(error.to_string()))?;
        let answer = core
            .connection
            .create_answer(None)
            .await
            .map_err(|error| PeerError::stack("create an answer", &error))?;
        let own = Description::parse(&answer.sdp).map_err(unreadable)?;
        core.begin_gathering(
            own.transport_attribute(0, "ice-ufrag").unwrap_or(""),
            &offer.mid(0),
        );
        core.connection
            .set_local_description(answer)
            .await
            .map_err(|error| PeerError::stack("apply our answer", &error))?;
        core.agree(&chosen);
        core.gathered().await;
        let local = core
            .connection
            .local_description()
            .await
            .ok_or(PeerError::Closed)?;
        let local = Description::parse(&local.sdp).map_err(unreadable)?;
        let version = core.answers.fetch_add(1, Ordering::Relaxed) + 1;
        node_form(&offer, &chosen, &local, &core.identity, version).map_err(unreadable)
    }
}

fn read_offer(
    offer: &str,
    config: &PeerConfig,
) -> Result<(Description, crate::sdp::Chosen, String), PeerError> {
    let offer = Description::parse(&expand_wildcard_feedback(offer)).map_err(malformed)?;
    let chosen = choose(&offer, config.audio, config.video, &config.video_codecs);
    let mids: Vec<String> = chosen
        .lines()
        .iter()
        .map(|line| line.codec.mid.clone())
        .collect();
    let bundle = offer.bundle();
    if mids.len() > 1 && !mids.iter().all(|mid| bundle.contains(&mid.as_str())) {
        return Err(malformed(
            "its m-lines are not bundled, and we have one transport".into(),
        ));
    }
    let text = toward_webrtc(&offer, &chosen, &[]).map_err(malformed)?;
    Ok((offer, chosen, text))
}

fn malformed(detail: String) -> PeerError {
    PeerError::MalformedSdp {
        what: "offer",
        detail,
    }
}

fn unreadable(detail: String) -> PeerError {
    PeerError::Stack {
        action: "describe this peer",
        detail,
    }
}
