//! STUN and TURN servers: their URIs, the ways to them, and what became of asking them.

mod error;
pub(crate) mod framing;
mod link;
mod links;
mod media;
mod resolving;
mod servers;
mod standing;
pub(crate) mod stun;
mod uri;

pub use error::IceServerError;
use link::Link;
pub(crate) use links::{Links, Sent};
pub(crate) use media::{Indication, inside};
use servers::Route;
pub(crate) use servers::Servers;
pub(crate) use servers::may_be_name;
use uri::Transport;
