//! Going to another conference of the node: one-time tokens, issued there and told here.

use std::time::{Duration, Instant};

use fastrand::Rng;
use infinity::event::Refer;
use infinity::{Event, ParticipantUuid, Pin, Refusal, Response, Role, Token, Transfer};
use tracing::info;

use super::{Conference, entrance, tokens};

/// How long a one-time token waits to be used.
const LIFE: Duration = Duration::from_secs(60);

/// So many one-time tokens wait at a time and no more; the oldest gives way.
const AT_MOST: usize = 1024;

/// One-time tokens that wait to be used, the oldest first.
#[derive(Default)]
pub(super) struct Invitations {
    waiting: Vec<(Token, Role, Instant)>,
}

impl Invitations {
    fn issue(&mut self, now: Instant, role: Role, rng: &mut Rng) -> Token {
        self.waiting.retain(|(_, _, until)| now < *until);
        if self.waiting.len() >= AT_MOST {
            self.waiting.remove(0);
        }
        let token = tokens::new_token(rng);
        self.waiting.push((token.clone(), role, now + LIFE));
        token
    }

    /// Takes the role that a one-time token gives, once.
    pub(super) fn redeem(&mut self, now: Instant, token: &Token) -> Option<Role> {
        self.waiting.retain(|(_, _, until)| now < *until);
        let at = self.waiting.iter().position(|(one, ..)| one == token)?;
        Some(self.waiting.remove(at).1)
    }

    /// Whether this token waits to be used, or did so lately.
    pub(super) fn knows(&self, token: &Token) -> bool {
        self.waiting.iter().any(|(one, ..)| one == token)
    }
}

impl Conference {
    /// Checks that `who` can be transferred at all, before the other conference is asked.
    pub(super) fn may_transfer(&mut self, who: &ParticipantUuid) -> Result<(), Refusal> {
        if self.find(who)?.far_end.is_some() {
            return Err(Refusal::Denied("Transfer is not supported".to_owned()));
        }
        Ok(())
    }

    /// Issues a one-time token to somebody who is sent here from another conference.
    ///
    /// # Errors
    /// When the PIN is not the one that the role needs here.
    pub fn invite(&mut self, now: Instant, wanted: &Transfer) -> Result<Token, Refusal> {
        let role = self.role_of_transferred(wanted.role, wanted.pin.as_ref())?;
        Ok(self.invitations.issue(now, role, &mut self.rng))
    }

    /// Tells `who` to go to another conference, with the one-time token issued there. The answer
    /// is whether anybody was there to be told.
    ///
    /// # Errors
    /// When the participant has gone in the meantime.
    pub fn refer(
        &mut self,
        who: &ParticipantUuid,
        to: &Transfer,
        token: Token,
    ) -> Result<Response, Refusal> {
        self.find(who)?;
        info!(conference = %self.settings.alias, participant = %who, to = %to.conference_alias, "referred");
        let streams = self.streams.of(who);
        let was_told = !streams.is_empty();
        let refer = Refer {
            alias: to.conference_alias.clone(),
            token: Some(token),
        };
        self.send(streams, Event::Refer(refer));
        Ok(Response::Done(was_told))
    }

    fn role_of_transferred(&self, wanted: Role, pin: Option<&Pin>) -> Result<Role, Refusal> {
        // Whoever transfers cannot be asked for a PIN in return: it has to come with the request.
        let given =
            entrance::role(&self.settings, pin.or(Some(&Pin::none()))).map_err(|refusal| {
                match refusal {
                    Refusal::PinWanted(_) => Refusal::InvalidPin,
                    other => other,
                }
            })?;
        match (wanted, given) {
            (Role::Guest, _) => Ok(Role::Guest),
            (Role::Host, Role::Host) => Ok(Role::Host),
            (Role::Host, _) => Err(Refusal::InvalidPin),
            (Role::Unknown, _) => Err(Refusal::Other {
                code: 400,
                text: "role is neither host nor guest".to_owned(),
            }),
        }
    }
}
