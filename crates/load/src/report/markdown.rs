//! A summary in Markdown, for a merge request or a chat.

use std::fmt::Write as _;

use super::when;
use crate::mos::Constants;
use crate::{Counter, RunResult, metric};

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

/// Text without what Markdown would take for its own.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '|' => '¦',
            '\n' | '\r' => ' ',
            '<' => '‹',
            '>' => '›',
            c => c,
        })
        .collect()
}
