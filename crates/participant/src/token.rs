//! The life of our token.
use infinity::{ConferenceAlias, Token};
use std::time::Instant;
pub(crate) struct Membership {
    pub(crate) node: usize,
    pub(crate) conference: ConferenceAlias,
    pub(crate) token: Token,
    pub(crate) expires_at: Instant,
}
