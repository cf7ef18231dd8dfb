//! Encoded media: where frames come from, when they are due, how they are put together again and
//! where they are kept. Knows codecs and files; knows nothing of networks.
//!
//! | Module | Holds |
//! |---|---|
//! | `codec`, `frame`, `payload` | one encoded frame and its RTP payloads |
//! | `track` | whole tracks in memory, clips of them |
//! | `timeline` | the pacer: what is due when |
//! | `assembler` | inbound: packets to frames, in order |
//! | `opus`, `video`, `decoder`, `picture` | raw to encoded and back, in any codec |
//! | `vpx`, `h264`, `av1` | the codecs' libraries behind them |
//! | `draw`, `generate`, `live` | test picture, slate, tone, silence; encoded once for all |
//! | `read`, `source` | files of every kind; what an operator names as a source |
//! | `film` | the pictures of a file, and whether they can be sent as they are |
//! | `record` | recordings in WebM |
//! | `marks` | marks in sound and picture, made and found |
//! | `error` | what can be wrong |
//! | `measure` | how alike what was sent and what arrived are |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assembler;
mod av1;
mod codec;
mod decoder;
mod draw;
mod error;
mod film;
mod frame;
mod generate;
mod h264;
mod jpeg;
mod live;
pub mod marks;
pub mod measure;
mod opus;
mod payload;
mod picture;
mod read;
mod record;
mod source;
mod timeline;
mod track;
mod video;
mod vpx;

pub use assembler::{Assembled, AssemblerCounters, FrameAssembler};
pub use codec::{Codec, Kind, VideoListError};
pub use decoder::VideoDecoder;
pub use draw::slate_picture;
pub use error::MediaError;
pub use film::{Acceptance, Character, Coding, Film, FilmFrame, H264Profile, Sampling, Unsuitable};
pub use frame::{Frame, FrameError, MAX_PAYLOAD};
pub use generate::{silence, slate};
pub use jpeg::jpeg;
pub use live::Live;
pub use opus::{OpusDecoder, OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
pub use picture::{Picture, Yuv};
pub use read::{load_clip, read_audio, read_film, read_video};
pub use record::{Recorded, Recorder};
pub use source::{Source, SourceSpec, open_audio, open_video};
pub use timeline::{Boundary, Due, Repeat, Timeline};
pub use track::{Clip, Track};
pub use video::{Encoded, VideoEncoder, VideoSettings};
