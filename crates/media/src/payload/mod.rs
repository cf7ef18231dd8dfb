//! What each codec's bytes say about themselves, and its RTP payload format.
//!
//! Cutting frames into payloads is `rtc-rtp`'s work. Putting them together again is ours: its
//! VP8 reader refuses payloads under four bytes, which end real frames, and its AV1 reader
//! panics on some malformed ones.

pub(crate) mod av1;
mod bits;
pub(crate) mod opus;
pub(crate) mod vp8;
