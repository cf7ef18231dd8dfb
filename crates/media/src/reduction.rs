//! Less than what was asked for: fewer pictures, and smaller ones.

use crate::video::VideoSettings;

/// Below these a picture is no use any more.
const LEAST_RATE: u32 = 8;
const LEAST_WIDTH: usize = 160;
/// No encoder is asked for less, in bits a second.
const LEAST_BITS: u32 = 50_000;

/// Returns how pictures are encoded that may take at most so many bits a second.
pub(crate) fn within(asked: VideoSettings, most: Option<u32>) -> VideoSettings {
    let Some(most) = most else {
        return asked;
    };
    let reduced = Reduction::within(asked, most).of(asked);
    VideoSettings {
        bit_rate: reduced.bit_rate.min(most).max(LEAST_BITS),
        ..reduced
    }
}

/// How much less than what was asked for is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reduction {
    /// One picture in so many is encoded.
    pub(crate) stride: u64,
    /// Width and height are so many quarters of what they were.
    quarters: usize,
}

impl Reduction {
    pub(crate) const NONE: Self = Self {
        stride: 1,
        quarters: 4,
    };

    /// Returns what leaves `asked` with at most so many bits a second: pictures of which half the bits are missing
    /// are seen to be, so that there are fewer of them then, and smaller ones.
    pub(crate) fn within(asked: VideoSettings, most: u32) -> Self {
        let mut reduction = Self::NONE;
        while reduction.needs(asked) / 2 > most {
            let Some(next) = reduction.next(asked) else {
                break;
            };
            reduction = next;
        }
        reduction
    }

    /// Returns the bits a second with which pictures look as those asked for do.
    fn needs(self, asked: VideoSettings) -> u32 {
        let bits = self.of(asked).bit_rate;
        // Half of the pictures take more than half of the bits: each differs more from the one before.
        if self.stride > 1 { bits / 4 * 3 } else { bits }
    }

    /// Returns the next one, of `asked`: half the rate first, which is seen least; `None` where nothing
    /// can be less.
    pub(crate) fn next(self, asked: VideoSettings) -> Option<Self> {
        let mut rate = self;
        rate.stride *= 2;
        if self.quarters == 4 && self.stride == 1 && rate.of(asked).frame_rate >= LEAST_RATE {
            return Some(rate);
        }
        let mut size = self;
        size.quarters = self.quarters.saturating_sub(1).max(1);
        let smaller = size.of(asked).width;
        if size != self && smaller >= LEAST_WIDTH {
            return Some(size);
        }
        (rate.of(asked).frame_rate >= LEAST_RATE).then_some(rate)
    }

    /// Returns what is encoded instead of `asked`.
    pub(crate) fn of(self, asked: VideoSettings) -> VideoSettings {
        let even = |size: usize| (size * self.quarters / 4).max(2) & !1;
        let rate = u64::from(asked.frame_rate) / self.stride;
        let parts = self.quarters * self.quarters;
        let bits = asked.bit_rate as usize * parts / 16;
        VideoSettings {
            width: even(asked.width),
            height: even(asked.height),
            frame_rate: u32::try_from(rate).unwrap_or(u32::MAX).max(1),
            bit_rate: u32::try_from(bits).unwrap_or(u32::MAX).max(LEAST_BITS),
            ..asked
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: VideoSettings = VideoSettings {
        width: 1280,
        height: 720,
        frame_rate: 25,
        bit_rate: 1_000_000,
        key_interval: 1000,
    };

    #[test]
    fn the_rate_goes_first_then_the_size() {
        let mut reduction = Reduction::NONE;
        let mut steps = Vec::new();
        while let Some(next) = reduction.next(ASKED) {
            let now = next.of(ASKED);
            steps.push((now.width, now.height, now.frame_rate));
            reduction = next;
        }
        let expected = [
            (1280, 720, 12),
            (960, 540, 12),
            (640, 360, 12),
            (320, 180, 12),
        ];
        assert_eq!(steps, expected);
        let small = VideoSettings {
            width: 64,
            height: 64,
            frame_rate: 10,
            ..ASKED
        };
        assert_eq!(Reduction::NONE.next(small), None);
    }

    #[test]
    fn fewer_bits_mean_worse_then_fewer_then_smaller_pictures() {
        let all = [
            None,
            Some(2_000_000),
            Some(600_000),
            Some(400_000),
            Some(250_000),
            Some(60_000),
            Some(1),
        ];
        let made = all.map(|most| {
            let made = within(ASKED, most);
            (made.width, made.frame_rate, made.bit_rate)
        });
        let expected = [
            (1280, 25, 1_000_000),
            (1280, 25, 1_000_000),
            (1280, 25, 600_000),
            (1280, 12, 400_000),
            (960, 12, 250_000),
            (320, 12, 60_000),
            (320, 12, 50_000),
        ];
        assert_eq!(made, expected);
    }
}
