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
    /// VP9, carried as in RFC 9628.
    Vp9,
    /// H.264 (AVC) in Annex B form, carried as in RFC 6184.
    H264,
    /// AV1, carried as in "RTP Payload Format For AV1" v1.0.
    Av1,
}

impl Codec {
    /// All codecs of pictures, in the order in which they are preferred.
    pub const VIDEO: [Self; 4] = [Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// Returns what a track in this codec carries.
    pub fn kind(self) -> Kind {
        match self {
            Self::Opus => Kind::Audio,
            Self::Vp8 | Self::Vp9 | Self::H264 | Self::Av1 => Kind::Video,
        }
    }

    /// Returns the encoding name of `a=rtpmap`; SDP compares it without regard to case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
        }
    }

    /// Tells whether an RTP payload begins a key frame, without decoding anything; never for sound.
    pub fn begins_key_frame(self, payload: &[u8]) -> bool {
        match self {
            Self::Opus => false,
            Self::Vp8 => payload::vp8::begins_key_frame(payload),
            Self::Vp9 => payload::vp9::begins_key_frame(payload),
            Self::H264 => payload::h264::begins_key_frame(payload),
            // The N bit: the first packet of a coded video sequence ("RTP Payload Format For AV1" §4.4).
            Self::Av1 => payload.first().is_some_and(|header| header & 0x08 != 0),
        }
    }

    /// Returns the codec with this encoding name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        std::iter::once(Self::Opus)
            .chain(Self::VIDEO)
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Reads the names of video codecs, best first: each once, and one at least.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or a name is unknown, of a codec of sound, or there twice.
    pub fn video_list<'a>(
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Self>, VideoListError> {
        let mut codecs = Vec::new();
        for name in names {
            let codec = match Self::from_name(&name.trim().replace('.', "")) {
                Some(codec) if codec.kind() == Kind::Video => codec,
                Some(codec) => return Err(VideoListError::Sound(codec)),
                None => return Err(VideoListError::Unknown(name.into())),
            };
            if codecs.contains(&codec) {
                return Err(VideoListError::Twice(codec));
            }
            codecs.push(codec);
        }
        if codecs.is_empty() {
            return Err(VideoListError::None);
        }
        Ok(codecs)
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
            Self::Vp9 => payload::vp9::is_key_frame(encoded),
            Self::H264 => payload::h264::is_key_frame(encoded),
            Self::Av1 => payload::av1::is_key_frame(encoded),
        }
    }

    /// Returns width and height in pixels where an encoded frame states them: in key frames of video.
    pub fn dimensions(self, encoded: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Opus => None,
            Self::Vp8 => payload::vp8::dimensions(encoded),
            Self::Vp9 => payload::vp9::dimensions(encoded),
            Self::H264 => payload::h264::dimensions(encoded),
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
            Self::Vp9 => payload::vp9::payload_dimensions(payload),
            Self::H264 => payload::h264::payload_dimensions(payload),
            Self::Av1 => payload::av1::payload_dimensions(payload),
        }
    }
}

/// What is wrong with a list of video codecs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoListError {
    /// Nothing is in it.
    #[error("no video codec is named: choose among VP8, VP9, H264 and AV1")]
    None,
    /// No codec has this name.
    #[error("no video codec is called {0:?}: choose among VP8, VP9, H264 and AV1")]
    Unknown(String),
    /// It is one of sound.
    #[error("{0} is a codec of sound, and always used: choose among VP8, VP9, H264 and AV1")]
    Sound(Codec),
    /// It was named before.
    #[error("{0} is named twice: name each codec once, the best first")]
    Twice(Codec),
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_video_codecs_are_read_as_written() {
        let read = |text: &str| Codec::video_list(text.split(','));
        assert_eq!(read("vp9, H.264").unwrap(), [Codec::Vp9, Codec::H264]);
        assert_eq!(
            read("VP7").unwrap_err(),
            VideoListError::Unknown("VP7".into())
        );
        assert_eq!(
            read("VP8,opus").unwrap_err(),
            VideoListError::Sound(Codec::Opus)
        );
        assert_eq!(
            read("AV1,av1").unwrap_err(),
            VideoListError::Twice(Codec::Av1)
        );
        assert_eq!(Codec::video_list([]).unwrap_err(), VideoListError::None);
        for codec in Codec::VIDEO {
            assert_eq!(read(codec.name()).unwrap(), [codec]);
        }
    }
}
