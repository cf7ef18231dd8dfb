//! Virtual Receptions: aliases whose callers say which conference they want.

use std::sync::Arc;

use infinity::{
    ConferenceAlias, ConferencePath, Pin, PinWanted, ReceptionKind, Refusal, RequestToken, Token,
};

use super::{Served, Site, decode};

/// A Virtual Reception. It holds nobody: who was connected has a token of the conference, and goes
/// on making requests below the alias of the reception.
pub(crate) struct Reception {
    pub(crate) aliases: Vec<ConferenceAlias>,
    pub(crate) kind: ReceptionKind,
    /// What it wants to hear before it connects anybody.
    pub(crate) pin: Option<Pin>,
}

impl Reception {
    /// Finds the conference that a request to this reception is for.
    ///
    /// # Errors
    /// When the caller has not said which one it wants or does not know the PIN, both in one answer,
    /// or wants one that is not there.
    pub(super) fn connect<'a>(
        &self,
        site: &'a Site,
        path: &ConferencePath,
        token: Option<&Token>,
        pin: Option<&Pin>,
        body: &[u8],
    ) -> Result<&'a Arc<Served>, Refusal> {
        if *path != ConferencePath::RequestToken {
            let holds = |served: &&Arc<Served>| token.is_some_and(|token| served.knows(token));
            return site
                .conferences
                .iter()
                .find(holds)
                .ok_or(Refusal::InvalidToken);
        }
        let wanted = decode::json::<RequestToken>(body)?.conference_extension;
        let pin_wanted = self.judge(pin)?;
        match (wanted, pin_wanted) {
            (Some(wanted), None) => site.conference(&wanted).ok_or(Refusal::NoSuchExtension),
            (Some(_), Some(pin)) => Err(Refusal::PinWanted(pin)),
            (None, pin) => Err(Refusal::VirtualReception {
                kind: self.kind.clone(),
                pin,
            }),
        }
    }

    /// Returns what PIN is wanted still.
    fn judge(&self, given: Option<&Pin>) -> Result<Option<PinWanted>, Refusal> {
        let Some(pin) = &self.pin else {
            return Ok(None);
        };
        match given.filter(|given| !given.is_none()) {
            None => Ok(Some(PinWanted {
                host_required: true,
                guest_required: true,
            })),
            Some(given) if given == pin => Ok(None),
            Some(_) => Err(Refusal::InvalidPin),
        }
    }
}
