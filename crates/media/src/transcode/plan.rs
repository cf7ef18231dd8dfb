//! Which pictures of a film are encoded, when they are shown, and how large.

use std::ops::Range;
use std::time::Duration;

use crate::codec::Codec;
use crate::film::{Acceptance, Film, H264Profile};
use crate::reduction;
use crate::video::VideoSettings;

/// The largest picture that is made, in macroblocks of 16 × 16 pixels: 720p, in either direction.
const MOST_BLOCKS: u64 = 3_600;
/// What AV1 is encoded in at about the speed it plays, in pixels.
const MOST_PIXELS_AV1: u64 = 640 * 360;
/// The most pictures a second.
const MOST_PICTURES: u32 = 30;
/// How far apart key frames are made.
const KEY_INTERVAL: Duration = Duration::from_secs(1);
/// An encoder makes none of its own accord, since where they go is planned. Encoders calculate with it.
const NEVER: u32 = 100_000;
/// Bits for each pixel: reads well for films in each of the codecs.
const BITS_PER_PIXEL: f64 = 0.1;

/// A picture that will be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    /// When it is shown in the film.
    pub(super) shown: Duration,
    /// When it is shown in the track.
    pub(super) at: Duration,
    /// Until the next one.
    pub(super) duration: Duration,
    /// Whether it is to be a key frame.
    pub(super) is_key: bool,
}

/// Returns which pictures of a part of a film are encoded, so many a second at most, in the order they
/// are shown.
pub(super) fn plan(film: &Film, part: &Range<Duration>, most: u32) -> Vec<Planned> {
    let mut times: Vec<Duration> = film.frames().iter().map(|frame| frame.shown).collect();
    times.sort_unstable();
    times.dedup();
    // The part begins with the picture that is shown then already.
    let before = times.partition_point(|time| *time <= part.start);
    times.drain(..before.saturating_sub(1));
    times.retain(|time| *time < part.end);
    // Times are rounded, to milliseconds in some containers.
    let step = (Duration::from_secs(1) / most.max(1)).mul_f64(0.94);
    let mut last: Option<Duration> = None;
    times.retain(|time| {
        let keeps = last.is_none_or(|last| *time >= last + step);
        if keeps {
            last = Some(*time);
        }
        keeps
    });
    let mut key: Option<Duration> = None;
    let planned = times.iter().enumerate().map(|(number, shown)| {
        let is_key = key.is_none_or(|key| *shown >= key + KEY_INTERVAL);
        if is_key {
            key = Some(*shown);
        }
        let at = shown.saturating_sub(part.start);
        let next = times.get(number + 1).copied().unwrap_or(part.end);
        Planned {
            shown: *shown,
            at,
            duration: next.saturating_sub(part.start).saturating_sub(at),
            is_key,
        }
    });
    planned.collect()
}

/// Returns how the pictures of a film are encoded for a far end that takes `accepted`: no larger and
/// no faster than they are, than 720p at 30 pictures a second (360p in AV1), and than the far end takes.
pub fn target(film: &Film, accepted: &Acceptance) -> VideoSettings {
    VideoSettings {
        key_interval: NEVER,
        ..target_of((film.width, film.height), film.frame_rate(), accepted)
    }
}

/// Returns the same for pictures of this size and rate.
pub(crate) fn target_of(
    (width, height): (u32, u32),
    frame_rate: f64,
    accepted: &Acceptance,
) -> VideoSettings {
    let blocks = MOST_BLOCKS.min(accepted.most_blocks().unwrap_or(u64::MAX));
    let pixels = match accepted.codec {
        Codec::Av1 => MOST_PIXELS_AV1,
        _ => u64::MAX,
    };
    let (width, height) = fitted(width, height, blocks, pixels);
    let most = most_pictures(accepted, width, height);
    let frame_rate = frame_rate.round().clamp(1.0, most.into());
    // The fewer pictures there are, the more one differs from the one before.
    let weight = (frame_rate + f64::from(MOST_PICTURES)) / 2.0;
    let bits = (width * height) as f64 * weight * BITS_PER_PIXEL;
    let bit_rate = (bits as u32).clamp(150_000, 2_500_000);
    let asked = VideoSettings {
        width,
        height,
        frame_rate: frame_rate as u32,
        bit_rate,
        ..VideoSettings::default()
    };
    reduction::within(asked, accepted.max_bit_rate)
}

/// Returns the most pictures a second of a film that are encoded like this for a far end.
pub(super) fn most_of(film: &Film, accepted: &Acceptance, settings: &VideoSettings) -> u32 {
    let unlimited = Acceptance {
        max_bit_rate: None,
        ..*accepted
    };
    // A film whose pictures come in bursts has more of them than on average.
    if settings.frame_rate < target(film, &unlimited).frame_rate {
        settings.frame_rate
    } else {
        most_pictures(accepted, settings.width, settings.height)
    }
}

