//! Steps one below the other, each from when to when.

use std::fmt::Write as _;

use super::{Scale, id_of, open};
use crate::Unit;
use crate::report::escape::Escaped;

/// The picture's inner units: across, and down for each step.
const SIZE: (u32, u32) = (1000, 26);

/// One bar of a waterfall, in seconds: from when to when it usually lasts, and when it ends at p95.
pub(in crate::report) struct Bar {
    pub(in crate::report) name: String,
    pub(in crate::report) from: f64,
    pub(in crate::report) to: f64,
    pub(in crate::report) p95: f64,
}

/// Steps one below the other, with the axis below them.
pub(in crate::report) fn waterfall(title: &str, bars: &[Bar]) -> String {
    let ends = bars.iter().map(|bar| bar.p95.max(bar.to));
    let axis = Scale::of(Unit::Seconds).fitted(ends.fold(0.0, f64::max));
    let width = f64::from(SIZE.0);
    let height = SIZE.1 * bars.len().max(1) as u32;

    let mut names = String::from("<div class=\"names\">");
    let mut values = String::from("<div class=\"values\">");
    let mut shapes = String::new();
    let mut said = Vec::new();
    // Writing into a String cannot fail.
    for (place, _) in axis.ticks() {
        let x = place * width;
        let _ = write!(shapes, "<path class=\"grid\" d=\"M{x:.1} 0V{height}\"/>");
    }
    for (number, bar) in bars.iter().enumerate() {
        let told = |value| Unit::Seconds.told(value);
        let (usual, slow) = (told(bar.to), told(bar.p95));
        let name = Escaped(&bar.name);
        let _ = write!(names, "<span>{name}</span>");
        let _ = write!(
            values,
            "<span>{usual} <i class=\"soft\">p95 {slow}</i></span>"
        );
        said.push(format!("{}: {usual}, p95 {slow}", bar.name));
        let top = number as u32 * SIZE.1;
        let (from, to, p95) = (
            axis.place(bar.from),
            axis.place(bar.to),
            axis.place(bar.p95),
        );
        let _ = write!(
            shapes,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{}\" width=\"{:.1}\" height=\"14\"/>\
             <path class=\"whisker\" d=\"M{:.1} {}H{:.1}M{:.1} {}V{}\"/>",
            from * width,
            top + 6,
            ((to - from) * width).max(2.0),
            to * width,
            top + 13,
            p95 * width,
            p95 * width,
            top + 9,
            top + 17,
        );
    }
    let mut ticks = String::new();
    for (place, word) in axis.ticks() {
        let _ = write!(
            ticks,
            "<span style=\"left:{:.2}%\">{word}</span>",
            place * 100.0
        );
    }
    format!(
        "<figure class=\"waterfall\">\n{names}</div>\n<div class=\"bars\" style=\"height:{height}px\">{}{shapes}</svg></div>\n{values}</div>\n\
         <div class=\"x\" aria-hidden=\"true\">{ticks}</div>\n</figure>\n",
        open(&id_of(title), title, &said.join("; "), SIZE.0, height),
    )
}
