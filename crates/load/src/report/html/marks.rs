//! What the marks told: how delays and skew are spread.

use super::panel;
use super::plot::{self, Across, Line, Scale};
use crate::{Metric, RunResult, Unit, metric};

/// What is drawn, by its name in the legend.
static FIGURES: [(&str, &Metric); 3] = [
    ("mouth to ear", &metric::AUDIO_DELAY),
    ("picture", &metric::VIDEO_DELAY),
    ("sound and picture apart", &metric::AV_SKEW),
];

/// The shares of all values at which the lines are drawn.
const SHARES: [f64; 16] = [
    0.0, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999,
];

pub(super) fn marks(page: &mut String, result: &RunResult) {
    let figures = FIGURES.iter().enumerate();
    let lines: Vec<Line> = figures
        .filter_map(|(colour, (name, metric))| {
            let values = result.measurements.histogram(metric)?;
            let point = |share: f64| Some((share, values.quantile(share)?));
            Some(Line {
                name: (*name).to_owned(),
                colour,
                points: SHARES.into_iter().filter_map(point).collect(),
            })
        })
        .collect();
    if lines.is_empty() {
        return;
    }
    let title = "Delays by marks: how they are spread";
    let scale = Scale::of(Unit::Seconds);
    let mut body = plot::lines(title, &scale, &Across::shares(), &lines);
    body += "<p class=\"soft\">Both ends are callers of one process, by one clock; without the listener's own playout \
             buffer.</p>\n";
    panel(page, title, &body);
}
