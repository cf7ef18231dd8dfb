//! Calling out: far ends that are simulated, and say by their destination what they will do.

use std::time::{Duration, Instant};

use infinity::{Dial, ParticipantUuid, Protocol, Refusal, Response, Role};

use super::Conference;
use super::participant::Participant;
use crate::room::Admission;

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
    /// When it will do what; `None` once it has answered.
    coming: Option<(Instant, Reaction)>,
}

impl FarEnd {
    pub(super) fn is_connecting(&self) -> bool {
        self.coming.is_some()
    }
}

/// What the far ends of a destination do, by the word it begins with: several where it forks.
fn reactions(destination: &str) -> &'static [Reaction] {
    let name = destination.strip_prefix("sip:").unwrap_or(destination);
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
        let reactions = reactions(body.destination.trim());
        self.has_room_for(reactions.len())?;
        let mut uuids = Vec::new();
        for reaction in reactions {
            let after = match reaction {
                Reaction::Answer | Reaction::Reject => RINGS,
                Reaction::LetItRing => ATTEMPT,
            };
            let uuid = ParticipantUuid::from(self.new_uuid());
            let mut participant = Participant::new(
                uuid.clone(),
                body.destination.trim().to_owned(),
                role,
                Admission::InConference,
                (now, self.unix_time(now)),
            );
            participant.far_end = Some(FarEnd {
                protocol: body.protocol.clone(),
                is_streaming: body.streaming,
                coming: Some((now + after, *reaction)),
            });
            self.enter(participant);
            uuids.push(uuid);
        }
        Ok(Response::Dialled(uuids))
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
                if let Ok(participant) = self.find(&who)
                    && let Some(far_end) = &mut participant.far_end
                {
                    far_end.coming = None;
                }
                self.announce(&who);
            } else {
                self.remove(&who, None);
            }
        }
    }
}
