//! Each conference while a test runs.

use crate::report::escape::Escaped;
use crate::report::html::{panel, put, table};
use crate::{ConferenceSoFar, Standing, Unit};

/// More conferences than this are too many to read: those that fare worst are shown.
const MOST: usize = 40;

/// A row for each conference; nothing where there is none.
pub(super) fn conferences(page: &mut String, mut conferences: Vec<ConferenceSoFar>) {
    let all = conferences.len();
    if all == 0 {
        return;
    }
    if all > MOST {
        conferences.sort_by(|one, other| badness(other).total_cmp(&badness(one)));
        conferences.truncate(MOST);
    }
    let mut rows = String::new();
    for conference in &conferences {
        row(&mut rows, conference);
    }
    let head = [
        ("conference", false),
        ("in", true),
        ("joining", true),
        ("degraded", true),
        ("failed", true),
        ("no room", true),
        ("join, p95", true),
        ("audio lost", true),
        ("MOS", true),
    ];
    let title = "Conferences";
    let mut body = table(title, &head, &rows);
    body += "<p class=\"soft\">Joins since the start; what was lost and MOS in the last ten to twenty seconds.</p>\n";
    if all > MOST {
        put(
            &mut body,
            format_args!("<p class=\"soft\">The {MOST} of {all} that fare worst.</p>\n"),
        );
    }
    panel(page, title, &body);
}

fn row(rows: &mut String, conference: &ConferenceSoFar) {
    let told = |value: Option<f64>, unit: Unit| match value {
        Some(value) => unit.told(value).to_string(),
        None => "–".to_owned(),
    };
    let degraded = count(conference, &[Standing::Degraded]);
    let failed = count(conference, &[Standing::Failed]);
    let marked = |count: u64, class: &'static str| if count > 0 { class } else { "n" };
    put(
        rows,
        format_args!(
            "<tr><th scope=row>{}</th><td class=n>{}</td><td class=n>{}</td><td class=\"{}\">{degraded}</td>\
             <td class=\"{}\">{failed}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>\
             <td class=n>{}</td></tr>\n",
            Escaped(&conference.name),
            count(conference, &[Standing::In, Standing::Degraded]),
            count(conference, &[Standing::Joining, Standing::Waiting]),
            marked(degraded, "n invalid"),
            marked(failed, "n fail"),
            count(conference, &[Standing::Refused]),
            told(conference.join_p95, Unit::Seconds),
            told(conference.audio_loss, Unit::Ratio),
            told(conference.mos, Unit::Score),
        ),
    );
}

fn count(conference: &ConferenceSoFar, standings: &[Standing]) -> u64 {
    let there = conference.standing.iter();
    there
        .filter(|(standing, _)| standings.contains(standing))
        .map(|(_, count)| count)
        .sum()
}

/// What to sort by: who failed first, then the lowest MOS.
fn badness(conference: &ConferenceSoFar) -> f64 {
    let failed = count(conference, &[Standing::Failed]) as f64;
    let refused = count(conference, &[Standing::Refused, Standing::Degraded]) as f64;
    failed * 100.0 + refused * 10.0 + 5.0 - conference.mos.unwrap_or(5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conference(n: u64, failed: u64) -> ConferenceSoFar {
        ConferenceSoFar {
            name: format!("load-{n}<"),
            standing: vec![(Standing::In, n), (Standing::Failed, failed)],
            join_p95: Some(0.25),
            audio_loss: None,
            mos: Some(4.0),
        }
    }

    #[test]
    fn each_conference_has_its_row_and_of_many_the_worst() {
        let mut page = String::new();
        conferences(&mut page, vec![conference(1, 0), conference(2, 3)]);
        assert!(page.contains("load-1&lt;</th><td class=n>1<"), "{page}");
        assert!(page.contains("<td class=\"n fail\">3<"), "{page}");

        let mut page = String::new();
        conferences(&mut page, (0..100).map(|n| conference(n, n / 99)).collect());
        assert_eq!(page.matches("<tr><th scope=row>").count(), MOST);
        assert!(page.contains("load-99&lt;"), "{page}");
        assert!(page.contains("The 40 of 100 that fare worst"));
        let mut page = String::new();
        conferences(&mut page, Vec::new());
        assert_eq!(page, "");
    }
}
