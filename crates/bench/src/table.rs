//! What was found, as tables for people.

use crate::{compare::Row, joins::Joins, measure::Outcome, options::What, run::Run, say};

/// The table a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Sending,
    Both,
    Sound,
    Joins,
    Rosters,
    Room,
    Picture,
}

const CALLERS: &str = "sender      N  CPU ms/s   % core  x floor  kernel  RSS MB  threads  late ms p50/p99      sent  received    lost  joins/s  join ms p50/p95  CPU ms/join";

/// Prints all tables.
pub(crate) fn print(rows: &[Row]) {
    for (group, title) in [
        (
            Group::Sending,
            "Sending: 50 x 120 B of Opus and 110 x 1150 B of video a second, in bursts at 30 fps",
        ),
        (Group::Both, "Sending and receiving: the same, both ways"),
        (Group::Sound, "Sending sound alone: 50 x 120 B a second"),
    ] {
        let of_group: Vec<&Row> = rows.iter().filter(|row| row.group == group).collect();
        if of_group.is_empty() {
            continue;
        }
        say(&format!("\n{title}\n{CALLERS}"));
        for row in &of_group {
            if let Some(line) = caller_line(row, &of_group) {
                say(&line);
            }
        }
        flat(&of_group);
    }
    joins(rows);
    rosters(rows);
    room(rows);
    pictures(rows);
}

fn caller_line(row: &Row, of_group: &[&Row]) -> Option<String> {
    let (name, run) = named(&row.what)?;
    let outcome = row.median();
    let get = |value| outcome.get(value).unwrap_or(f64::NAN);
    let factor = floor(of_group, run.callers).map(|floor| get("cpu") / floor);
    let mut line = format!(
        "{name:10}{:4} {:9.2} {:8.3} {:8.2} {:5.0} % {:7.2} {:8.0} {:7.2}/{:<8.2} {:9.0} {:9.0} {:5.2} %",
        run.callers,
        ms_a_second(get("cpu")),
        get("cpu"),
        factor.unwrap_or(f64::NAN),
        get("kernel"),
        get("rss"),
        get("threads"),
        get("late_p50"),
        get("late_p99"),
        get("sent"),
        get("received"),
        get("lost_percent"),
    );
    if outcome.get("join_p50").is_some() {
        line += &format!(
            " {:8.0} {:9.0}/{:<6.0} {:7.2}",
            get("joins_per_second"),
            get("join_p50"),
            get("join_p95"),
            get("join_cpu"),
        );
    }
    Some(line)
}

/// A per cent of a core, in ms of CPU a second.
fn ms_a_second(percent: f64) -> f64 {
    percent * 10.0
}

/// Says how flat the cost of a caller is over their number: of each, which falls as more of them share
/// what is there anyway, such as waking up every millisecond; and of each more, which would grow if
/// anything did with their number. The floor's beside it, which does not stay the same either.
fn flat(of_group: &[&Row]) {
    for wanted in ["floor", "peer"] {
        let costs: Vec<(f64, f64)> = of_group
            .iter()
            .filter_map(|row| {
                let (name, run) = named(&row.what)?;
                let cost = ms_a_second(row.median().get("cpu")?);
                (name == wanted && run.callers >= 50).then_some((run.callers as f64, cost))
            })
            .collect();
        if costs.len() < 2 {
            return;
        }
        let numbers: Vec<String> = costs.iter().map(|(n, _)| n.to_string()).collect();
        let each: Vec<f64> = costs.iter().map(|(_, cost)| *cost).collect();
        let more: Vec<f64> = costs
            .windows(2)
            .map(|pair| (pair[1].0 * pair[1].1 - pair[0].0 * pair[0].1) / (pair[1].0 - pair[0].0))
            .collect();
        say(&format!(
            "{wanted}: at N = {} a caller takes {} ms of CPU a second, flat within {:.0} %; each more from one N to \
             the next {}{}",
            numbers.join(", "),
            list(&each),
            spread(&each),
            list(&more),
            match more.len() {
                1 => String::new(),
                _ => format!(", flat within {:.0} %", spread(&more)),
            }
        ));
    }
}

fn list(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.2}")).collect();
    values.join(", ")
}

/// By how much the largest is above the smallest, in per cent.
fn spread(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::MIN, f64::max);
    let smallest = values.iter().copied().fold(f64::MAX, f64::min);
    100.0 * (largest / smallest - 1.0)
}

/// What a caller of the floor costs, of so many.
fn floor(of_group: &[&Row], callers: usize) -> Option<f64> {
    let floor = of_group.iter().find(|row| match &row.what {
        What::Floor(run) => run.callers == callers,
        _ => false,
    });
    floor?.median().get("cpu")
}

fn named(what: &What) -> Option<(&'static str, &Run)> {
    match what {
        What::Floor(run) => Some(("floor", run)),
        What::Plain(run) => Some(("plain", run)),
        What::Peer(run) => Some(("peer", run)),
        What::Unnumbered(run) => Some(("unnumbered", run)),
        What::Counted { .. } | What::Joins(_) | What::Room { .. } | What::Picture { .. } => None,
    }
}

