//! The far end, in a process of its own whose time is not counted: as little as a caller can be
//! connected to.
//!
//! It answers offers as a node does, finishes ICE (lite) and DTLS, and counts the media packets
//! that come without decrypting them. Told so, it sends the same workload to every caller, one
//! `sendto` a packet, as a network delivers them. It sends no RTCP.

mod answer;
mod far_end;
mod ice;
mod process;
mod sending;

pub(crate) use process::Terminator;

/// Keys of floors, which make no handshake, both ways.
pub(crate) const FLOOR_KEY: [u8; 16] = [7; 16];
/// The salt beside [`FLOOR_KEY`].
pub(crate) const FLOOR_SALT: [u8; 12] = [9; 12];

/// The main of the far end's process.
pub(crate) use far_end::run;

/// Says whether a datagram is RTP, and not RTCP multiplexed with it (RFC 5761 §4).
pub(crate) fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}
