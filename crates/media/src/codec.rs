//! Codecs and the two kinds of media.

use crate::payload;

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

impl Kind {
    /// Returns the name of an m-line of this kind, as SDP spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How frames are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Codec {
    /// RFC 6716, carried as in RFC 7587.
    Opus,
    /// RFC 6386, carried as in RFC 7741.
    Vp8,
    /// AV1, carried as in "RTP Payload Format For AV1" v1.0.
    Av1,
}

impl Codec {
    /// Returns what a track in this codec carries.
    pub fn kind(self) -> Kind {
        match self {
            Self::Opus => Kind::Audio,
            Self::Vp8 | Self::Av1 => Kind::Video,
        }
    }

    /// Returns the encoding name of `a=rtpmap`; SDP compares it without regard to case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Av1 => "AV1",
        }
    }

    /// Tells whether an RTP payload begins a key frame, without decoding anything; never for sound.
    pub fn begins_key_frame(self, payload: &[u8]) -> bool {
        match self {
            Self::Opus => false,
            Self::Vp8 => payload::vp8::begins_key_frame(payload),
            // The N bit: the first packet of a coded video sequence ("RTP Payload Format For AV1" §4.4).
            Self::Av1 => payload.first().is_some_and(|header| header & 0x08 != 0),
        }
    }

    /// Returns the codec with this encoding name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Opus, Self::Vp8, Self::Av1]
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Returns the RTP clock rate in ticks a second.
    pub fn clock_rate(self) -> u32 {
        match self.kind() {
            Kind::Audio => 48_000,
            Kind::Video => 90_000,
        }
    }

    /// Tells whether a decoder can start at this encoded frame.
    pub fn is_key_frame(self, encoded: &[u8]) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8 => payload::vp8::is_key_frame(encoded),
            Self::Av1 => payload::av1::is_key_frame(encoded),
        }
    }

    /// Returns width and height in pixels where an encoded frame states them: in key frames of video.
    pub fn dimensions(self, encoded: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Opus => None,
            Self::Vp8 => payload::vp8::dimensions(encoded),
            Self::Av1 => payload::av1::dimensions(encoded),
        }
    }
}

impl Codec {
    /// Returns width and height in pixels where the first payload of a frame states them: in key
    /// frames of video, as senders lay them out.
    pub fn payload_dimensions(self, payload: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Opus => None,
            Self::Vp8 => payload::vp8::payload_dimensions(payload),
            Self::Av1 => payload::av1::payload_dimensions(payload),
        }
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
