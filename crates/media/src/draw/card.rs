//! A card: text as large as fits.

use super::{Font, INK, NIGHT, RULE};
use crate::picture::Picture;

/// The smallest letters that are drawn, in pixels: less cannot be read.
const SMALLEST: usize = 8;

/// Returns a picture that says `text`, in letters as large as fit: between words where there are any,
/// and otherwise within them. What is too long even in the smallest letters ends with an ellipsis.
pub fn card_picture(text: &str, width: usize, height: usize) -> Picture {
    let font = Font::system();
    let mut picture = Picture::filled(width, height, NIGHT);
    let rule = height / 90 + 1;
    picture.fill(width / 16, height * 15 / 16, width * 7 / 8, rule, RULE);
    let (wide, high) = (width * 7 / 8, height * 13 / 16);
    let step = |size: usize| size * 3 / 2;
    let fits = |size: usize| {
        let lines = font.wrap(text, size, wide);
        let is_wide = lines.iter().any(|line| font.width(line, size) > wide);
        !is_wide && lines.len() * step(size) <= high
    };
    // A word or two need not fill the picture.
    let largest = (height / 6).max(SMALLEST);
    let size = (SMALLEST..=largest)
        .rev()
        .find(|size| fits(*size))
        .unwrap_or(SMALLEST);
    let mut lines = font.broken(text, size, wide);
    let most = (high / step(size)).max(1);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('\u{2026}');
        }
    }
    let top = (height * 15 / 16).saturating_sub(lines.len() * step(size)) / 2 + size / 4;
    for (row, line) in lines.iter().enumerate() {
        let left = width.saturating_sub(font.width(line, size)) / 2;
        font.draw(&mut picture, left, top + row * step(size), size, line, INK);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The box around what differs from the empty card: left, top, right, bottom.
    fn bounds(text: &str, width: usize, height: usize) -> [usize; 4] {
        let (empty, card) = (
            card_picture(" ", width, height),
            card_picture(text, width, height),
        );
        let mut bounds = [width, height, 0, 0];
        for (at, (a, b)) in empty.luma().iter().zip(card.luma()).enumerate() {
            if a != b {
                let (x, y) = (at % width, at / width);
                bounds = [
                    bounds[0].min(x),
                    bounds[1].min(y),
                    bounds[2].max(x),
                    bounds[3].max(y),
                ];
            }
        }
        bounds
    }

    #[test]
    fn text_is_large_within_the_picture_and_in_its_middle() {
        let long = "The meeting begins at three o\u{2019}clock. ".repeat(12);
        for text in [
            "Grüße aus Zürich",
            &long,
            &"w".repeat(400),
            "One\nTwo\nThree",
        ] {
            let [left, top, right, bottom] = bounds(text, 640, 360);
            assert!(
                left >= 30 && right <= 610 && top >= 5 && bottom <= 340,
                "{text}: {left} {top} {right} {bottom}"
            );
            let (middle, centre) = ((left + right) / 2, (top + bottom) / 2);
            assert!(
                middle.abs_diff(320) < 25 && centre.abs_diff(168) < 30,
                "{text}: {middle}, {centre}"
            );
            assert!(right - left > 200, "{text}");
        }
        // Few words in larger letters than many.
        let height = |text| {
            let [_, top, _, bottom] = bounds(text, 640, 360);
            bottom - top
        };
        assert!(height("HI") > 40);
    }

    #[test]
    fn no_text_and_no_size_is_too_strange() {
        for text in ["", "\n\n", "\u{1f600} \u{0301}", &"x".repeat(30_000)] {
            for (width, height) in [(2, 2), (64, 36), (1920, 1080)] {
                card_picture(text, width, height);
            }
        }
    }
}
