//! Every caller: a heat map, and the ten that had it worst.

use std::collections::BTreeMap;

use super::plot::{self, Group, HeatRow};
use super::{duration, panel, put, table};
use crate::report::escape::Escaped;
use crate::{CallerRow, RunResult, Unit};

/// How many rows and columns the map has at most; more are told by the worst among them.
const MOST: (usize, usize) = (120, 60);

/// More conferences than this are one group.
const GROUPS: usize = 60;

/// What callers told covers the time since they told before, in seconds.
const COVERS: f64 = crate::fleet::FIGURES.as_secs_f64();

type Row<'a> = (&'a u32, &'a CallerRow);

/// The MOS of every caller over time.
pub(super) fn heat(page: &mut String, result: &RunResult) {
    let rows = result.measurements.callers();
    if rows.values().all(|row| row.over_time.is_empty()) {
        return;
    }
    let mut conferences: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows {
        conferences.entry(&row.1.conference).or_default().push(row);
    }
    if conferences.len() > GROUPS {
        conferences = BTreeMap::from([("", rows.iter().collect())]);
    }
    let callers_each = rows.len().div_ceil(MOST.0).max(1);
    let width = result.measurements.interval().as_secs_f64();
    let seconds = duration(result);
    let intervals = (seconds / width).round() as usize;
    let least = (COVERS / width).ceil() as usize;
    let intervals_each = intervals.div_ceil(MOST.1).max(least).max(1);
    // A value stands for what was heard until then, which may have begun in the interval before.
    let reaches_back = u32::from(width < COVERS);

    let groups: Vec<Group> = conferences
        .into_iter()
        .map(|(name, callers)| Group {
            name: name.to_owned(),
            rows: callers
                .chunks(callers_each)
                .map(|callers| HeatRow {
                    name: named(callers),
                    cells: cells(callers, intervals, intervals_each, reaches_back),
                })
                .collect(),
        })
        .collect();
    let title = "MOS of every caller over time";
    let mut body = plot::heat_map(title, seconds, &groups);
    body += "<p class=\"legend\">\
             <span class=\"key kq5\">4.03 and more: satisfied</span>\
             <span class=\"key kq4\">3.60: some dissatisfied</span>\
             <span class=\"key kq3\">3.10: many dissatisfied</span>\
             <span class=\"key kq2\">2.58: nearly all</span>\
             <span class=\"key kq1\">less</span></p>";
    let whose = match callers_each {
        1 => "each row one caller".to_owned(),
        several => format!("each row the worst of {several} callers"),
    };
    put(
        &mut body,
        format_args!(
            "<p class=\"soft\">By conference, {whose}; a cell is the worst of {:.0} s, and is empty where nothing was \
             heard. Estimated without decoding; the bands are those of ITU-T G.107 Annex B.</p>\n",
            intervals_each as f64 * width
        ),
    );
    panel(page, "Every caller over time: MOS of what it heard", &body);
}

fn named(callers: &[Row<'_>]) -> String {
    match callers {
        [(number, row)] => format!("caller {number}, {}, {}", row.conference, row.role),
        [(first, _), .., (last, _)] => format!("callers {first} to {last}: the worst of them"),
        [] => String::new(),
    }
}

fn cells(
    callers: &[Row<'_>],
    intervals: usize,
    intervals_each: usize,
    reaches_back: u32,
) -> Vec<Option<&'static str>> {
    let mut cells: Vec<Option<u16>> = vec![None; intervals.div_ceil(intervals_each)];
    for (interval, mos) in callers.iter().flat_map(|(_, row)| &row.over_time) {
        for covered in interval.saturating_sub(reaches_back)..=*interval {
            if let Some(cell) = cells.get_mut(covered as usize / intervals_each) {
                *cell = Some(cell.map_or(*mos, |other| other.min(*mos)));
            }
        }
    }
    cells.into_iter().map(|mos| mos.map(band)).collect()
}

/// The class of a MOS, given in hundredths: the bands of ITU-T G.107 Annex B.
fn band(mos: u16) -> &'static str {
    match mos {
        403.. => "q5",
        360.. => "q4",
        310.. => "q3",
        258.. => "q2",
        _ => "q1",
    }
}

/// The ten that had it worst.
pub(super) fn worst(page: &mut String, result: &RunResult) {
    let mut worst: Vec<Row<'_>> = result.measurements.callers().iter().collect();
    worst.sort_by(|(a, one), (b, other)| badness(other).total_cmp(&badness(one)).then(a.cmp(b)));
    worst.truncate(10);
    if worst.is_empty() {
        return;
    }
    let mut rows = String::new();
    for (number, row) in worst {
        let told = |value: Option<f64>, unit: Unit| {
            value.map_or_else(|| "–".to_owned(), |value| unit.told(value).to_string())
        };
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row>{number}</th><td>{}</td><td>{}</td><td>{}</td><td class=n>{}</td><td class=n>{}</td>\
                 <td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                Escaped(&row.conference),
                Escaped(&row.role),
                Escaped(row.failure.as_deref().unwrap_or("–")),
                told(row.join.get("total").copied(), Unit::Seconds),
                told(row.mos, Unit::Score),
                told(row.audio_loss, Unit::Ratio),
                told(row.video_loss, Unit::Ratio),
                told(row.rtt, Unit::Seconds),
                row.freezes,
            ),
        );
    }
    let head = [
        ("caller", false),
        ("conference", false),
        ("role", false),
        ("failed", false),
        ("join", true),
        ("MOS", true),
        ("audio lost", true),
        ("video lost", true),
        ("round trip", true),
        ("freezes", true),
    ];
    let title = "The ten that had it worst";
    let mut body = table(title, &head, &rows);
    body +=
        "<p class=\"soft\">Those that failed first, then by MOS, freezes, and video lost.</p>\n";
    panel(page, title, &body);
}

/// How bad it was, to sort by.
fn badness(row: &CallerRow) -> f64 {
    let failed = if row.failure.is_some() { 100.0 } else { 0.0 };
    failed
        + (5.0 - row.mos.unwrap_or(5.0))
        + f64::from(row.freezes) * 0.05
        + row.video_loss.unwrap_or(0.0)
}
