//! Virtual Receptions: aliases whose callers say which conference they want.

use std::sync::Arc;

use infinity::{ConferenceAlias, ConferencePath, ReceptionKind, Refusal, RequestToken, Token};

use super::{Served, Site, decode};

/// A Virtual Reception. It holds nobody: who was connected has a token of the conference, and goes
/// on making requests below the alias of the reception.
pub(crate) struct Reception {
    pub(crate) aliases: Vec<ConferenceAlias>,
    pub(crate) kind: ReceptionKind,
}

impl Reception {
    /// Finds the conference that a request to this reception is for.
    ///
    /// # Errors
    /// When the caller has not said which one it wants, or wants one that is not there.
    pub(super) fn connect<'a>(
        &self,
        site: &'a Site,
        path: &ConferencePath,
        token: Option<&Token>,
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
        let wanted = wanted.ok_or_else(|| Refusal::VirtualReception {
            kind: self.kind.clone(),
            pin: None,
        })?;
        site.conference(&wanted).ok_or(Refusal::NoSuchExtension)
    }
}
