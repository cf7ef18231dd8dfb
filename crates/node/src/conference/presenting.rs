//! The floor: who presents, and who is told of it.

use std::time::{Duration, Instant};

use infinity::event::PresentationStart;
use infinity::{Event, ParticipantUuid, Refusal, Response};

use super::participant::Participant;
use super::{Conference, Requester};
use crate::room::Admission;

/// How often there is a new picture of a presentation.
const PICTURE_EVERY: Duration = Duration::from_secs(5);

/// When the pictures of a presentation are made: its first one, and the next.
pub(super) struct Pictures {
    since: Instant,
    next: Instant,
}

impl Conference {
    /// Makes `me` the presenter, in place of whoever presents.
    pub(super) fn take_floor(
        &mut self,
        now: Instant,
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
            self.pictures = Some(Pictures {
                since: now,
                next: now + PICTURE_EVERY,
            });
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
        self.pictures = None;
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
        for event in self.presentation_for(viewer) {
            self.send(self.streams.of(viewer), event);
        }
    }

    /// Tells `viewer` that it sees the presentation no longer, if there is one.
    pub(super) fn hide_presentation(&mut self, viewer: &ParticipantUuid) {
        if self.presenter().is_some_and(|one| one.uuid != *viewer) {
            self.send(self.streams.of(viewer), Event::PresentationStop);
        }
    }

    /// Returns what `viewer` is told of the presentation, if anything: who presents, and that there
    /// is a picture.
    pub(super) fn presentation_for(&self, viewer: &ParticipantUuid) -> Vec<Event> {
        let presenter = || {
            let viewer = self.participants.iter().find(|one| one.uuid == *viewer)?;
            self.presenter()
                .filter(|presenter| sees(viewer) && viewer.uuid != presenter.uuid)
        };
        let start = presenter().map(|presenter| {
            Event::PresentationStart(PresentationStart {
                presenter_name: presenter.display_name.clone(),
                presenter_uri: presenter.display_name.clone(),
                presenter_uuid: presenter.uuid.to_string(),
            })
        });
        let frame = start.is_some().then_some(Event::PresentationFrame);
        start.into_iter().chain(frame).collect()
    }

    /// When there is a new picture of the presentation.
    pub(super) fn next_picture(&self) -> Option<Instant> {
        self.pictures.as_ref().map(|pictures| pictures.next)
    }

    /// Tells those who see the presentation of a new picture, if it is time.
    pub(super) fn renew_picture(&mut self, now: Instant) {
        let Some(pictures) = self.pictures.as_mut().filter(|one| one.next <= now) else {
            return;
        };
        pictures.next = now + PICTURE_EVERY;
        let viewers = self.streams.of_any(|who| {
            let viewer = self.participants.iter().find(|one| one.uuid == *who);
            viewer.is_some_and(|one| sees(one) && !one.is_presenting)
        });
        self.send(viewers, Event::PresentationFrame);
    }

    /// Returns what stands on the latest picture of the presentation.
    ///
    /// # Errors
    /// When nobody presents, or the presentation is not for who asks.
    pub fn presentation_picture(
        &mut self,
        now: Instant,
        by: Requester<'_>,
    ) -> Result<String, Refusal> {
        let me = self.requester(now, by.token)?;
        if !sees(self.find(&me)?) {
            return Err(Refusal::Denied("Presentations are denied".to_owned()));
        }
        let (Some(presenter), Some(pictures)) = (self.presenter(), &self.pictures) else {
            return Err(Refusal::NotFound("Nobody presents".to_owned()));
        };
        let latest = pictures.next - PICTURE_EVERY;
        let since = latest.saturating_duration_since(pictures.since).as_secs();
        Ok(format!(
            "{} presents\nfor {}:{:02}\nA picture made by the practice node",
            presenter.display_name,
            since / 60,
            since % 60
        ))
    }

    fn presenter(&self) -> Option<&Participant> {
        self.participants.iter().find(|one| one.is_presenting)
    }
}

fn sees(viewer: &Participant) -> bool {
    viewer.may_see_presentation && viewer.admission == Admission::InConference
}
