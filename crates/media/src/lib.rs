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
//! | `source` | what an operator names as a source, and what comes of it |
//! | `read` | files of every kind |
//! | `film`, `transcode` | the pictures of a file; whether they are sent as they are, or encoded anew |
//! | `describe` | what a file holds, for people |
//! | `sound`, `babble`, `say` | sound as samples on its way to an encoder; where it is made |
//! | `draw`, `show`, `stills`, `slides` | pictures that are made here, and still ones |
//! | `list`, `playlist`, `edit` | sources one after another; encoded tracks cut and joined |
//! | `feed` | live inputs: devices, other programs, the network |
//! | `generate`, `live` | silence and slate; what is encoded once for all |
//! | `reduction` | what becomes less where less can be sent, or encoded |
//! | `record` | recordings: WebM, Matroska, MP4, Ogg, IVF, WAV |
//! | `speaker` | loudspeakers |
//! | `meter` | loudness and speech of a sound |
//! | `jitter`, `playout` | sound put in order and decoded as it is to be heard |
//! | `marks` | marks in sound and picture, made and found |
//! | `error` | what can be wrong |
//! | `measure` | how alike what was sent and what arrived are |

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assembler;
mod av1;
mod babble;
mod codec;
mod decoder;
mod describe;
mod draw;
mod edit;
mod error;
mod feed;
mod film;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod generate;
mod h264;
mod jitter;
mod jpeg;
mod list;
mod live;
pub mod marks;
pub mod measure;
mod meter;
mod opus;
mod opus_parameters;
mod payload;
mod picture;
mod playlist;
mod playout;
mod read;
mod record;
mod reduction;
mod say;
mod show;
mod slides;
mod sound;
mod source;
mod speaker;
mod stills;
mod timeline;
mod track;
mod transcode;
mod video;
mod vpx;

pub use assembler::{Assembled, AssemblerCounters, FrameAssembler};
pub use codec::{Codec, Kind, VideoListError};
pub use decoder::VideoDecoder;
pub use describe::{Description, Sound, describe};
pub use draw::{card_picture, slate_picture};
pub use error::MediaError;
pub use feed::{Absence, Address, DeviceFound, DeviceKind, Feed, FeedOrigin, devices};
pub use film::{Acceptance, Character, Coding, Film, FilmFrame, H264Profile, Sampling, Unsuitable};
pub use frame::{Frame, FrameError, MAX_PAYLOAD};
pub use generate::{silence, slate};
pub use jitter::{JitterBuffer, JitterCounts, Next, packet_samples};
pub use jpeg::jpeg;
pub use live::Live;
pub use meter::{Heard, SoundMeter, dbov};
pub use opus::{OpusDecoder, OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
pub use opus_parameters::{OpusParameters, OpusWishes};
pub use picture::{Picture, Yuv};
pub use playout::Playout;
pub use read::{load_clip, read_audio, read_film, read_video};
pub use record::{Container, Parts, RecordNews, RecordSettings, Recorded, Recorder};
pub use source::{
    Origin, Reel, Source, SourceOptions, SourceSpec, missing, open_audio, open_audio_as, open_video,
};
pub use speaker::Speaker;
pub use timeline::{Boundary, Due, Repeat, Timeline};
pub use track::{Clip, Track};
pub use transcode::{Made, Promise, Transcoding, target};
pub use video::{Encoded, VideoEncoder, VideoSettings};
