//! Pictures of figures: SVG that stretches with the page, and its words beside it as text.
//!
//! The words are not in the picture, so that they keep their size however narrow the page is.
//! Colours are the page's.

use std::fmt::Write as _;

use super::escape::Escaped;

mod across;
mod axis;
mod heat_map;
mod lines;
mod waterfall;

pub(in crate::report) use across::Across;
pub(in crate::report) use axis::Scale;
pub(in crate::report) use heat_map::{Group, HeatRow, heat_map};
pub(in crate::report) use lines::{Guide, Line, guided, lines};
pub(in crate::report) use waterfall::{Bar, waterfall};

/// Opens a picture that fills its place; `width` and `height` are its inner units. What it is
/// called is read aloud, and so is what it says.
fn open(id: &str, title: &str, says: &str, width: u32, height: u32) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-says\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-says\">{}</desc>",
        Escaped(title),
        Escaped(says)
    )
}

/// The words below a picture, at their places.
fn words_below(across: &Across) -> String {
    let mut axis = String::from("<div class=\"x\" aria-hidden=\"true\">");
    for (place, word) in across.ticks() {
        // Writing into a String cannot fail.
        let _ = write!(
            axis,
            "<span style=\"left:{:.2}%\">{word}</span>",
            place * 100.0
        );
    }
    axis += "</div>";
    axis
}

/// What a plot is called in links between its parts: letters and dashes alone.
fn id_of(title: &str) -> String {
    let id = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    id.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn a_plot_of_nothing_is_a_plot() {
        let empty = [Line {
            name: "p50".to_owned(),
            colour: 0,
            points: vec![],
        }];
        let scale = Scale::of(Unit::Seconds);
        for across in [
            Across::time(0.0),
            Across::count("callers", 0.0),
            Across::shares(),
        ] {
            assert!(lines("nothing", &scale, &across, &empty).ends_with("</figure>\n"));
        }
        assert!(waterfall("nothing", &[]).ends_with("</figure>\n"));
        assert!(heat_map("nothing", 0.0, &[]).ends_with("</figure>\n"));
    }
}
