//! The floor: who presents, and who is told of it.

use infinity::event::PresentationStart;
use infinity::{Event, ParticipantUuid, Refusal, Response};

use super::Conference;
use super::participant::Participant;
use crate::room::Admission;

impl Conference {
    /// Makes `me` the presenter, in place of whoever presents.
    pub(super) fn take_floor(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
    ) -> Result<Response, Refusal> {
        let participant = self.find(who)?;
        if me != who || participant.admission == Admission::Waiting {
            return Err(Refusal::Denied("The floor is not yours".to_owned()));
        }
        if !participant.is_presenting {
            let before = self.presenter().map(|one| one.uuid.clone());
            for (uuid, presents) in before
                .into_iter()
                .map(|uuid| (uuid, false))
                .chain([(who.clone(), true)])
            {
                self.find(&uuid)?.is_presenting = presents;
                self.announce(&uuid);
            }
            let viewers = self.participants.iter().map(|one| one.uuid.clone());
            for viewer in viewers.collect::<Vec<_>>() {
                self.show_presentation(&viewer);
            }
        }
        Ok(Response::FloorChanged)
    }

    /// Ends the presentation of `me`, if it presents.
    pub(super) fn release_floor(
        &mut self,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
    ) -> Result<Response, Refusal> {
        let participant = self.find(who)?;
        if me != who {
            return Err(Refusal::Denied("The floor is not yours".to_owned()));
        }
        if std::mem::take(&mut participant.is_presenting) {
            self.announce(who);
            self.presentation_ended(who);
        }
        Ok(Response::FloorChanged)
    }

    /// Tells everyone who was told of the presentation that it has ended; its presenter knows.
    pub(super) fn presentation_ended(&mut self, presenter: &ParticipantUuid) {
        let viewers = self.streams.of_any(|who| {
            who != presenter
                && self
                    .participants
                    .iter()
                    .any(|one| one.uuid == *who && sees(one))
        });
        self.send(viewers, Event::PresentationStop);
    }

    /// Tells `viewer` who presents, if somebody does and it may see it. Never the presenter itself:
    /// official clients take that for the loss of the floor.
    pub(super) fn show_presentation(&mut self, viewer: &ParticipantUuid) {
        if let Some(event) = self.presentation_for(viewer) {
            self.send(self.streams.of(viewer), event);
        }
    }

    /// Tells `viewer` that it sees the presentation no longer, if there is one.
    pub(super) fn hide_presentation(&mut self, viewer: &ParticipantUuid) {
        if self.presenter().is_some_and(|one| one.uuid != *viewer) {
            self.send(self.streams.of(viewer), Event::PresentationStop);
        }
    }

    /// Returns what `viewer` is told of the presentation.
    pub(super) fn presentation_for(&self, viewer: &ParticipantUuid) -> Option<Event> {
        let presenter = self.presenter()?;
        let viewer = self.participants.iter().find(|one| one.uuid == *viewer)?;
        (sees(viewer) && viewer.uuid != presenter.uuid).then(|| {
            Event::PresentationStart(PresentationStart {
                presenter_name: presenter.display_name.clone(),
                presenter_uri: presenter.display_name.clone(),
                presenter_uuid: presenter.uuid.to_string(),
            })
        })
    }

    fn presenter(&self) -> Option<&Participant> {
        self.participants.iter().find(|one| one.is_presenting)
    }
}

fn sees(viewer: &Participant) -> bool {
    viewer.may_see_presentation && viewer.admission == Admission::InConference
}
