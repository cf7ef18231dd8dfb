//! Encoded media: where frames come from, when they are due, how they are put together again and
//! where they are kept. Knows codecs and files; knows nothing of networks.
//!
//! | Module | Holds |
//! |---|---|
//! | `codec`, `frame`, `payload` | one encoded frame and its RTP payloads |
//! | `track` | whole tracks in memory, clips of them |
//! | `timeline` | the pacer: what is due when |
//! | `assembler` | inbound: packets to frames, in order |
//! | `error` | what can be wrong |
//! | `measure` | how alike what was sent and what arrived are |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assembler;
mod codec;
mod error;
mod frame;
pub mod measure;
mod payload;
mod timeline;
mod track;

pub use assembler::{Assembled, AssemblerCounters, FrameAssembler};
pub use codec::{Codec, Kind};
pub use error::MediaError;
pub use frame::{Frame, FrameError, MAX_PAYLOAD};
pub use timeline::{Boundary, Due, Repeat, Timeline};
pub use track::{Clip, Track};
