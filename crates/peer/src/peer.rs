//! One media leg.

use media::Kind;

use crate::{MediaSender, Negotiated, PeerConfig, PeerError, PeerEvents, PeerStats, Shard};

/// One media leg. Cheap to clone; the connection ends with [`Peer::close`] or the last clone.
#[derive(Debug, Clone)]
pub struct Peer {}

impl Peer {
    /// A peer that makes the offer.
    pub async fn offerer(
        shard: &Shard,
        config: PeerConfig,
    ) -> Result<(Self, PeerEvents), PeerError> {
        let _ = (shard, config);
        Err(PeerError::Closed)
    }

    /// A peer that answers `offer`; the answer is complete and in the form real nodes use.
    pub async fn answerer(
        shard: &Shard,
        config: PeerConfig,
        offer: &str,
    ) -> Result<(Self, PeerEvents, String), PeerError> {
        let _ = (shard, config, offer);
        Err(PeerError::Closed)
    }

    /// Makes an offer and starts gathering. Candidates may still come, as events.
    pub async fn create_offer(&self) -> Result<String, PeerError> {
        Err(PeerError::Closed)
    }

    /// The offer of [`Peer::create_offer`] with all candidates in it; makes one if there is none.
    pub async fn gathered_offer(&self) -> Result<String, PeerError> {
        Err(PeerError::Closed)
    }

    /// Takes the answer to the last offer.
    pub async fn set_answer(&self, answer: &str) -> Result<Negotiated, PeerError> {
        let _ = answer;
        Err(PeerError::Closed)
    }

    /// Makes the next offer restart ICE (RFC 8445 §9); call [`Peer::create_offer`] afterwards.
    pub async fn restart_ice(&self) -> Result<(), PeerError> {
        Err(PeerError::Closed)
    }

    /// Answers a further offer on this connection: an ICE restart, or a change of direction.
    pub async fn accept_update(&self, offer: &str) -> Result<String, PeerError> {
        let _ = offer;
        Err(PeerError::Closed)
    }

    /// Takes a trickled candidate of the far end. Empty means there are no more; `.local` names
    /// are ignored.
    pub async fn add_candidate(
        &self,
        candidate: &str,
        mid: Option<&str>,
        ufrag: Option<&str>,
    ) -> Result<(), PeerError> {
        let _ = (candidate, mid, ufrag);
        Err(PeerError::Closed)
    }

    /// Lets DTLS pass from now on, beginning with what was held (`hold_dtls`).
    pub fn release_dtls(&self) {}

    /// What was negotiated last.
    pub fn negotiated(&self) -> Negotiated {
        Negotiated::default()
    }

    /// The sender of `kind`, once negotiated and if we may send.
    pub fn sender(&self, kind: Kind) -> Option<MediaSender> {
        let _ = kind;
        None
    }

    /// What has been measured so far.
    pub async fn stats(&self) -> PeerStats {
        PeerStats::default()
    }

    /// Ends the connection and its tasks.
    pub async fn close(&self) {}
}
