//! SRTP and SRTCP (RFC 3711, RFC 7714), in place and without an allocation a packet.
//!
//! webrtc does this too, for packets that go through all of its layers and are copied on the way.
//! Media here does not; see [`crate::path`].

mod cipher;
mod keyring;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use keyring::{Keyring, Keys, Master, Profile};
pub(crate) use receiving::Receiving;
pub(crate) use sending::Sending;
pub(crate) use window::{Window, nearest};
