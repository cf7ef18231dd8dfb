//! Chat.

use infinity::event::Message;
use infinity::{Event, MessageText, ParticipantUuid, Refusal, Response};

use super::Conference;
use crate::room::Admission;

impl Conference {
    /// Sends a chat message to everybody in the conference, or to `to` alone.
    pub(super) fn message(
        &mut self,
        me: &ParticipantUuid,
        to: Option<&ParticipantUuid>,
        text: &MessageText,
    ) -> Result<Response, Refusal> {
        let sender = self.find(me)?;
        if sender.admission == Admission::Waiting {
            return Err(Refusal::Denied("Not in the conference yet".to_owned()));
        }
        let message = Message {
            origin: sender.display_name.clone(),
            uuid: me.to_string(),
            media_type: text.media_type.clone(),
            payload: text.payload.clone(),
            direct: to.is_some(),
        };
        if let Some(to) = to {
            self.find(to)?;
        }
        let hears = |who: &ParticipantUuid| {
            to.is_none_or(|to| to == who)
                && self
                    .participants
                    .iter()
                    .any(|one| one.uuid == *who && one.admission == Admission::InConference)
        };
        let streams = self.streams.of_any(hears);
        self.send(streams, Event::MessageReceived(message));
        Ok(Response::Done(true))
    }
}
