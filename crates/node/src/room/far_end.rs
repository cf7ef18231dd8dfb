//! Simulated far ends: what is heard and seen of them, and what they do with what they hear.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use infinity::ParticipantUuid;
use media::{Timeline, Track};

use super::call::CallKey;
use super::mixer::Pcm;
use super::state::State;
use super::tones::{KeyPlayer, Melody, Player};
use super::types::{Admission, FarEndMedia};
use super::view::ticks;
use super::voice::VoiceActivity;

/// An echo comes back after so many ticks: a second.
const ECHO_TICKS: usize = 50;

/// A far end as the room keeps it.
pub(super) struct FarEnd {
    /// Its name on the stage and among the sources of video.
    pub key: CallKey,
    media: FarEndMedia,
    player: Option<Player>,
    keys: KeyPlayer,
    /// What it has heard and not yet given back, the oldest first.
    echo: VecDeque<Option<Pcm>>,
    voice: VoiceActivity,
    picture: Option<Playing>,
}

struct Playing {
    timeline: Timeline,
    start: Instant,
}

impl FarEnd {
    fn new(key: CallKey) -> Self {
        Self {
            key,
            media: FarEndMedia::Silent,
            player: None,
            keys: KeyPlayer::default(),
            echo: VecDeque::new(),
            voice: VoiceActivity::default(),
            picture: None,
        }
    }

    fn set(&mut self, now: Instant, media: FarEndMedia, picture: Option<Arc<Track>>) {
        self.player = match media {
            FarEndMedia::Ringing => Some(Player::new(Melody::Ringing)),
            FarEndMedia::Greeting => Some(Player::new(Melody::Greeting)),
            FarEndMedia::Silent | FarEndMedia::Echo => None,
        };
        self.media = media;
        self.echo.clear();
        let answered = matches!(media, FarEndMedia::Greeting | FarEndMedia::Echo);
        self.picture = picture.filter(|_| answered).map(|track| Playing {
            timeline: Timeline::new(track, now),
            start: now,
        });
    }

    /// Returns the sound of this tick, or `None` for silence. Keys come before everything else.
    fn tick(&mut self) -> Option<Pcm> {
        let other = match self.media {
            FarEndMedia::Echo if self.echo.len() >= ECHO_TICKS => self.echo.pop_front().flatten(),
            _ => self.player.as_mut().and_then(Player::tick),
        };
        self.keys.tick().or(other)
    }
}

impl State {
    /// Says what is heard and seen of a far end from now on. It is forgotten with
    /// [`State::forget_far_end`].
    pub(super) fn set_far_end(
        &mut self,
        now: Instant,
        participant: &ParticipantUuid,
        media: FarEndMedia,
    ) {
        let picture = self.pictures.far_end();
        if !self.far_ends.contains_key(participant) {
            let key = self.new_key();
            self.stage.enter(&key);
            self.far_ends.insert(participant.clone(), FarEnd::new(key));
        }
        if let Some(far_end) = self.far_ends.get_mut(participant) {
            far_end.set(now, media, picture);
        }
    }

    /// Lets a far end play keys.
    pub(super) fn play_digits(&mut self, participant: &ParticipantUuid, digits: &str) {
        if let Some(far_end) = self.far_ends.get_mut(participant) {
            far_end.keys.press(digits);
        }
    }

    pub(super) fn forget_far_end(&mut self, now: Instant, participant: &ParticipantUuid) {
        if let Some(far_end) = self.far_ends.remove(participant) {
            self.stage.leave(&far_end.key);
            self.hide(now, far_end.key);
            self.transcoders.forget(far_end.key);
        }
    }

    /// Whether what a far end sends may reach others.
    fn may_be_heard(&self, participant: &ParticipantUuid) -> bool {
        let standing = self.standing(participant);
        standing.admission == Admission::InConference && !standing.muted
    }

    /// Takes a tick's sound from every far end that may be heard.
    pub(super) fn hear_far_ends(&mut self, now: Instant) -> Vec<(CallKey, Pcm)> {
        let heard: Vec<bool> = self
            .far_ends
            .keys()
            .map(|participant| self.may_be_heard(participant))
            .collect();
        let mut sounds = Vec::new();
        for (far_end, heard) in self.far_ends.values_mut().zip(heard) {
            let pcm = far_end.tick().filter(|_| heard);
            // Who rings has not yet said anything.
            let voice = pcm
                .as_ref()
                .filter(|_| far_end.media != FarEndMedia::Ringing);
            let speaks = far_end.voice.update(now, voice);
            self.stage.set_speaking(&far_end.key, speaks);
            if let Some(pcm) = pcm
                && !self.faults.silent
            {
                sounds.push((far_end.key, pcm));
            }
        }
        sounds
    }

    /// Lets far ends hear what the others have said in this tick.
    pub(super) fn tell_far_ends(&mut self, mix: impl Fn(CallKey) -> Option<Pcm>) {
        for far_end in self.far_ends.values_mut() {
            if far_end.media == FarEndMedia::Echo {
                far_end.echo.push_back(mix(far_end.key));
            }
        }
    }

    /// Shows the pictures of far ends to everyone who sees them.
    pub(super) fn show_far_ends(&mut self, now: Instant) {
        let mut due = Vec::new();
        for (participant, far_end) in &mut self.far_ends {
            let standing = self.standings.get(participant);
            let seen = standing
                .is_none_or(|one| one.admission == Admission::InConference && !one.video_muted);
            self.stage
                .set_sends_video(&far_end.key, seen && far_end.picture.is_some());
            let Some(picture) = far_end.picture.as_mut().filter(|_| seen) else {
                continue;
            };
            while let Some(next) = picture.timeline.poll(now) {
                let at = picture.start + next.stream_time;
                let since = at.saturating_duration_since(picture.start);
                due.push((far_end.key, next.frame, ticks(since)));
            }
        }
        for (key, frame, timestamp) in due {
            self.forward_to_viewers(now, key, &frame, timestamp);
        }
    }

    /// Finds the participant that a key on the stage stands for.
    pub(super) fn participant_of(&self, key: &CallKey) -> Option<&ParticipantUuid> {
        let far_end = || self.far_ends.iter().find(|(_, one)| one.key == *key);
        self.calls
            .get(key)
            .map(|call| &call.participant)
            .or_else(|| far_end().map(|(participant, _)| participant))
    }
}
