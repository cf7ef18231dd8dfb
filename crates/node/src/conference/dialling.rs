//! Calling out: far ends that are simulated, and say by their destination what they will do.

use std::time::{Duration, Instant};

use infinity::{Dial, ParticipantUuid, Protocol, Refusal, Response, Role};

use super::Conference;
use super::effect::Effect;
use super::participant::Participant;
use crate::room::{Admission, FarEndMedia};

/// How long a far end rings before it answers or rejects.
const RINGS: Duration = Duration::from_secs(1);

/// How long a call attempt lasts.
const ATTEMPT: Duration = Duration::from_secs(30);

/// What a far end does about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    Answer,
    /// It rejects, or another of a forked call is quicker.
    Reject,
    LetItRing,
}

/// The other side of a call that the conference has made.
pub(super) struct FarEnd {
    pub(super) protocol: Protocol,
    pub(super) is_streaming: bool,
    /// Whether it is heard and seen.
    pub(super) has_media: bool,
    /// When it will do what; `None` once it has answered.
    coming: Option<(Instant, Reaction)>,
}

impl FarEnd {
    pub(super) fn is_connecting(&self) -> bool {
        self.coming.is_some()
    }
}

/// A call to be made.
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) role: Role,
    pub(super) protocol: Protocol,
    pub(super) is_streaming: bool,
}

/// Returns what a destination is called, without its scheme.
pub(super) fn name(destination: &str) -> &str {
    destination.strip_prefix("sip:").unwrap_or(destination)
}

/// What the far ends of a destination do, by the word it begins with: several where it forks.
fn reactions(destination: &str) -> &'static [Reaction] {
    let name = name(destination);
    if name.starts_with("reject") {
        &[Reaction::Reject]
    } else if name.starts_with("timeout") {
        &[Reaction::LetItRing]
    } else if name.starts_with("fork") {
        &[Reaction::Answer, Reaction::Reject]
    } else {
        &[Reaction::Answer]
    }
}

impl Conference {
    pub(super) fn dial(&mut self, now: Instant, body: &Dial) -> Result<Response, Refusal> {
        let role = Role::from(&body.role);
        if role == Role::Unknown || body.destination.trim().is_empty() {
            return Err(Refusal::Other {
                code: 400,
                text: "role or destination is missing".to_owned(),
            });
        }
        if self.is_gateway() {
            return Err(Refusal::Denied("Not in a gateway call".to_owned()));
        }
        let call = Call {
            destination: body.destination.trim(),
            role,
            protocol: body.protocol.clone(),
            is_streaming: body.streaming,
        };
        self.has_room_for(reactions(call.destination).len())?;
        Ok(Response::Dialled(self.ring(now, call)))
    }

    /// Lets the far ends of a destination ring, and returns who they are.
    pub(super) fn ring(&mut self, now: Instant, call: Call<'_>) -> Vec<ParticipantUuid> {
        let mut uuids = Vec::new();
        for reaction in reactions(call.destination) {
            let after = match reaction {
                Reaction::Answer | Reaction::Reject => RINGS,
                Reaction::LetItRing => ATTEMPT,
            };
            let uuid = ParticipantUuid::from(self.new_uuid());
            let mut participant = Participant::new(
                uuid.clone(),
                call.destination.to_owned(),
                call.role,
                Admission::InConference,
                (now, self.unix_time(now)),
            );
            participant.far_end = Some(FarEnd {
                protocol: call.protocol.clone(),
                is_streaming: call.is_streaming,
                has_media: false,
                coming: Some((now + after, *reaction)),
            });
            self.enter(participant);
            uuids.push(uuid);
        }
        uuids
    }

    /// Says what is heard and seen of a far end.
    pub(super) fn play(&mut self, far_end: ParticipantUuid, media: FarEndMedia) {
        self.effects.push_back(Effect::SetFarEnd(far_end, media));
    }

    /// When the next far end does something.
    pub(super) fn next_far_end(&self) -> Option<Instant> {
        let coming = self
            .participants
            .iter()
            .filter_map(|one| one.far_end.as_ref()?.coming);
        coming.map(|(at, _)| at).min()
    }

    /// Takes note of what far ends have done by `now`.
    pub(super) fn hear_far_ends(&mut self, now: Instant) {
        let due: Vec<(ParticipantUuid, Reaction)> = self
            .participants
            .iter()
            .filter_map(|one| {
                let (at, reaction) = one.far_end.as_ref()?.coming?;
                (at <= now).then(|| (one.uuid.clone(), reaction))
            })
            .collect();
        for (who, reaction) in due {
            if reaction == Reaction::Answer {
                let Ok(participant) = self.find(&who) else {
                    continue;
                };
                let destination = participant.display_name.clone();
                let is_seen = participant.is_gateway;
                if let Some(far_end) = &mut participant.far_end {
                    far_end.coming = None;
                    far_end.has_media = is_seen;
                }
                let media = self.answering(&destination);
                self.play(who.clone(), media);
                self.announce(&who);
            } else {
                self.remove(&who, None);
            }
        }
    }
}
