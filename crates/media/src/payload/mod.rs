//! What each codec's bytes say about themselves, and its RTP payload format.
//!
//! Cutting frames of VP8 and AV1 into payloads is `rtc-rtp`'s work. Its VP9 payloads do not say
//! which frames are predicted, so that a browser takes all for key frames, and its H.264 ones lose
//! parameter sets. Putting frames together again is ours: its VP8 reader refuses payloads under
//! four bytes, which end real frames, and its AV1 and H.264 readers panic on some malformed ones.

pub(crate) mod av1;
mod bits;
pub(crate) mod h264;
pub(crate) mod opus;
pub(crate) mod vp8;
pub(crate) mod vp9;
