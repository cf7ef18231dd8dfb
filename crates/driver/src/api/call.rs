//! The handle of a call.

use infinity::{
    CallUuid, Command, Digits, Dtmf, NewCandidate, Response, Statistics, Update, UpdateAccepted,
};

use super::{ApiError, Participant};

/// A call of a participant, that is, a media leg; cheap to clone.
#[derive(Debug, Clone)]
pub struct Call {
    participant: Participant,
    uuid: CallUuid,
}

impl Call {
    pub(super) fn new(participant: Participant, uuid: CallUuid) -> Self {
        Self { participant, uuid }
    }

    /// Returns its id.
    pub fn uuid(&self) -> &CallUuid {
        &self.uuid
    }

    /// Returns whose call it is.
    pub fn participant(&self) -> &Participant {
        &self.participant
    }

    /// Starts its media. The node may answer late, when there is media to send.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn ack(&self) -> Result<(), ApiError> {
        let participant = self.participant.uuid().clone();
        self.have_done(Command::Ack(participant, self.uuid.clone()))
            .await
    }

    /// Hangs up.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn disconnect(&self) -> Result<(), ApiError> {
        let participant = self.participant.uuid().clone();
        self.have_done(Command::DisconnectCall(participant, self.uuid.clone()))
            .await
    }

    /// Presses telephone keys towards the far end of a gateway call.
    ///
    /// # Errors
    /// When it is no gateway call, or the node refuses or cannot be reached.
    pub async fn dtmf(&self, digits: Digits) -> Result<(), ApiError> {
        let participant = self.participant.uuid().clone();
        self.have_done(Command::CallDtmf(
            participant,
            self.uuid.clone(),
            Dtmf { digits },
        ))
        .await
    }

    /// Adds a candidate (RFC 8838); an empty one says that there are no more.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn new_candidate(&self, candidate: NewCandidate) -> Result<(), ApiError> {
        let participant = self.participant.uuid().clone();
        self.have_done(Command::NewCandidate(
            participant,
            self.uuid.clone(),
            candidate,
        ))
        .await
    }

    /// Renegotiates with a new offer, and returns the answer.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn update(&self, update: Update) -> Result<UpdateAccepted, ApiError> {
        let participant = self.participant.uuid().clone();
        let command = Command::Update(participant, self.uuid.clone(), update);
        match self.participant.conference().ask(command).await? {
            Response::UpdateAccepted(accepted) => Ok(accepted),
            _ => Err(ApiError::mismatch("update")),
        }
    }

    /// Tells the node what was measured of the call's media.
    ///
    /// # Errors
    /// When the node refuses or cannot be reached, as with every request here.
    pub async fn statistics(&self, statistics: Statistics) -> Result<(), ApiError> {
        let participant = self.participant.uuid().clone();
        let command = Command::Statistics(participant, self.uuid.clone(), Box::new(statistics));
        self.have_done(command).await
    }

    async fn have_done(&self, command: Command) -> Result<(), ApiError> {
        self.participant.conference().have_done(command).await
    }
}
