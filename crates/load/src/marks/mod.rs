//! Marks in what callers say and show: when each was sent, and what those who decode make of them.
//!
//! Talkers and video senders of a conference are its voices, by their places. What a voice plays is
//! encoded once with its marks in it, and shared by that place in all conferences; when a frame with
//! a mark leaves, its moment is written down ([`Spoken`]). A sample of the callers decodes what it
//! receives, finds the marks, and sets the moments against each other. Both ends are in this process
//! and read the same clock; marks of callers in other processes have no moment here, and are left aside.

mod hearing;
mod senses;
mod sight;
mod spoken;
mod voice;

pub(crate) use senses::Senses;
pub(crate) use spoken::{Spoken, Utterances};
pub use voice::Voice;
pub(crate) use voice::{Mouth, is_voice};
