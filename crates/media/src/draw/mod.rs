//! Drawing on pictures: text, the slate, cards and the test picture.

mod bars;
mod card;
mod dots;
mod text;

pub(crate) use bars::Bars;
pub use card::card_picture;
use text::Font;

use crate::picture::{Picture, Yuv};

const NIGHT: Yuv = [34, 134, 122];
const RULE: Yuv = [120, 150, 100];
const INK: u8 = 225;

/// Returns a picture that says `text`, for the time when nothing else is to be seen; lines are wrapped.
pub fn slate_picture(text: &str, width: usize, height: usize) -> Picture {
    let mut picture = Picture::filled(width, height, NIGHT);
    picture.fill(0, height * 7 / 8, width, height / 90 + 1, RULE);
    let font = Font::system();
    let size = (height / 11).max(8);
    let lines = font.wrap(text, size, width * 9 / 10);
    let step = size * 3 / 2;
    let most = (height * 3 / 4 / step).max(1);
    let shown = lines.len().min(most);
    let top = (height * 7 / 8).saturating_sub(shown * step) / 2;
    for (row, line) in lines.iter().take(shown).enumerate() {
        let left = width.saturating_sub(font.width(line, size)) / 2;
        font.draw(&mut picture, left, top + row * step, size, line, INK);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slate_shows_its_text() {
        let empty = slate_picture("", 640, 360);
        let said = slate_picture("Waiting for the conference \u{2026} Zürich", 640, 360);
        let changed = empty
            .luma()
            .iter()
            .zip(said.luma())
            .filter(|(a, b)| a != b)
            .count();
        assert!((1500..60_000).contains(&changed), "{changed}");
        // However long the text and small the picture.
        slate_picture(&"word ".repeat(500), 64, 36);
        slate_picture(&"w".repeat(500), 2, 2);
    }
}
