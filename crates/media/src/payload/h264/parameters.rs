//! Sequence and picture parameter sets (H.264 §7.3.2).

use bytes::Bytes;

use super::{PPS, SPS, STAP_A, aggregated, begins_key_frame, kind};
use crate::payload::bits::Bits;

/// What a sequence parameter set says, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    /// `profile_idc`: 66 is baseline, 77 main, 100 high.
    pub(crate) profile: u8,
    /// The constraint flags, `constraint_set0_flag` highest.
    pub(crate) constraints: u8,
    /// `level_idc`: ten times the level.
    pub(crate) level: u8,
    /// Width of the picture shown, in pixels.
    pub(crate) width: u32,
    /// Its height.
    pub(crate) height: u32,
    /// Whether pictures may consist of fields: they may be interlaced.
    pub(crate) may_have_fields: bool,
    /// Whether samples have eight bits, in 4:2:0.
    pub(crate) is_plain: bool,
    /// Ticks of a field, and ticks of a second, where they are stated (H.264 §E.2.1).
    timing: Option<(u32, u32)>,
}

impl Sps {
    /// Reads a unit of this type; `None` for one that makes no sense.
    pub(crate) fn read(nal: &[u8]) -> Option<Self> {
        let (&[_, profile, constraints, level], rest) = nal.split_first_chunk::<4>()?;
        // More than any set has: it bounds the work on what a stranger sent.
        let rest = without_emulation_prevention(&rest[..rest.len().min(512)]);
        let mut bits = Bits::new(&rest);
        let _id = bits.ue()?;
        let mut chroma = 1;
        let mut separate_planes = false;
        let mut is_deep = false;
        if matches!(
            profile,
            100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
        ) {
            chroma = bits.ue()?;
            if chroma == 3 {
                separate_planes = bits.flag()?;
            }
            is_deep = (bits.ue()?, bits.ue()?) != (0, 0);
            let _lossless = bits.flag()?;
            if bits.flag()? {
                for list in 0..if chroma == 3 { 12 } else { 8 } {
                    if bits.flag()? {
                        skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        let _frame_number_bits = bits.ue()?;
        match bits.ue()? {
            0 => {
                bits.ue()?;
            }
            1 => {
                bits.flag()?;
                let (_, _) = (bits.ue()?, bits.ue()?);
                for _ in 0..bits.ue()?.min(256) {
                    bits.ue()?;
                }
            }
            2 => {}
            _ => return None,
        }
        let _reference_frames = bits.ue()?;
        let _gaps_allowed = bits.flag()?;
        let across = bits.ue()?.checked_add(1)?;
        let down = bits.ue()?.checked_add(1)?;
        let frames_alone = bits.flag()?;
        if !frames_alone {
            bits.flag()?;
        }
        let _direct_inference = bits.flag()?;
        let mut width = across.checked_mul(16)?;
        let mut height = down
            .checked_mul(16)?
            .checked_mul(if frames_alone { 1 } else { 2 })?;
        if bits.flag()? {
            // Cropping counts in samples of chroma (H.264 table 6-1).
            let (wide, high) = match chroma {
                1 if !separate_planes => (2, 2),
                2 if !separate_planes => (2, 1),
                _ => (1, 1),
            };
            let high = if frames_alone { high } else { high * 2 };
            let sides = [bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?];
            let [left, right, top, bottom] = sides.map(u64::from);
            width = shortened(width, (left + right) * wide)?;
            height = shortened(height, (top + bottom) * high)?;
        }
        Some(Self {
            profile,
            constraints,
            level,
            width,
            height,
            may_have_fields: !frames_alone,
            is_plain: chroma == 1 && !is_deep,
            timing: timing(&mut bits),
        })
    }

    /// Returns the pictures a second that it states, if they make sense.
    pub(crate) fn rate(&self) -> Option<f64> {
        let (units, scale) = self.timing?;
        let rate = f64::from(scale) / (2.0 * f64::from(units));
        (1.0..=240.0).contains(&rate).then_some(rate)
    }
}

/// Reads the timing at the end of a sequence parameter set, if it is there (H.264 §E.1.1).
fn timing(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    const OTHER_ASPECT: u32 = 255;
    if !bits.flag()? {
        return None;
    }
    if bits.flag()? && bits.read(8)? == OTHER_ASPECT {
        bits.read(32)?;
    }
    if bits.flag()? {
        bits.flag()?;
    }
    // Format and range of the signal, then its colours.
    if bits.flag()? && bits.read(5)? & 1 == 1 {
        bits.read(24)?;
    }
    if bits.flag()? {
        let (_, _) = (bits.ue()?, bits.ue()?);
    }
    bits.flag()?
        .then(|| Some((bits.read(32)?, bits.read(32)?)))
        .flatten()
}

/// Tells whether a slice may refer to pictures that are shown later (H.264 §7.4.3, table 7-6).
pub(crate) fn is_b_slice(nal: &[u8]) -> bool {
    let header = without_emulation_prevention(nal.get(1..nal.len().min(16)).unwrap_or_default());
    let mut bits = Bits::new(&header);
    let (_first_macroblock, kind) = (bits.ue(), bits.ue());
    matches!(kind, Some(1 | 6))
}

fn shortened(side: u32, by: u64) -> Option<u32> {
    let left = u64::from(side).checked_sub(by)?;
    u32::try_from(left).ok().filter(|left| *left > 0)
}

fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<()> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..size {
        if next != 0 {
            let code = i64::from(bits.ue()?);
            let delta = if code % 2 == 1 {
                (code + 1) / 2
            } else {
                -(code / 2)
            };
            next = (last + delta).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// Drops the third of each `00 00 03` (H.264 §7.4.1).
fn without_emulation_prevention(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for byte in bytes {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

/// The parameter sets that came last, for senders that do not repeat them with every key frame.
#[derive(Debug, Default)]
pub(crate) struct ParameterSets {
    sps: Option<Bytes>,
    pps: Option<Bytes>,
}

impl ParameterSets {
    /// The longest set that is kept, in bytes: real ones have some thirty.
    const LONGEST: usize = 512;

    /// Takes note of the sets in the payloads of one frame, and puts the last ones before an IDR
    /// picture that comes without.
    pub(crate) fn complete(&mut self, payloads: &mut Vec<Bytes>) {
        let mut has_sets = false;
        for payload in payloads.iter() {
            match kind(payload) {
                SPS | PPS => has_sets |= self.note(payload),
                STAP_A => {
                    for nal in aggregated(payload) {
                        has_sets |= self.note(nal);
                    }
                }
                _ => {}
            }
        }
        let is_idr = payloads.iter().any(|payload| begins_key_frame(payload));
        if let (true, false, Some(sps), Some(pps)) = (is_idr, has_sets, &self.sps, &self.pps) {
            payloads.splice(0..0, [sps.clone(), pps.clone()]);
        }
    }

    /// Keeps a unit if it is a set; tells whether it is one of sequences.
    fn note(&mut self, nal: &[u8]) -> bool {
        let place = match kind(nal) {
            SPS => &mut self.sps,
            PPS => &mut self.pps,
            _ => return false,
        };
        if nal.len() <= Self::LONGEST && place.as_deref() != Some(nal) {
            *place = Some(Bytes::copy_from_slice(nal));
        }
        kind(nal) == SPS
    }
}
