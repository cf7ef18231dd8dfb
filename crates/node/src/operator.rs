//! What lets an operator in from other machines.

use std::fmt;
use std::sync::Arc;

/// Tokens that a node makes for itself are this long.
const LENGTH: usize = 32;

/// Shorter ones can be guessed.
const LEAST: usize = 16;

/// The token that opens the operator's page and JSON from other machines; on this machine none is
/// needed. It cannot print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorToken(Arc<str>);

/// A text cannot be an operator's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operator's token has at least {LEAST} characters and is visible ASCII without spaces: for example the output of `openssl rand -hex 16`"
)]
pub struct WeakOperatorToken;

impl OperatorToken {
    /// Takes a token that somebody else has chosen.
    ///
    /// # Errors
    /// When it is too short, or does not fit into a header.
    pub fn new(text: &str) -> Result<Self, WeakOperatorToken> {
        if text.len() < LEAST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WeakOperatorToken);
        }
        Ok(Self(text.into()))
    }

    /// Makes one.
    pub fn random() -> Self {
        // Not a generator that other things of the node draw from: those can be watched.
        let mut text = uuid::Uuid::new_v4().simple().to_string();
        text.truncate(LENGTH);
        Self(text.into())
    }

    /// Returns the token itself, for a file or a terminal.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the token; how long that takes says nothing about where they differ.
    pub fn is(&self, given: &str) -> bool {
        let differ = |(one, other): (u8, u8)| one ^ other;
        let difference = self.0.bytes().zip(given.bytes()).map(differ);
        given.len() == self.0.len() && difference.fold(0, |all, one| all | one) == 0
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_nothing_else() {
        let token = OperatorToken::random();
        assert!(token.is(token.expose()));
        assert!(!token.is(""));
        assert!(!token.is(&token.expose()[1..]));
        assert!(!token.is(&format!("{}x", token.expose())));
        assert!(!token.is(OperatorToken::random().expose()));
    }

    #[test]
    fn a_weak_one_is_refused_and_none_prints_itself() {
        assert_eq!(OperatorToken::new("short"), Err(WeakOperatorToken));
        assert_eq!(
            OperatorToken::new("two words, but long"),
            Err(WeakOperatorToken)
        );
        let token = OperatorToken::new("0123456789abcdef").expect("long enough");
        assert_eq!(format!("{token:?}"), "OperatorToken(hidden)");
    }
}
