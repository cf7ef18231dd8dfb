//! How each conference fared, from its callers' rows.

use std::collections::BTreeMap;

use super::{panel, put, table};
use crate::report::escape::Escaped;
use crate::{CallerRow, RunResult, Unit};

/// More conferences than this are too many to read: the worst are named.
const MOST: usize = 40;

/// Sums over the callers of a conference.
#[derive(Default)]
struct Sums {
    callers: u64,
    failed: u64,
    never_in: u64,
    mos: Mean,
    lowest_mos: Option<f64>,
    audio_loss: Mean,
    video_loss: Mean,
    rtt: Mean,
    freezes: u64,
}

#[derive(Default)]
struct Mean(f64, u64);

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.0 += value;
            self.1 += 1;
        }
    }

    fn told(&self, unit: Unit) -> String {
        match self.1 {
            0 => "–".to_owned(),
            count => unit.told(self.0 / count as f64).to_string(),
        }
    }
}

impl Sums {
    fn add(&mut self, row: &CallerRow) {
        self.callers += 1;
        self.failed += u64::from(row.failure.is_some());
        self.never_in += u64::from(row.failure.is_none() && row.seconds_in == 0.0);
        self.mos.add(row.mos);
        self.lowest_mos = match (self.lowest_mos, row.mos) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.audio_loss.add(row.audio_loss);
        self.video_loss.add(row.video_loss);
        self.rtt.add(row.rtt);
        self.freezes += u64::from(row.freezes);
    }

    /// What to sort by: failures first, then the lowest MOS.
    fn badness(&self) -> f64 {
        self.failed as f64 * 100.0 + self.never_in as f64 * 10.0 + 5.0
            - self.lowest_mos.unwrap_or(5.0)
    }
}

pub(super) fn conferences(page: &mut String, result: &RunResult) {
    let mut conferences: BTreeMap<&str, Sums> = BTreeMap::new();
    for row in result.measurements.callers().values() {
        conferences.entry(&row.conference).or_default().add(row);
    }
    if conferences.len() < 2 {
        return;
    }
    let all = conferences.len();
    let mut worst: Vec<_> = conferences.into_iter().collect();
    if all > MOST {
        worst.sort_by(|(_, one), (_, other)| other.badness().total_cmp(&one.badness()));
        worst.truncate(MOST);
    }
    let mut rows = String::new();
    for (name, sums) in worst {
        let lowest = sums.lowest_mos.map(|mos| Unit::Score.told(mos).to_string());
        put(
            &mut rows,
            format_args!(
                "<tr><th scope=row>{}</th><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>\
                 <td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
                Escaped(name),
                sums.callers,
                sums.failed,
                sums.never_in,
                sums.mos.told(Unit::Score),
                lowest.unwrap_or_else(|| "–".to_owned()),
                sums.audio_loss.told(Unit::Ratio),
                sums.video_loss.told(Unit::Ratio),
                sums.rtt.told(Unit::Seconds),
                sums.freezes
            ),
        );
    }
    let head = [
        ("conference", false),
        ("callers", true),
        ("failed", true),
        ("never in", true),
        ("MOS", true),
        ("lowest", true),
        ("audio lost", true),
        ("video lost", true),
        ("round trip", true),
        ("freezes", true),
    ];
    let title = "Conferences";
    let mut body = table(title, &head, &rows);
    body += "<p class=\"soft\">Means over the callers of each. Never in: neither failed nor got in, as where the node had \
             no room.</p>\n";
    if all > MOST {
        put(
            &mut body,
            format_args!("<p class=\"soft\">The worst {MOST} of {all}.</p>\n"),
        );
    }
    panel(page, title, &body);
}
