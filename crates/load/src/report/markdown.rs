//! A summary in Markdown, for a merge request or a chat.

use std::fmt::Write as _;

use super::when;
use crate::mos::Constants;
use crate::{Counter, Knee, RunResult, metric};

/// The run in a screenful of Markdown.
pub fn summary(result: &RunResult) -> String {
    let mut text = String::new();
    let run = &result.run;
    // Writing into a String cannot fail.
    let _ = write!(
        text,
        "# {}\n\n**{}**\n\n{} callers, started {}, seed {}.\n",
        plain(&run.title),
        plain(&result.verdict.line()),
        run.callers,
        when::utc(run.started_ms),
        run.seed
    );
    if !result.verdict.thresholds.is_empty() {
        text += "\n| | Threshold | Measured |\n|---|---|---|\n";
        for judged in &result.verdict.thresholds {
            let mark = if judged.holds { "holds" } else { "**missed**" };
            let _ = writeln!(
                text,
                "| {mark} | `{}` | {} |",
                judged.threshold,
                plain(&judged.told)
            );
        }
    }
    if let Some(found) = &result.knee {
        knee(&mut text, found);
    }
    text += "\n| Figure | p50 | p95 | p99 | highest |\n|---|---|---|---|---|\n";
    for (metric, histogram) in result.measurements.histograms() {
        let told = |value: Option<f64>| {
            value.map_or_else(
                || "–".to_owned(),
                |value| metric.unit.told(value).to_string(),
            )
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            metric.name,
            told(histogram.quantile(0.5)),
            told(histogram.quantile(0.95)),
            told(histogram.quantile(0.99)),
            told(histogram.max())
        );
    }
    if result.measurements.histogram(&metric::AUDIO_R).is_some() {
        let _ = writeln!(text, "\nR and MOS: {}", plain(&Constants::OPUS.to_string()));
    }
    text += "\n| Counted | |\n|---|---|\n";
    for counter in Counter::ALL {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            counter.name(),
            result.measurements.counter(counter)
        );
    }
    for (title, reasons) in [
        ("Failures", result.measurements.failures()),
        ("Capacity reached", result.measurements.capacity()),
    ] {
        if !reasons.is_empty() {
            let _ = write!(text, "\n| {title} | |\n|---|---|\n");
            for (reason, count) in reasons {
                let _ = writeln!(text, "| {} | {count} |", plain(reason));
            }
        }
    }
    text
}

/// The knee: its levels as a table, with bars of what was measured.
fn knee(text: &mut String, knee: &Knee) {
    let _ = write!(text, "\n## The knee\n\n{}\n", plain(&knee.line()));
    let Some(figure) = knee.figure() else {
        return;
    };
    let what = plain(&figure.what);
    let _ = write!(
        text,
        "\n| Participants | Callers | Capacity they take | {what} | | |\n|---:|---:|---|---:|---|---|\n"
    );
    let values = figure.points.iter().map(|(_, value)| *value);
    let most = values.fold(figure.limit, f64::max);
    for level in &knee.levels {
        let mut points = figure.points.iter();
        let measured = points.find(|(participants, _)| *participants == level.participants);
        let (told, bar) = match measured {
            Some((_, value)) => (figure.unit.told(*value).to_string(), bar(*value, most)),
            None => ("–".to_owned(), String::new()),
        };
        let word = match level.held {
            true if level.participants == knee.participants => "**held, the last**",
            true => "held",
            false => "**did not hold**",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {told} | {bar} | {word} |",
            level.participants,
            level.callers,
            plain(&level.hd_ports.told()),
        );
    }
    if figure.limit > 0.0 {
        let limit = figure.unit.told(figure.limit);
        let _ = writeln!(
            text,
            "| | | | {limit} | {} | the limit |",
            bar(figure.limit, most)
        );
    }
}

/// A bar of up to twenty blocks.
fn bar(value: f64, most: f64) -> String {
    let blocks = (value / most.max(1e-9) * 20.0).round().clamp(0.0, 20.0);
    "█".repeat(blocks as usize)
}

/// Text that Markdown, with the extensions of GitHub, shows as it is: CommonMark §2.4 lets any
/// punctuation be escaped.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!'
            | '&' | '@' | '$' => plain.extend(['\\', c]),
            // An address would become a link.
            ':' if rest.peek() == Some(&'/') => plain.push_str("\\:"),
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
