//! Session descriptions as text (RFC 8866): what webrtc does not do for us.
//!
//! What the far end says is never handed to webrtc as it came. It is parsed here into
//! [`Description`], the m-lines and codecs we take are chosen ([`choose`]), and webrtc gets a
//! description of those alone, written by [`toward_webrtc`]. Outwards, [`offer`] shapes our offers
//! and [`node_form`] our answers.

mod candidate;
mod choose;
mod description;
mod feedback;
mod format;
mod node_form;
mod offer;
mod toward_webrtc;

pub(crate) use candidate::{RemoteCandidate, read_candidate};
pub(crate) use choose::{Chosen, Line, choose, choose_in_answer};
pub(crate) use description::Description;
pub use feedback::expand_wildcard_feedback;
pub(crate) use format::offered as offered_parameters;
pub(crate) use node_form::{Identity, node_form};
pub(crate) use offer::present_offer;
pub(crate) use toward_webrtc::{TRANSPORT_CC, toward_webrtc};

#[cfg(test)]
mod tests;
