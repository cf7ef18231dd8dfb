//! Coloured cells: one row a caller, over time.

use std::fmt::Write as _;

use super::{Across, id_of, open, words_below};
use crate::report::escape::Escaped;

/// All rows together are about so high, in pixels, and each within bounds.
const HEIGHT: u32 = 420;
const ROW: (u32, u32) = (4, 16);
/// A group lower than this has no room for its name.
const NAME: u32 = 16;
const WIDTH: u32 = 1000;

/// One row: what it is, and for each column the class of its colour.
pub(in crate::report) struct HeatRow {
    pub(in crate::report) name: String,
    pub(in crate::report) cells: Vec<Option<&'static str>>,
}

/// Rows that belong together, under one name.
pub(in crate::report) struct Group {
    pub(in crate::report) name: String,
    pub(in crate::report) rows: Vec<HeatRow>,
}

/// Rows of coloured cells over a run of `seconds`, group by group.
pub(in crate::report) fn heat_map(title: &str, seconds: f64, groups: &[Group]) -> String {
    let rows = || groups.iter().flat_map(|group| &group.rows);
    let count = rows().count().max(1) as u32;
    let row_height = (HEIGHT / count).clamp(ROW.0, ROW.1);
    let columns = rows().map(|row| row.cells.len()).max().unwrap_or(0).max(1);
    let column_width = f64::from(WIDTH) / columns as f64;
    let height = row_height * count;

    let mut names = String::new();
    let mut shapes = String::new();
    let mut top = 0;
    // Writing into a String cannot fail.
    for (number, group) in groups.iter().enumerate() {
        let lines = group.rows.len() as u32 * row_height;
        if lines >= NAME {
            let name = Escaped(&group.name);
            let _ = write!(
                names,
                "<span title=\"{name}\" style=\"top:{:.2}%\">{name}</span>",
                (f64::from(top) + f64::from(lines) / 2.0) / f64::from(height) * 100.0
            );
        }
        for row in &group.rows {
            let _ = write!(shapes, "<g><title>{}</title>", Escaped(&row.name));
            cells(&mut shapes, row, top, row_height, column_width);
            shapes += "</g>";
            top += row_height;
        }
        if number + 1 < groups.len() {
            let _ = write!(shapes, "<path class=\"parting\" d=\"M0 {top}H{WIDTH}\"/>");
        }
    }
    let says = format!(
        "{count} rows in {} groups; the tables below name who had it worst",
        groups.len()
    );
    format!(
        "<figure class=\"plot heat\">\n<div class=\"y\" aria-hidden=\"true\">{names}</div>\n\
         <div class=\"cells\" style=\"height:{height}px\">{}{shapes}</svg></div>\n{}\n</figure>\n",
        open(&id_of(title), title, &says, WIDTH, height),
        words_below(&Across::time(seconds))
    )
}

/// Neighbours of one colour are one rectangle.
fn cells(shapes: &mut String, row: &HeatRow, top: u32, height: u32, width: f64) {
    let mut from = 0;
    for stretch in row.cells.chunk_by(|one, next| one == next) {
        if let Some(class) = stretch[0] {
            let _ = write!(
                shapes,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\"/>",
                f64::from(from) * width,
                stretch.len() as f64 * width
            );
        }
        from += stretch.len() as u32;
    }
}
