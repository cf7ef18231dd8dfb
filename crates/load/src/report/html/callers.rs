//! Every caller: a heat map, and the ten that had it worst.

use super::over_time::duration;
use super::{panel, put};
use crate::report::escape::Escaped;
use crate::report::plot::{self, HeatRow};
use crate::{CallerRow, RunResult, Unit};

/// How many rows and columns a heat map has at most; more are told by the worst among them.
const HEAT: (usize, usize) = (120, 60);

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

pub(super) fn callers(page: &mut String, result: &RunResult) {
    let rows = result.measurements.callers();
    if rows.values().any(|row| !row.over_time.is_empty()) {
        let body = heat(result);
        panel(page, "Every caller over time: MOS of what it heard", &body);
    }
    let mut worst: Vec<(&u32, &CallerRow)> = rows.iter().collect();
    worst.sort_by(|(a, one), (b, other)| badness(other).total_cmp(&badness(one)).then(a.cmp(b)));
    worst.truncate(10);
    if worst.is_empty() {
        return;
    }
    let mut body = String::from(
        "<table><tr><th>caller<th>conference<th>role<th class=n>MOS<th class=n>audio lost\
         <th class=n>video lost<th class=n>round trip<th class=n>freezes<th>failed\n",
    );
    for (number, row) in worst {
        let told = |value: Option<f64>, unit: Unit| {
            value.map_or_else(|| "–".to_owned(), |value| unit.told(value).to_string())
        };
        put(
            &mut body,
            format_args!(
                "<tr><td>{number}<td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td class=n>{}<td>{}\n",
                Escaped(&row.conference),
                Escaped(&row.role),
                told(row.mos, Unit::Score),
                told(row.audio_loss, Unit::Ratio),
                told(row.video_loss, Unit::Ratio),
                told(row.rtt, Unit::Seconds),
                row.freezes,
                Escaped(row.failure.as_deref().unwrap_or("–"))
            ),
        );
    }
    body += "</table>\n";
    panel(page, "The ten that had it worst", &body);
}

/// How bad it was, to sort by: failed first, then by MOS and by freezes.
fn badness(row: &CallerRow) -> f64 {
    let failed = if row.failure.is_some() { 100.0 } else { 0.0 };
    failed
        + (5.0 - row.mos.unwrap_or(5.0))
        + f64::from(row.freezes) * 0.05
        + row.video_loss.unwrap_or(0.0)
}

fn heat(result: &RunResult) -> String {
    let rows: Vec<(&u32, &CallerRow)> = result.measurements.callers().iter().collect();
    let intervals = result
        .measurements
        .intervals()
        .keys()
        .next_back()
        .map_or(1, |last| *last as usize + 1);
    let (callers_each, intervals_each) = (
        rows.len().div_ceil(HEAT.0).max(1),
        intervals.div_ceil(HEAT.1).max(1),
    );
    let columns = intervals.div_ceil(intervals_each);
    let heat_rows: Vec<HeatRow> = rows
        .chunks(callers_each)
        .map(|callers| {
            let mut cells: Vec<Option<u16>> = vec![None; columns];
            for (interval, mos) in callers.iter().flat_map(|(_, row)| &row.over_time) {
                if let Some(cell) = cells.get_mut(*interval as usize / intervals_each) {
                    *cell = Some(cell.map_or(*mos, |other| other.min(*mos)));
                }
            }
            let name = match callers {
                [(number, row)] => format!("caller {number}, {}, {}", row.conference, row.role),
                [(first, _), .., (last, _)] => {
                    format!("callers {first} to {last}: the worst of them")
                }
                [] => String::new(),
            };
            HeatRow {
                name,
                cells: cells.into_iter().map(|mos| mos.map(band)).collect(),
            }
        })
        .collect();
    let mut body = plot::heat_map(
        "MOS of every caller over time",
        duration(result),
        &heat_rows,
    );
    body += "<p class=\"legend\">\
             <span class=\"key kq5\">4.03 and more: satisfied</span>\
             <span class=\"key kq4\">3.60: some dissatisfied</span>\
             <span class=\"key kq3\">3.10: many dissatisfied</span>\
             <span class=\"key kq2\">2.58: nearly all</span>\
             <span class=\"key kq1\">less</span></p>";
    let callers = match callers_each {
        1 => "the caller's".to_owned(),
        several => format!("that of {several} callers"),
    };
    put(
        &mut body,
        format_args!(
            "<p class=\"soft\">A cell is the worst of {:.0} s, {callers}.</p>\n",
            intervals_each as f64 * result.measurements.interval().as_secs_f64()
        ),
    );
    body
}
