//! Whether the pictures of a file can be sent as they are.

use std::fmt;
use std::time::Duration;

use super::{Coding, Film, H264Profile};
use crate::codec::Codec;
use crate::track::Track;

/// The largest picture that is sent as it is: 1080p, in either direction.
const MOST_PIXELS: u64 = 1920 * 1088;

/// What the far end takes, as its answer says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Acceptance {
    /// The codec that was agreed on.
    pub codec: Codec,
    /// The most bits a second of video, where it says so.
    pub max_bit_rate: Option<u32>,
    /// The profile and level of H.264 it decodes.
    pub h264: H264Profile,
    /// The most macroblocks of 16 × 16 pixels in a picture, where it says so.
    pub max_frame_size: Option<u32>,
    /// The most pictures a second, where it says so.
    pub max_frame_rate: Option<u32>,
}

impl Acceptance {
    /// A far end that takes `codec` and sets no limits of its own; H.264 in Constrained Baseline up
    /// to 720p, as real nodes do.
    pub fn of(codec: Codec) -> Self {
        Self {
            codec,
            max_bit_rate: None,
            h264: H264Profile::CONSTRAINED_BASELINE_3_1,
            max_frame_size: None,
            max_frame_rate: None,
        }
    }

    /// Reads what an answer says of a codec: its format parameters (RFC 6184 §8.1 for H.264, RFC 7741
    /// §6.1 and RFC 9628 §6.1 for VP8 and VP9), which follow the payload type as `name=value` pairs
    /// between semicolons. What is nonsense is left at what nearly all far ends take.
    pub fn read(codec: Codec, parameters: &str, max_bit_rate: Option<u32>) -> Self {
        let mut accepted = Self {
            max_bit_rate,
            ..Self::of(codec)
        };
        for pair in parameters.split(';') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            let number = value.parse().ok().filter(|number| *number > 0);
            match (codec, name.as_str()) {
                (Codec::H264, "profile-level-id") => {
                    accepted.h264 = H264Profile::read(value).unwrap_or(accepted.h264);
                }
                (Codec::Vp8 | Codec::Vp9, "max-fs") => accepted.max_frame_size = number,
                (Codec::Vp8 | Codec::Vp9, "max-fr") => accepted.max_frame_rate = number,
                _ => {}
            }
        }
        accepted
    }
}

/// Why the pictures of a file are not sent as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsuitable {
    /// They are not encoded.
    Raw,
    /// They are in another codec.
    OtherCodec {
        /// The file's.
        found: Codec,
        /// The node's.
        wanted: Codec,
    },
    /// They are shown in another order than they come: B-frames.
    Reordered,
    /// They consist of fields.
    Interlaced,
    /// They have more than eight bits, or more chroma than 4:2:0.
    NotPlain,
    /// Their H.264 profile is beyond what the far end decodes.
    Profile {
        /// The file's.
        found: H264Profile,
        /// The far end's.
        taken: H264Profile,
    },
    /// Their H.264 level is.
    Level {
        /// The file's.
        found: H264Profile,
        /// The far end's.
        taken: H264Profile,
    },
    /// Their size is odd.
    OddSize(u32, u32),
    /// They are larger than 1080p.
    TooLarge(u32, u32),
    /// They are larger than the far end takes.
    LargerThanTaken(u32, u32),
    /// There are more of them a second than the far end takes.
    FrameRate {
        /// The file's, rounded.
        found: u32,
        /// The far end's.
        taken: u32,
    },
    /// They need more bits a second than the far end takes.
    BitRate {
        /// The file's.
        found: u64,
        /// The far end's.
        taken: u32,
    },
    /// Key frames are too far apart.
    RareKeyFrames(Duration),
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("its pictures are not encoded"),
            Self::OtherCodec { found, wanted } => {
                write!(f, "it is {found} and the node takes {wanted}")
            }
            Self::Reordered => f.write_str("it has B-frames"),
            Self::Interlaced => f.write_str("it is interlaced"),
            Self::NotPlain => f.write_str("it has more than 8 bits or more chroma than 4:2:0"),
            Self::Profile { found, taken } => write!(
                f,
                "its profile is {}, and {} is taken",
                found.profile_name(),
                taken.profile_name()
            ),
            Self::Level { found, taken } => write!(
                f,
                "its level is {}, and {} at most is taken",
                found.level_name(),
                taken.level_name()
            ),
            Self::OddSize(width, height) => write!(f, "{width}x{height} is an odd size"),
            Self::TooLarge(width, height) => write!(f, "{width}x{height} is more than 1080p"),
            Self::LargerThanTaken(width, height) => {
                write!(f, "{width}x{height} is larger than the node takes")
            }
            Self::FrameRate { found, taken } => {
                write!(
                    f,
                    "it has {found} pictures a second, and {taken} at most are taken"
                )
            }
            Self::BitRate { found, taken } => write!(
                f,
                "it has up to {} kbit/s, and {} at most are taken",
                found / 1000,
                taken / 1000
            ),
            Self::RareKeyFrames(interval) => write!(
                f,
                "its key frames are up to {:.1} s apart, and 2 s at most are sent as they are",
                interval.as_secs_f64()
            ),
        }
    }
}