/// Returns the most pictures a second of this size that are made for a far end.
pub(super) fn most_pictures(accepted: &Acceptance, width: usize, height: usize) -> u32 {
    let mut most = MOST_PICTURES.min(accepted.max_frame_rate.unwrap_or(u32::MAX));
    if accepted.codec == Codec::H264 {
        let a_second = accepted.h264.limits().1 / self::blocks(width, height).max(1);
        most = most.min(u32::try_from(a_second).unwrap_or(u32::MAX));
    }
    most.max(1)
}

impl Acceptance {
    /// Returns the most macroblocks of a picture that the far end takes, where it says so.
    pub(crate) fn most_blocks(&self) -> Option<u64> {
        let stated = self.max_frame_size.map(u64::from);
        let level = (self.codec == Codec::H264).then(|| self.h264.limits().0);
        [stated, level].into_iter().flatten().min()
    }

    /// Tells whether the far end takes pictures of this size.
    pub(crate) fn takes_size(&self, width: usize, height: usize) -> bool {
        self.most_blocks()
            .is_none_or(|most| fits(width, height, most))
    }
}

impl H264Profile {
    /// Returns the most macroblocks of a picture, and of a second, in its level (H.264 table A-1).
    pub(crate) fn limits(self) -> (u64, u64) {
        match self.level {
            ..=10 => (99, 1_485),
            11 => (396, 3_000),
            12 => (396, 6_000),
            13..=20 => (396, 11_880),
            21 => (792, 19_800),
            22..=29 => (1_620, 20_250),
            30 => (1_620, 40_500),
            31 => (3_600, 108_000),
            32..=39 => (5_120, 216_000),
            40..=41 => (8_192, 245_760),
            42..=49 => (8_704, 522_240),
            50 => (22_080, 589_824),
            51.. => (36_864, 983_040),
        }
    }
}

fn blocks(width: usize, height: usize) -> u64 {
    (width.div_ceil(16) * height.div_ceil(16)) as u64
}

/// Tells whether a size is within so many macroblocks. Neither side may have more than the root of eight
/// times as many (RFC 7741 §6.1, H.264 §A.3.1).
fn fits(width: usize, height: usize, most: u64) -> bool {
    let side = width.max(height).div_ceil(16) as u64;
    blocks(width, height) <= most && side * side <= 8 * most
}

/// Returns the largest even size of at most so many macroblocks and pixels in the proportions of
/// `width` × `height`.
fn fitted(width: u32, height: u32, blocks: u64, pixels: u64) -> (usize, usize) {
    let all = f64::from(width) * f64::from(height);
    let pixels = pixels.min(blocks * 256);
    // Pixels first: whole macroblocks are more.
    let mut scale = (pixels as f64 / all).sqrt().min(1.0);
    // An encoder takes no side beyond 4096.
    let side = |side: u32, scale: f64| {
        let even = (f64::from(side) * scale / 2.0 + 1e-6).floor() as usize * 2;
        even.clamp(16, 4096)
    };
    loop {
        let (wide, high) = (side(width, scale), side(height, scale));
        let is_within = fits(wide, high, blocks) && (wide * high) as u64 <= pixels;
        if is_within || (wide, high) == (16, 16) {
            return (wide, high);
        }
        scale *= 0.99;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_proportions_and_are_even() {
        let within_720p = |width, height| fitted(width, height, MOST_BLOCKS, u64::MAX);
        assert_eq!(within_720p(1920, 1080), (1280, 720));
        assert_eq!(within_720p(1080, 1920), (720, 1280));
        assert_eq!(within_720p(1280, 720), (1280, 720));
        assert_eq!(within_720p(641, 361), (640, 360));
        let for_av1 = |width, height| fitted(width, height, MOST_BLOCKS, MOST_PIXELS_AV1);
        assert_eq!(for_av1(640, 360), (640, 360));
        assert_eq!(for_av1(3840, 2160), (640, 360));
        for (width, height) in [(1920, 1200), (16_384, 2), (999, 1001), (1, 1)] {
            let (wide, high) = fitted(width, height, 900, u64::MAX);
            assert!(fits(wide, high, 900), "{wide}x{high}");
            assert!(wide % 2 == 0 && high % 2 == 0, "{wide}x{high}");
        }
    }

    #[test]
    fn a_level_limits_size_and_rate() {
        let at = |level| Acceptance {
            h264: H264Profile {
                level,
                ..H264Profile::CONSTRAINED_BASELINE_3_1
            },
            ..Acceptance::of(Codec::H264)
        };
        assert_eq!(most_pictures(&at(31), 1280, 720), 30);
        assert_eq!(most_pictures(&at(30), 720, 576), 25);
        assert_eq!(most_pictures(&at(11), 352, 288), 7);
        assert!(at(31).takes_size(1280, 720) && !at(30).takes_size(1280, 720));
        // The level is that of H.264 alone.
        let vp8 = Acceptance {
            codec: Codec::Vp8,
            ..at(11)
        };
        assert!(vp8.takes_size(1280, 720));
    }
}
