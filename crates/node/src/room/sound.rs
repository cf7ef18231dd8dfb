//! One tick of sound: hear everyone, mix, encode, send.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::call::CallKey;
use super::encoding::MixEncoder;
use super::mixer::{Mixer, Pcm, TICK_SAMPLES};
use super::state::State;
use super::types::Admission;

/// Who has been heard gets a mix of its own for so many ticks more: the shared one still carries
/// the end of its own sound, which an encoder holds back for some milliseconds.
const OWN_MIX_TICKS: u64 = 10;

impl State {
    /// Plays 20 ms.
    pub(super) fn tick_sound(&mut self, now: Instant) {
        let mut sounds = self.hear(now);
        sounds.extend(self.hear_far_ends(now));
        let mut mixer = Mixer::default();
        for pcm in sounds.values() {
            mixer.add(pcm);
        }
        self.tell_far_ends(|key| match sounds.get(&key) {
            Some(own) => mixer.everyone_but(own),
            None => mixer.everyone(),
        });
        let shared = self.shared_mix.encode(mixer.everyone().as_ref());
        let silence = self.shared_mix.silence();
        let ears = sounds.keys().filter_map(|key| self.calls.get(key));
        let held: Vec<_> = ears.map(|call| call.hearing.ear().delay()).collect();
        let age = self.mix_age.tick(held.into_iter());
        // Wraps after a day, as RTP timestamps do.
        let timestamp = self.ticks.wrapping_mul(TICK_SAMPLES as u64) as u32;
        for (key, call) in &mut self.calls {
            let own = sounds.get(key);
            if own.is_some() {
                call.own_mix_until = self.ticks + OWN_MIX_TICKS;
            }
            if !call.receives() {
                continue;
            }
            let frame = if call.standing.admission == Admission::Waiting {
                Arc::clone(&silence)
            } else if self.ticks < call.own_mix_until {
                let mix = own.map_or_else(|| mixer.everyone(), |own| mixer.everyone_but(own));
                encode_own(&mut call.own_mix, mix.as_ref()).unwrap_or_else(|| Arc::clone(&silence))
            } else {
                Arc::clone(&shared)
            };
            call.set_mix_age(age);
            call.send(&frame, timestamp);
        }
        self.ticks += 1;
    }

    /// Takes a tick's sound from everyone who may be heard, and notes who speaks.
    fn hear(&mut self, now: Instant) -> BTreeMap<CallKey, Pcm> {
        let mut sounds = BTreeMap::new();
        let babble = self.faults.wrong_clip.then(|| self.babble.tick());
        for (key, call) in &mut self.calls {
            let pcm = call.hearing.tick(now);
            let standing = call.standing;
            let heard = call.is_acknowledged()
                && standing.admission == Admission::InConference
                && !standing.muted;
            if !heard {
                call.voice.stop();
                self.stage.set_speaking(key, false);
                continue;
            }
            let speaks = call.voice.update(now, pcm.as_ref());
            self.stage.set_speaking(key, speaks);
            let Some(pcm) = pcm else { continue };
            if !self.faults.silent {
                sounds.insert(*key, babble.unwrap_or(pcm));
            }
        }
        sounds
    }
}

fn encode_own(encoder: &mut Option<MixEncoder>, mix: Option<&Pcm>) -> Option<Arc<media::Frame>> {
    if encoder.is_none() {
        *encoder = MixEncoder::new().ok();
    }
    Some(encoder.as_mut()?.encode(mix))
}
