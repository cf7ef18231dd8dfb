//! The moving test picture: colour bars, a clock, a frame counter, something that moves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Font;
use crate::picture::{Picture, Yuv};

/// White, yellow, cyan, green, magenta, red, blue at 75 % (SMPTE EG 1), BT.601.
const COLOURS: [Yuv; 7] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
];
const BLACK: Yuv = [16, 128, 128];
const BALL: Yuv = [210, 100, 150];
const INK: u8 = 235;

/// Draws the test picture of any moment.
#[derive(Debug)]
pub(crate) struct Bars {
    background: Picture,
}

impl Bars {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let mut background = Picture::filled(width, height, BLACK);
        for (at, colour) in COLOURS.into_iter().enumerate() {
            let (left, right) = (at * width / 7, (at + 1) * width / 7);
            background.fill(left, 0, right - left, height / 2, colour);
        }
        Self { background }
    }

    /// Returns width and height.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.background.width(), self.background.height())
    }

    /// Draws picture number `count`, `media_time` after the start, when it is `clock`: not known where
    /// it is drawn to be shown some time later.
    pub(crate) fn draw(
        &self,
        count: u64,
        media_time: Duration,
        clock: Option<SystemTime>,
    ) -> Picture {
        let mut picture = self.background.clone();
        let (width, height) = (picture.width(), picture.height());
        let size = (height / 11).max(8);
        let clock = clock.map(|clock| clock.duration_since(UNIX_EPOCH).unwrap_or_default());
        let lines = [
            clock.map_or(String::new(), |clock| {
                format!("{} UTC", clock_text(clock, 3))
            }),
            format!("{}  {count}", clock_text(media_time, 1)),
        ];
        for (row, line) in lines.iter().enumerate() {
            let top = height / 2 + size / 2 + row * (size + size / 2);
            Font::Dots.draw(&mut picture, width / 16, top, size, line, INK);
        }
        // Across and back in four seconds.
        let side = height / 8;
        let travel = width.saturating_sub(side);
        let phase = media_time.as_millis() as usize % 4000;
        let at = travel * phase.min(4000 - phase) / 2000;
        picture.fill(at, height - side, side, side, BALL);
        picture
    }
}

/// Returns hours, minutes, seconds and `digits` decimals, within a day.
fn clock_text(time: Duration, digits: u32) -> String {
    let seconds = time.as_secs() % 86_400;
    let fraction = time.subsec_millis() / 10u32.pow(3 - digits.min(3));
    format!(
        "{:02}:{:02}:{:02}.{fraction:0width$}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        width = digits as usize
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_read_right() {
        assert_eq!(
            clock_text(Duration::from_millis(3_723_045), 3),
            "01:02:03.045"
        );
        assert_eq!(
            clock_text(Duration::from_millis(86_400_950), 1),
            "00:00:00.9"
        );
    }

    #[test]
    fn the_picture_moves() {
        let bars = Bars::new(320, 180);
        let one = bars.draw(1, Duration::from_millis(40), Some(UNIX_EPOCH));
        let other = bars.draw(51, Duration::from_millis(2040), Some(UNIX_EPOCH));
        assert_ne!(one, other);
        let later = UNIX_EPOCH + Duration::from_secs(1);
        assert_ne!(one, bars.draw(1, Duration::from_millis(40), Some(later)));
        Bars::new(2, 2).draw(0, Duration::ZERO, None);
    }
}
