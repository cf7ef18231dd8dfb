//! Text, in DejaVu Sans where it is installed, else in dots.

use std::sync::OnceLock;

use ab_glyph::{Font as _, FontVec, PxScale, ScaleFont as _, point};

use super::dots;
use crate::picture::Picture;

/// Where Debian's `fonts-dejavu-core` puts it.
const DEJAVU: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/// A way to draw text.
#[derive(Debug)]
pub(super) enum Font {
    /// A scalable font with most of the world's letters.
    Outlines(FontVec),
    /// Digits, capitals and some signs; needs no file.
    Dots,
}

impl Font {
    /// Returns DejaVu Sans if it is installed, else dots. Read once.
    pub(super) fn system() -> &'static Self {
        static FONT: OnceLock<Font> = OnceLock::new();
        FONT.get_or_init(|| {
            let bytes = std::fs::read(DEJAVU).ok();
            let font = bytes.and_then(|bytes| FontVec::try_from_vec(bytes).ok());
            font.map_or(Self::Dots, Self::Outlines)
        })
    }

    /// Returns the width in pixels of a line whose capitals are about `size` pixels high.
    pub(super) fn width(&self, text: &str, size: usize) -> usize {
        match self {
            Self::Outlines(font) => {
                let font = font.as_scaled(scale(size));
                let advance = |c| font.h_advance(font.glyph_id(c));
                text.chars().map(advance).sum::<f32>().ceil() as usize
            }
            Self::Dots => text.chars().count() * 6 * dot(size),
        }
    }

    /// Draws one line with its upper left corner at `x`, `y`; what lies outside the picture is cut off.
    pub(super) fn draw(
        &self,
        picture: &mut Picture,
        x: usize,
        y: usize,
        size: usize,
        text: &str,
        luma: u8,
    ) {
        match self {
            Self::Outlines(font) => draw_outlines(font, picture, (x, y), size, text, luma),
            Self::Dots => draw_dots(picture, (x, y), size, text, luma),
        }
    }

    /// Breaks text into lines no wider than `width` pixels, between words where there are any.
    pub(super) fn wrap(&self, text: &str, size: usize, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                let longer = if line.is_empty() {
                    word.to_owned()
                } else {
                    format!("{line} {word}")
                };
                if line.is_empty() || self.width(&longer, size) <= width {
                    line = longer;
                } else {
                    lines.push(std::mem::replace(&mut line, word.to_owned()));
                }
            }
            lines.push(line);
        }
        lines
    }
}

impl Font {
    /// Breaks text into lines no wider than `width` pixels, within words that are wider than that.
    pub(super) fn broken(&self, text: &str, size: usize, width: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.wrap(text, size, width) {
            if self.width(&line, size) <= width {
                lines.push(line);
                continue;
            }
            let mut part = String::new();
            for character in line.chars() {
                part.push(character);
                if part.chars().nth(1).is_some() && self.width(&part, size) > width {
                    part.pop();
                    lines.push(std::mem::replace(&mut part, character.into()));
                }
            }
            lines.push(part);
        }
        lines
    }
}

fn scale(size: usize) -> PxScale {
    // DejaVu's capitals are 0.63 of its line height.
    PxScale::from(size as f32 / 0.63)
}

fn dot(size: usize) -> usize {
    (size / 7).max(1)
}

fn draw_dots(picture: &mut Picture, (x, y): (usize, usize), size: usize, text: &str, luma: u8) {
    let dot = dot(size);
    for (column, character) in text.chars().enumerate() {
        for (row, bits) in dots::glyph(character).into_iter().enumerate() {
            for bit in (0..5).filter(|bit| bits >> (4 - bit) & 1 == 1) {
                let left = x + (column * 6 + bit) * dot;
                picture.fill(left, y + row * dot, dot, dot, [luma, 128, 128]);
            }
        }
    }
}

fn draw_outlines(
    font: &FontVec,
    picture: &mut Picture,
    (x, y): (usize, usize),
    size: usize,
    text: &str,
    luma: u8,
) {
    let scaled = font.as_scaled(scale(size));
    let baseline = (y + size) as f32;
    let mut caret = x as f32;
    for character in text.chars() {
        let id = scaled.glyph_id(character);
        let glyph = id.with_scale_and_position(scale(size), point(caret, baseline));
        caret += scaled.h_advance(id);
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let bounds = outline.px_bounds();
        outline.draw(|column, row, coverage| {
            let (left, top) = (bounds.min.x + column as f32, bounds.min.y + row as f32);
            if left >= 0.0 && top >= 0.0 {
                let weight = (coverage.clamp(0.0, 1.0) * 255.0) as u8;
                picture.blend_luma(left as usize, top as usize, luma, weight);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ink(font: &Font, text: &str) -> usize {
        let mut picture = Picture::filled(400, 60, [16, 128, 128]);
        font.draw(&mut picture, 5, 5, 21, text, 235);
        picture.luma().iter().filter(|y| **y > 125).count()
    }

    #[test]
    fn every_digit_and_letter_differs() {
        let glyphs: Vec<_> = ('0'..='9').chain('A'..='Z').map(dots::glyph).collect();
        for (at, one) in glyphs.iter().enumerate() {
            assert!(!glyphs[at + 1..].contains(one));
        }
    }

    #[test]
    fn both_fonts_draw() {
        assert!(ink(&Font::Dots, "12:34 Ok") > 500);
        assert_eq!(ink(&Font::Dots, " "), 0);
        if let font @ Font::Outlines(_) = Font::system() {
            assert!(ink(font, "12:34 Zürich") > 500);
            assert_eq!(ink(font, " "), 0);
        }
    }

    #[test]
    fn long_text_is_wrapped() {
        let lines = Font::Dots.wrap("one two three four\nfive", 7, 60);
        assert_eq!(lines, ["one two", "three four", "five"]);
    }
}