impl Film {
    /// Returns all that keeps its pictures from being sent as they are to a far end that takes
    /// `accepted`; nothing if they can be.
    pub fn unsuitable(&self, accepted: &Acceptance) -> Vec<Unsuitable> {
        let codec = match self.coding {
            Coding::Raw(_) => return vec![Unsuitable::Raw],
            Coding::Coded(codec) => codec,
        };
        let mut why = Vec::new();
        if codec != accepted.codec {
            why.push(Unsuitable::OtherCodec {
                found: codec,
                wanted: accepted.codec,
            });
        }
        let character = &self.character;
        if character.is_reordered {
            why.push(Unsuitable::Reordered);
        }
        if character.is_interlaced {
            why.push(Unsuitable::Interlaced);
        }
        if !character.is_plain {
            why.push(Unsuitable::NotPlain);
        }
        if let Some(found) = character.h264 {
            let taken = accepted.h264;
            if !taken.decodes_profile(found) {
                why.push(Unsuitable::Profile { found, taken });
            }
            if found.level > taken.level {
                why.push(Unsuitable::Level { found, taken });
            }
        }
        let (width, height) = (self.width, self.height);
        if width % 2 != 0 || height % 2 != 0 {
            why.push(Unsuitable::OddSize(width, height));
        }
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            why.push(Unsuitable::TooLarge(width, height));
        } else if accepted.max_frame_size.is_some()
            && !accepted.takes_size(width as usize, height as usize)
        {
            // H.264 says it by its level, which is looked at above.
            why.push(Unsuitable::LargerThanTaken(width, height));
        }
        let found = self.frame_rate().round() as u32;
        if let Some(taken) = accepted.max_frame_rate
            && found > taken
        {
            why.push(Unsuitable::FrameRate { found, taken });
        }
        let found = self.peak_bit_rate;
        if let Some(taken) = accepted.max_bit_rate
            && found > u64::from(taken)
        {
            why.push(Unsuitable::BitRate { found, taken });
        }
        if self.longest_key_interval > Track::LONGEST_GOOD_KEY_INTERVAL {
            why.push(Unsuitable::RareKeyFrames(self.longest_key_interval));
        }
        why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_is_read_leniently() {
        let read = |codec, line| Acceptance::read(codec, line, None);
        let h264 = read(
            Codec::H264,
            "level-asymmetry-allowed=1;packetization-mode=1; profile-level-id=640C28",
        );
        let high = H264Profile {
            profile: 100,
            constraints: 0x0c,
            level: 40,
        };
        assert_eq!(h264.h264, high);
        for nonsense in [
            "profile-level-id=1",
            "profile-level-id=zzzzzz",
            "profile-level-id",
            "",
        ] {
            assert_eq!(read(Codec::H264, nonsense), Acceptance::of(Codec::H264));
        }
        let vp8 = read(Codec::Vp8, "max-fr=30; MAX-FS=3600");
        assert_eq!(
            (vp8.max_frame_rate, vp8.max_frame_size),
            (Some(30), Some(3600))
        );
        assert_eq!(
            read(Codec::Vp8, "max-fr=0;max-fs=x"),
            Acceptance::of(Codec::Vp8)
        );
        // Parameters of another codec say nothing.
        assert_eq!(read(Codec::Av1, "max-fr=5"), Acceptance::of(Codec::Av1));
    }
}
