//! Stands where the room will: the signature, and a refusal.

use infinity::{CallUuid, ParticipantUuid};
use peer::Shard;
use tokio::sync::mpsc;

use crate::room::{Admission, CallRefused, CallSettings, RoomEvent, RoomSettings};

pub(crate) struct Room(mpsc::Sender<RoomEvent>);

impl Room {
    pub(crate) fn new(_: Shard, _: RoomSettings) -> (Self, mpsc::Receiver<RoomEvent>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }
    pub(crate) async fn call(
        &self,
        _: ParticipantUuid,
        _: CallUuid,
        _: &str,
        _: CallSettings,
    ) -> Result<String, CallRefused> {
        self.no().await
    }
    async fn no(&self) -> Result<String, CallRefused> {
        let _ = self.0.is_closed();
        Err(CallRefused::Failed("media is not there yet".to_owned()))
    }
    pub(crate) async fn update(&self, _: &CallUuid, _: &str) -> Result<String, CallRefused> {
        self.no().await
    }
    pub(crate) async fn candidate(
        &self,
        _: &CallUuid,
        _: &str,
        _: &str,
        _: Option<&str>,
    ) -> Result<(), CallRefused> {
        self.no().await.map(|_| ())
    }
    pub(crate) fn ack(&self, _: &CallUuid) {}
    pub(crate) fn hang_up(&self, _: &CallUuid) {}
    pub(crate) fn set_muted(&self, _: &ParticipantUuid, _: bool) {}
    pub(crate) fn set_admission(&self, _: &ParticipantUuid, _: Admission) {}
}
