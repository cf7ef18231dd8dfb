//! What live inputs give, piece by piece.

use std::time::Duration;

use bytes::Bytes;

use crate::codec::Codec;
use crate::picture::Picture;

/// A piece of sound or picture.
#[derive(Debug)]
pub(super) enum Unit {
    /// One Opus packet.
    Opus(Bytes),
    /// Samples within ±1.
    Samples {
        /// Samples a second on each channel.
        rate: u32,
        /// How many are interleaved.
        channels: usize,
        interleaved: Vec<f32>,
    },
    /// One encoded picture.
    Encoded { codec: Codec, bytes: Bytes },
    /// One raw picture.
    Picture(Picture),
}

/// What an input holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// What a person would call it: `IVF with VP8 of 640x360`.
    pub(super) name: String,
    pub(super) sound: bool,
    pub(super) picture: Option<PictureForm>,
}

/// What pictures an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PictureForm {
    /// How they are encoded; `None` if they are raw.
    pub(super) codec: Option<Codec>,
    /// Width and height in pixels, where it says so.
    pub(super) size: Option<(usize, usize)>,
    /// Pictures a second, where it says so.
    pub(super) rate: Option<u32>,
}

/// A unit with its time stamp, which may count from anywhere.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) time: Duration,
    pub(super) unit: Unit,
}
