//! What the room tells: the difference between what is and what was told last.
//!
//! So a full queue loses nothing but moments: what could not be told is told at a later tick, as
//! it is then.

use std::collections::BTreeMap;
use std::time::Instant;

use infinity::ParticipantUuid;

use super::state::State;
use super::types::RoomEvent;

/// What was told last.
#[derive(Default)]
pub(super) struct Told {
    stage: Vec<(ParticipantUuid, u8)>,
    vad: BTreeMap<ParticipantUuid, u8>,
}

impl State {
    /// Tells what has changed since the last time.
    pub(super) fn tell(&mut self, now: Instant) {
        let lost: Vec<_> = self
            .calls
            .values_mut()
            .filter_map(|call| call.take_loss(now).then(|| call.uuid.clone()))
            .collect();
        for uuid in lost {
            self.fail(uuid, "ICE failed and was not restarted".to_owned());
        }
        while let Some((call, why)) = self.failures.front() {
            let event = RoomEvent::CallFailed {
                call: call.clone(),
                why: why.clone(),
            };
            if self.events.try_send(event).is_err() {
                return;
            }
            self.failures.pop_front();
        }
        self.tell_flowing(now);
        self.tell_stage();
    }

    /// A participant has one call here at a time, so what its call does is what it does.
    fn tell_flowing(&mut self, now: Instant) {
        for call in self.calls.values_mut() {
            let flowing = call.flowing(now);
            if call.told_flowing == flowing {
                continue;
            }
            let (audio, video) = flowing;
            let event = RoomEvent::MediaFlowing {
                participant: call.participant.clone(),
                audio,
                video,
            };
            if self.events.try_send(event).is_ok() {
                call.told_flowing = flowing;
            }
        }
    }

    fn tell_stage(&mut self) {
        let mut stage: Vec<(ParticipantUuid, u8)> = Vec::new();
        for (key, speaks) in self.stage.speakers() {
            let Some(participant) = self.participant_of(&key) else {
                continue;
            };
            let vad = if speaks { 100 } else { 0 };
            match stage.iter_mut().find(|(other, _)| other == participant) {
                Some((_, loudest)) => *loudest = vad.max(*loudest),
                None => stage.push((participant.clone(), vad)),
            }
        }
        if stage == self.told.stage {
            return;
        }
        self.told
            .vad
            .retain(|participant, _| stage.iter().any(|(other, _)| other == participant));
        for (participant, vad) in &stage {
            let told = self.told.vad.get(participant).copied().unwrap_or_default();
            let event = RoomEvent::Voice {
                participant: participant.clone(),
                vad: *vad,
            };
            if told != *vad && self.events.try_send(event).is_ok() {
                self.told.vad.insert(participant.clone(), *vad);
            }
        }
        if self
            .events
            .try_send(RoomEvent::Stage(stage.clone()))
            .is_ok()
        {
            self.told.stage = stage;
        }
    }
}