/// The rows of a group that are of joins, with what was found of each.
fn of_joins(rows: &[Row], group: Group) -> Vec<(Joins, Outcome)> {
    let of_group = rows.iter().filter(|row| row.group == group);
    of_group
        .filter_map(|row| match &row.what {
            What::Joins(joins) => Some((*joins, row.median())),
            _ => None,
        })
        .collect()
}

fn joins(rows: &[Row]) {
    let all = of_joins(rows, Group::Joins);
    if all.is_empty() {
        return;
    }
    say(
        "\nJoins through the whole engine, into 10 conferences of the practice node. CPU is told of either\n\
         side: ms a join, all of it / without what flows meanwhile for those who are in; then what flows,\n\
         in % of a core a participant\n\
         connections  call   callers  offered/s  joins/s  join ms p50/p95/p99  callers: CPU ms  flows  node: CPU ms  flows  failed",
    );
    for (joins, outcome) in all {
        let get = |value| outcome.get(value).unwrap_or(f64::NAN);
        let name = if joins.own_connections {
            "per_caller"
        } else {
            "shared"
        };
        say(&format!(
            "{name:12} {:5} {:8} {:10} {:8.0} {:7.0}/{:.0}/{:<6.0} {:8.1}/{:<6.1} {:5.2} {:7.1}/{:<5.1} {:6.2} {:7.0}",
            joins.call.name(),
            joins.callers,
            joins.rate,
            get("joins_per_second"),
            get("join_p50"),
            get("join_p95"),
            get("join_p99"),
            get("callers_cpu"),
            get("callers_net"),
            get("callers_flows"),
            get("node_cpu"),
            get("node_net"),
            get("node_flows"),
            get("failures"),
        ));
    }
}

/// What one sender of a picture takes, in its process.
fn pictures(rows: &[Row]) {
    let mut header = Some(
        "\nOne picture at 25 fps and its sender, in a process of their own\n\
         what                                 % core  RSS MB",
    );
    for row in rows {
        let What::Picture { work, .. } = row.what else {
            continue;
        };
        if let Some(header) = header.take() {
            say(header);
        }
        let outcome = row.median();
        let get = |value| outcome.get(value).unwrap_or(f64::NAN);
        let failed = if get("failures") > 0.0 {
            "  it failed"
        } else {
            ""
        };
        say(&format!(
            "{:36} {:7.1} {:7.0}{failed}",
            work.name(),
            get("cpu"),
            get("rss"),
        ));
    }
}

fn rosters(rows: &[Row]) {
    let all = of_joins(rows, Group::Rosters);
    if all.is_empty() {
        return;
    }
    say(
        "\nEvents while all join one conference, with sound, over shared connections. Each is told once of\n\
         everybody, and five things more; of somebody's call and its ack all are told who came before: 2 N^2\n\
         and 6 N of those who join one after another. Where joins overlap there are a few more, and fewer, down\n\
         to N^2 and 5 N, where streams open late: the roster they begin with holds what others were told\n\
         participants  joins/s   events  2 N^2 + 6 N  kB a listener  events/s  Mbit/s  callers: CPU ms a join  node: CPU ms  failed",
    );
    for (joins, outcome) in all {
        let get = |value| outcome.get(value).unwrap_or(f64::NAN);
        let count = joins.callers as f64;
        say(&format!(
            "{:12} {:8.0} {:8.0} {:12.0} {:14.1} {:9.0} {:7.2} {:23.1} {:13.1} {:7.0}",
            joins.callers,
            get("joins_per_second"),
            get("events"),
            2.0 * count * count + 6.0 * count,
            get("event_bytes") / 1000.0 / count,
            get("events") / get("wall"),
            get("event_bytes") * 8.0 / 1e6 / get("wall"),
            get("callers_net"),
            get("node_net"),
            get("failures"),
        ));
    }
}

fn room(rows: &[Row]) {
    let mut seen: Vec<(usize, bool, usize, Outcome)> = Vec::new();
    for row in rows {
        if let What::Room {
            participants,
            talkers,
            video,
            ..
        } = row.what
        {
            seen.push((participants, video, talkers, row.median()));
        }
    }
    if seen.is_empty() {
        return;
    }
    say(
        "\nThe practice node: one conference, all hear and see, talkers send a tone and a picture\n\
         participants  picture   talkers  % core  participants/core",
    );
    for (participants, video, talkers, outcome) in &seen {
        let get = |value| outcome.get(value).unwrap_or(f64::NAN);
        say(&format!(
            "{participants:12}  {:8} {talkers:8} {:7.1} {:18.0}",
            if *video { "switched" } else { "none" },
            100.0 * get("core"),
            get("participants_per_core"),
        ));
    }
    // With sound alone, ten talkers differ from one by nine voices and nine mixes.
    let sound = |wanted| {
        let of = seen
            .iter()
            .find(|(_, video, talkers, _)| !video && *talkers == wanted);
        of.and_then(|(_, _, _, outcome)| outcome.get("core"))
    };
    if let (Some(one), Some(ten)) = (sound(1), sound(10)) {
        say(&format!(
            "a voice more, decoded, and its own mix, encoded: {:.2} % of a core, however many listen",
            100.0 * (ten - one) / 9.0
        ));
    }
}
