//! Lines over time.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{Scale, id_of, open, time_axis};
use crate::report::escape::Escaped;

/// The picture's inner units.
const SIZE: (u32, u32) = (1000, 200);

/// One line of a plot: its name, the number of its colour, and points of seconds and values.
pub(in crate::report) struct Line {
    pub(in crate::report) name: String,
    pub(in crate::report) colour: usize,
    pub(in crate::report) points: Vec<(f64, f64)>,
}

/// Lines over a run of `seconds`, with both axes and a legend.
pub(in crate::report) fn lines(title: &str, scale: &Scale, seconds: f64, lines: &[Line]) -> String {
    let values = lines.iter().flat_map(|line| line.points.iter());
    let highest = values.map(|(_, value)| *value).fold(0.0, f64::max);
    let axis = scale.fitted(highest);
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));

    let mut plot = String::from("<figure class=\"plot\">\n<div class=\"y\" aria-hidden=\"true\">");
    let mut grid = String::new();
    for (place, word) in axis.ticks() {
        let from_top = 1.0 - place;
        // Writing into a String cannot fail.
        let _ = write!(
            plot,
            "<span style=\"top:{:.2}%\">{word}</span>",
            from_top * 100.0
        );
        let _ = write!(grid, "M0 {:.1}H{width}", from_top * height);
    }
    plot += "</div>\n";
    plot += &open(&id_of(title), title, &said(scale, lines), SIZE.0, SIZE.1);
    let _ = write!(plot, "<path class=\"grid\" d=\"{grid}\"/>");
    for line in lines {
        let path = path(&line.points, seconds, &axis, width, height);
        let _ = write!(plot, "<path class=\"line s{}\" d=\"{path}\"/>", line.colour);
    }
    plot += "</svg>\n";
    plot += &time_axis(seconds);
    plot += "\n</figure>\n";
    let legend = legend(lines);
    plot.insert_str(plot.len() - "</figure>\n".len(), &legend);
    plot
}

fn path(points: &[(f64, f64)], seconds: f64, axis: &Axis, width: f64, height: f64) -> String {
    let mut path = String::new();
    for (number, (at, value)) in points.iter().enumerate() {
        let letter = if number == 0 { 'M' } else { 'L' };
        let x = (at / seconds.max(1e-9)).clamp(0.0, 1.0) * width;
        let y = (1.0 - axis.place(*value)) * height;
        let _ = write!(path, "{letter}{x:.0} {y:.1}");
    }
    if points.len() == 1 {
        // A line of no length has round ends all the same: a dot.
        path += "h0";
    }
    path
}

/// The lines in words, for who cannot see them.
fn said(scale: &Scale, lines: &[Line]) -> String {
    let told = |value: f64| scale.unit.told(value);
    let mut said: Vec<String> = Vec::new();
    for line in lines {
        let values = || line.points.iter().map(|(_, value)| *value);
        let Some(last) = values().next_back() else {
            continue;
        };
        said.push(format!(
            "{}: from {} to {}, {} at the end",
            line.name,
            told(values().fold(f64::INFINITY, f64::min)),
            told(values().fold(f64::NEG_INFINITY, f64::max)),
            told(last)
        ));
    }
    said.join("; ")
}

fn legend(lines: &[Line]) -> String {
    let mut text = String::from("<figcaption class=\"legend\">");
    for line in lines {
        let _ = write!(
            text,
            "<span class=\"key k{}\">{}</span>",
            line.colour,
            Escaped(&line.name)
        );
    }
    text += "<span class=\"axis\">over the time since the start</span></figcaption>\n";
    text
}
