//! Lines over time, over a number of things, or over shares of all values.

use std::fmt::Write as _;

use super::axis::Axis;
use super::{Across, Scale, id_of, open, words_below};
use crate::report::escape::Escaped;

/// The picture's inner units.
const SIZE: (u32, u32) = (1000, 200);

/// One line of a plot: its name, the number of its colour, and its points.
pub(in crate::report) struct Line {
    pub(in crate::report) name: String,
    pub(in crate::report) colour: usize,
    pub(in crate::report) points: Vec<(f64, f64)>,
}

/// Something to measure lines by, drawn from one edge of the plot to the other.
pub(in crate::report) enum Guide {
    /// At this height.
    Level(f64, String),
    /// At this place along the lower edge.
    Place(f64, String),
}

impl Guide {
    fn name(&self) -> &str {
        match self {
            Self::Level(_, name) | Self::Place(_, name) => name,
        }
    }

    /// The class of its stroke, and of its key.
    fn class(&self) -> &'static str {
        match self {
            Self::Level(..) => "limit",
            Self::Place(..) => "held",
        }
    }
}

/// Lines with both axes and a legend.
pub(in crate::report) fn lines(
    title: &str,
    scale: &Scale,
    across: &Across,
    lines: &[Line],
) -> String {
    guided(title, scale, across, lines, &[])
}

/// Lines with something to measure them by; each of their points is a dot.
pub(in crate::report) fn guided(
    title: &str,
    scale: &Scale,
    across: &Across,
    lines: &[Line],
    guides: &[Guide],
) -> String {
    let values = lines.iter().flat_map(|line| line.points.iter());
    let values = values.map(|(_, value)| *value);
    let levels = guides.iter().filter_map(|guide| match guide {
        Guide::Level(value, _) => Some(*value),
        Guide::Place(..) => None,
    });
    let axis = scale.fitted(values.chain(levels).fold(0.0, f64::max));
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
    let says = said(scale, lines, guides);
    plot += &open(&id_of(title), title, &says, SIZE.0, SIZE.1);
    let _ = write!(plot, "<path class=\"grid\" d=\"{grid}\"/>");
    for guide in guides {
        let path = match guide {
            Guide::Level(value, _) => {
                format!("M0 {:.1}H{width}", (1.0 - axis.place(*value)) * height)
            }
            Guide::Place(at, _) => format!("M{:.0} 0V{height}", across.place(*at) * width),
        };
        let _ = write!(
            plot,
            "<path class=\"guide {}\" d=\"{path}\"/>",
            guide.class()
        );
    }
    for line in lines {
        let path = path(&line.points, across, &axis, width, height);
        let _ = write!(plot, "<path class=\"line s{}\" d=\"{path}\"/>", line.colour);
        if !guides.is_empty() {
            let dots = dots(&line.points, across, &axis, width, height);
            let _ = write!(plot, "<path class=\"dots s{}\" d=\"{dots}\"/>", line.colour);
        }
    }
    plot += "</svg>\n";
    plot += &words_below(across);
    plot += "\n";
    plot += &legend(across, lines, guides);
    plot += "</figure>\n";
    plot
}

fn path(points: &[(f64, f64)], across: &Across, axis: &Axis, width: f64, height: f64) -> String {
    let mut path = String::new();
    for (number, (at, value)) in points.iter().enumerate() {
        let letter = if number == 0 { 'M' } else { 'L' };
        let x = across.place(*at) * width;
        let y = (1.0 - axis.place(*value)) * height;
        let _ = write!(path, "{letter}{x:.0} {y:.1}");
    }
    if points.len() == 1 {
        // A line of no length has round ends all the same: a dot.
        path += "h0";
    }
    path
}

/// Lines of no length, each a dot however the picture is stretched.
fn dots(points: &[(f64, f64)], across: &Across, axis: &Axis, width: f64, height: f64) -> String {
    let mut path = String::new();
    for (at, value) in points {
        let x = across.place(*at) * width;
        let y = (1.0 - axis.place(*value)) * height;
        let _ = write!(path, "M{x:.0} {y:.1}h0");
    }
    path
}

/// The lines in words, for who cannot see them.
fn said(scale: &Scale, lines: &[Line], guides: &[Guide]) -> String {
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
    said.extend(guides.iter().map(|guide| guide.name().to_owned()));
    said.join("; ")
}

fn legend(across: &Across, lines: &[Line], guides: &[Guide]) -> String {
    let mut text = String::from("<figcaption class=\"legend\">");
    let mut key = |class: String, name: &str| {
        let _ = write!(text, "<span class=\"key {class}\">{}</span>", Escaped(name));
    };
    for line in lines {
        key(format!("k{}", line.colour), &line.name);
    }
    for guide in guides {
        key(format!("k-{}", guide.class()), guide.name());
    }
    let _ = writeln!(
        text,
        "<span class=\"axis\">{}</span></figcaption>",
        across.what
    );
    text
}
