//! What encoded pictures say about themselves, beyond what a sender needs to know.

use std::collections::HashSet;

use shiguredo_mp4::bitstream::{av1, vp9};

use super::FilmFrame;
use crate::codec::Codec;
use crate::payload;
use crate::payload::h264::{Sps, is_b_slice};

/// NAL unit types of H.264 (table 7-1).
const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SPS: u8 = 7;

/// What a stream says about itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Character {
    /// The profile's name, where the codec has profiles.
    pub profile: Option<String>,
    /// The level, such as `3.1`.
    pub level: Option<String>,
    /// Profile and level as H.264 has them.
    pub h264: Option<H264Profile>,
    /// Pictures a second that the stream itself states.
    pub stated_rate: Option<f64>,
    /// Whether pictures are shown in another order than they come: there are B-frames.
    pub is_reordered: bool,
    /// Whether pictures may consist of fields.
    pub is_interlaced: bool,
    /// Whether it has eight bits of 4:2:0, as every receiver decodes.
    pub is_plain: bool,
}

impl Default for Character {
    fn default() -> Self {
        Self {
            profile: None,
            level: None,
            h264: None,
            stated_rate: None,
            is_reordered: false,
            is_interlaced: false,
            is_plain: true,
        }
    }
}

/// Profile and level of H.264, as in `profile-level-id` (RFC 6184 §8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct H264Profile {
    /// `profile_idc`: 66 is baseline, 77 main, 100 high.
    pub profile: u8,
    /// The constraint flags, `constraint_set0_flag` highest.
    pub constraints: u8,
    /// `level_idc`: ten times the level.
    pub level: u8,
}

impl H264Profile {
    /// What every WebRTC endpoint decodes (RFC 7742 §6.2), up to 720p.
    pub const CONSTRAINED_BASELINE_3_1: Self = Self {
        profile: 66,
        constraints: 0xe0,
        level: 31,
    };

    /// Reads `profile-level-id`: three bytes in hexadecimal digits.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let all = u32::from_str_radix(text, 16)
            .ok()
            .filter(|_| text.len() == 6)?;
        let [_, profile, constraints, level] = all.to_be_bytes();
        (profile > 0 && level > 0).then_some(Self {
            profile,
            constraints,
            level,
        })
    }

    /// Tells whether whoever decodes this profile decodes `other` too, whatever its level.
    pub fn decodes_profile(self, other: Self) -> bool {
        // Main that keeps the rules of baseline as well is Constrained Baseline (H.264 §A.2.1.1).
        let is_constrained_baseline =
            other.profile == 66 || other.profile == 77 && other.constraints & 0x80 != 0;
        match self.profile {
            66 => is_constrained_baseline,
            77 | 88 => is_constrained_baseline || other.profile == 77,
            100.. => is_constrained_baseline || matches!(other.profile, 77 | 100),
            _ => false,
        }
    }

    /// Returns what people call the profile.
    pub fn profile_name(self) -> String {
        let name = match (self.profile, self.constraints) {
            (66, flags) if flags & 0x40 != 0 => "Constrained Baseline",
            (66, _) => "Baseline",
            (77, _) => "Main",
            (88, _) => "Extended",
            (100, _) => "High",
            (110, _) => "High 10",
            (122, _) => "High 4:2:2",
            (244, _) => "High 4:4:4 Predictive",
            (other, _) => return format!("profile {other}"),
        };
        name.into()
    }

    /// Returns the level as people write it.
    pub fn level_name(self) -> String {
        format!("{}.{}", self.level / 10, self.level % 10)
    }
}

impl Character {
    pub(super) fn of(codec: Codec, frames: &[FilmFrame]) -> Self {
        match codec {
            Codec::Vp9 => Self::of_vp9(frames),
            Codec::Av1 => Self::of_av1(frames),
            Codec::H264 => Self::of_h264(frames),
            _ => Self::default(),
        }
    }

    fn of_vp9(frames: &[FilmFrame]) -> Self {
        let header = frames
            .first()
            .map(|frame| vp9::parse_frame_header(&frame.bytes));
        let Some(Ok(header)) = header else {
            return Self::default();
        };
        Self {
            profile: Some(format!("profile {}", header.profile)),
            is_plain: header.profile == 0,
            ..Self::default()
        }
    }

    fn of_av1(frames: &[FilmFrame]) -> Self {
        let sequence = frames
            .first()
            .and_then(|frame| payload::av1::sequence_header(&frame.bytes))
            .and_then(|header| av1::parse_sequence_header(header).ok());
        let Some(sequence) = sequence else {
            return Self::default();
        };
        let name = match sequence.seq_profile {
            0 => "Main",
            1 => "High",
            _ => "Professional",
        };
        // A level's index counts quarters from level 2.0 (AV1 specification §A.3).
        let level = sequence.seq_level_idx_0;
        let subsamples = sequence.chroma_subsampling_x == 1 && sequence.chroma_subsampling_y == 1;
        Self {
            profile: Some(name.into()),
            level: (level < 24).then(|| format!("{}.{}", 2 + level / 4, level % 4)),
            is_plain: !sequence.high_bitdepth && subsamples && !sequence.monochrome,
            ..Self::default()
        }
    }

    fn of_h264(frames: &[FilmFrame]) -> Self {
        let mut character = Self::default();
        // Sets repeat with every key frame; each is looked at once.
        let mut seen: HashSet<&[u8]> = HashSet::new();
        for frame in frames {
            for nal in payload::h264::nal_units(&frame.bytes) {
                match nal[0] & 0x1f {
                    SPS if seen.len() < 32 && seen.insert(nal) => character.take_sps(nal),
                    SLICE | IDR_SLICE => character.is_reordered |= is_b_slice(nal),
                    _ => {}
                }
            }
        }
        let shown = frames.iter().map(|frame| frame.shown);
        character.is_reordered |= !shown.is_sorted();
        character
    }

    fn take_sps(&mut self, nal: &[u8]) {
        let Some(sps) = Sps::read(nal) else { return };
        let profile = H264Profile {
            profile: sps.profile,
            constraints: sps.constraints,
            level: sps.level,
        };
        // The most demanding of several counts.
        let is_more =
            |known: H264Profile| (profile.profile, profile.level) > (known.profile, known.level);
        if self.h264.is_none_or(is_more) {
            self.h264 = Some(profile);
            self.profile = Some(profile.profile_name());
            self.level = Some(profile.level_name());
        }
        self.is_interlaced |= sps.may_have_fields;
        self.is_plain &= sps.is_plain;
        self.stated_rate = self.stated_rate.or(sps.rate());
    }
}

/// Returns the pictures a second that the first sequence parameter set of a byte stream states.
pub(crate) fn h264_rate(stream: &[u8]) -> Option<f64> {
    payload::h264::nal_units(stream)
        .filter(|nal| nal[0] & 0x1f == SPS)
        .take(4)
        .find_map(|nal| Sps::read(nal)?.rate())
}
