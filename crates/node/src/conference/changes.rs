//! What participants and hosts change about how a participant stands.

use std::time::{Duration, Instant};

use infinity::{Change, Event, ParticipantUuid, Refusal, Response, Role};

use super::Conference;
use super::effect::Effect;

impl Conference {
    /// Changes how `who` stands. What is anybody's own affair needs no host.
    pub(super) fn change(
        &mut self,
        now: Instant,
        me: &ParticipantUuid,
        who: &ParticipantUuid,
        change: &Change,
    ) -> Result<Response, Refusal> {
        if me == who && is_own_affair(change) {
            self.apply(now, who, change)
        } else {
            self.host_only(me, |it| it.apply(now, who, change))
        }
    }

    fn apply(
        &mut self,
        now: Instant,
        who: &ParticipantUuid,
        change: &Change,
    ) -> Result<Response, Refusal> {
        let unix_time = self.unix_time(now);
        let one = self.find(who)?;
        match change {
            Change::ClientMute => one.is_client_muted = true,
            Change::ClientUnmute => one.is_client_muted = false,
            Change::VideoMute => one.is_video_muted = true,
            Change::VideoUnmute => one.is_video_muted = false,
            Change::SpotlightOn => {
                one.spotlight.get_or_insert(unix_time);
            }
            Change::SpotlightOff => one.spotlight = None,
            Change::AllowRxPresentation => one.may_see_presentation = true,
            Change::DenyRxPresentation => one.may_see_presentation = false,
            Change::Buzz => {
                one.buzz.get_or_insert(unix_time);
            }
            Change::ClearBuzz => one.buzz = None,
            Change::Role(change) if change.role == Role::Unknown => {
                return Err(Refusal::Other {
                    code: 400,
                    text: "role is neither chair nor guest".to_owned(),
                });
            }
            Change::Role(change) => one.role = change.role,
            Change::OverlayText(change) => one.overlay_text.clone_from(&change.text),
        }
        self.tell_room(who, change);
        self.announce(who);
        if matches!(change, Change::Role(_)) {
            // The answer to a refresh says a client its role.
            self.send(self.streams.of(who), Event::RefreshToken);
        }
        if *change == Change::AllowRxPresentation {
            self.show_presentation(who);
        } else if *change == Change::DenyRxPresentation {
            self.hide_presentation(who);
        }
        Ok(Response::Done(true))
    }

    /// Tells the room what changes in sound and picture.
    fn tell_room(&mut self, who: &ParticipantUuid, change: &Change) {
        let Ok(one) = self.find(who) else { return };
        let effect = match change {
            Change::ClientMute | Change::ClientUnmute => {
                Effect::SetMuted(who.clone(), one.is_silenced())
            }
            Change::VideoMute | Change::VideoUnmute => {
                Effect::SetVideoMuted(who.clone(), one.is_video_muted)
            }
            Change::SpotlightOn | Change::SpotlightOff => Effect::SetSpotlights(self.spotlights()),
            Change::AllowRxPresentation
            | Change::DenyRxPresentation
            | Change::Buzz
            | Change::ClearBuzz
            | Change::Role(_)
            | Change::OverlayText(_) => return,
        };
        self.effects.push_back(effect);
    }

    /// Returns who stands in the spotlight, the first to come there first.
    fn spotlights(&self) -> Vec<ParticipantUuid> {
        let mut lit: Vec<(Duration, &ParticipantUuid)> = self
            .participants
            .iter()
            .filter_map(|one| Some((one.spotlight?, &one.uuid)))
            .collect();
        lit.sort_by_key(|(since, _)| *since);
        lit.into_iter().map(|(_, uuid)| uuid.clone()).collect()
    }
}

fn is_own_affair(change: &Change) -> bool {
    matches!(
        change,
        Change::ClientMute
            | Change::ClientUnmute
            | Change::VideoMute
            | Change::VideoUnmute
            | Change::Buzz
            | Change::ClearBuzz
    )
}
