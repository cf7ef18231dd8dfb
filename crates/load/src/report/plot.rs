//! Pictures of figures, as SVG inside the page. Colours are the page's.

use std::fmt::Write as _;

use super::escape::Escaped;
use crate::Unit;

/// Pictures as wide as the page.
const WIDE: f64 = 760.0;
/// Pictures of which two stand side by side.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 200.0;
/// Room for what stands beside the plot: left, right, top, bottom.
const MARGINS: [f64; 4] = [72.0, 12.0, 10.0, 28.0];

/// One line of a plot: its name, and points of seconds and values.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines over time. `seconds` is the length of the run; values are in `unit`, and the axis begins
/// at the unit's least value: a score at 1, all others at 0.
pub(super) fn lines(title: &str, unit: Unit, seconds: f64, lines: &[Line]) -> String {
    let least = if unit == Unit::Score { 1.0 } else { 0.0 };
    let highest = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|(_, value)| *value))
        .fold(0.0, f64::max);
    let step = tidy((highest - least) / 4.0);
    let top = least + step * ((highest - least) / step).ceil().max(1.0);
    let [left, right, above, below] = MARGINS;
    let x = |at: f64| left + at / seconds.max(1e-9) * (WIDTH - left - right);
    let y =
        |value: f64| HEIGHT - below - (value - least) / (top - least) * (HEIGHT - above - below);

    let mut svg = open(title, WIDTH, HEIGHT);
    let mut value = least;
    while value <= top * 1.001 {
        let at = y(value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - right,
            left - 8.0,
            at + 4.0,
            unit.told(value)
        );
        value += step;
    }
    time_axis(&mut svg, seconds, HEIGHT, x);
    for (number, line) in lines.iter().enumerate() {
        let mut path = String::new();
        for (at, value) in &line.points {
            let _ = write!(path, "{:.1},{:.1} ", x(*at), y(*value));
        }
        let _ = match line.points.as_slice() {
            // A single point is no line.
            [(at, value)] => write!(
                svg,
                "<circle class=\"dot s{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                x(*at),
                y(*value)
            ),
            _ => write!(
                svg,
                "<polyline class=\"line s{number}\" points=\"{}\"/>",
                path.trim_end()
            ),
        };
    }
    svg += "</svg>";
    svg += &legend(lines.iter().map(|line| line.name.as_str()));
    svg
}

/// One bar of a waterfall: from when to when it usually lasts, and when it ends at p95.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) p95: f64,
}

/// Steps one below the other, in seconds.
pub(super) fn waterfall(title: &str, bars: &[Bar]) -> String {
    const ROW: f64 = 24.0;
    let left = 150.0;
    let right = 90.0;
    let highest = bars
        .iter()
        .map(|bar| bar.p95.max(bar.to))
        .fold(1e-6, f64::max);
    let height = ROW * bars.len() as f64 + 12.0;
    let x = |at: f64| left + at / highest * (WIDE - left - right);
    let mut svg = open(title, WIDE, height);
    for (number, bar) in bars.iter().enumerate() {
        let top = number as f64 * ROW + 6.0;
        let middle = top + 8.0;
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"bar\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"16\" rx=\"3\"/>\
             <line class=\"whisker\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\
             <line class=\"whisker\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left - 8.0,
            middle + 4.0,
            Escaped(&bar.name),
            x(bar.from),
            (x(bar.to) - x(bar.from)).max(2.0),
            x(bar.to),
            x(bar.p95),
            x(bar.p95),
            x(bar.p95),
            top + 3.0,
            top + 13.0,
            x(bar.p95.max(bar.to)) + 8.0,
            middle + 4.0,
            Unit::Seconds.told(bar.to)
        );
    }
    svg += "</svg>";
    svg
}

/// One row of a heat map: its name, and for each column the class of its colour.
pub(super) struct HeatRow {
    pub(super) name: String,
    pub(super) cells: Vec<Option<&'static str>>,
}

/// Rows of coloured cells over time.
pub(super) fn heat_map(title: &str, seconds: f64, rows: &[HeatRow]) -> String {
    let row_height = (420.0 / rows.len().max(1) as f64).clamp(3.0, 16.0);
    let columns = rows
        .iter()
        .map(|row| row.cells.len())
        .max()
        .unwrap_or(0)
        .max(1);
    let [left, right, above, below] = MARGINS;
    let height = above + row_height * rows.len() as f64 + below;
    let width = (WIDE - left - right) / columns as f64;
    let x = |at: f64| left + at / seconds.max(1e-9) * (WIDE - left - right);
    let mut svg = open(title, WIDE, height);
    for (number, row) in rows.iter().enumerate() {
        let top = above + number as f64 * row_height;
        let _ = write!(svg, "<g><title>{}</title>", Escaped(&row.name));
        for (column, class) in row.cells.iter().enumerate() {
            let Some(class) = class else { continue };
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{:.2}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{:.2}\"/>",
                left + column as f64 * width,
                width + 0.3,
                row_height + 0.3
            );
        }
        svg += "</g>";
    }
    time_axis(&mut svg, seconds, height, x);
    svg += "</svg>";
    svg
}

fn open(title: &str, width: f64, height: f64) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height:.0}\" role=\"img\" aria-label=\"{}\">",
        Escaped(title)
    )
}

fn time_axis(svg: &mut String, seconds: f64, height: f64, x: impl Fn(f64) -> f64) {
    let step = tidy(seconds / 6.0).max(1.0);
    let mut at = 0.0;
    while at <= seconds {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{at:.0} s</text>",
            x(at),
            height - 8.0
        );
        at += step;
    }
}

fn legend<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::from("<p class=\"legend\">");
    for (number, name) in names.enumerate() {
        let _ = write!(
            text,
            "<span class=\"key k{number}\">{}</span>",
            Escaped(name)
        );
    }
    text += "</p>";
    text
}

/// The next of 1, 2, 5, 10, … that is not below `value`.
fn tidy(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let lead = value / power;
    let tidy = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|tidy| lead <= *tidy * 1.000_001);
    tidy.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_cut_at_numbers_that_people_like() {
        for (value, wanted) in [
            (0.9, 1.0),
            (1.1, 2.0),
            (2.1, 5.0),
            (7.0, 10.0),
            (0.013, 0.02),
            (340.0, 500.0),
        ] {
            assert!(
                (tidy(value) - wanted).abs() < 1e-9,
                "{value}: {}",
                tidy(value)
            );
        }
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(tidy(odd), 1.0);
        }
    }

    #[test]
    fn a_plot_of_nothing_is_a_plot() {
        let empty = [Line {
            name: "p50".to_owned(),
            points: vec![],
        }];
        assert!(lines("nothing", Unit::Seconds, 0.0, &empty).ends_with("</p>"));
        assert!(waterfall("nothing", &[]).ends_with("</svg>"));
        assert!(heat_map("nothing", 0.0, &[]).ends_with("</svg>"));
    }
}
