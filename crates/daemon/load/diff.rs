//! `standin load diff`: two results of one scenario, and whether the second is worse.

use std::path::PathBuf;

use clap::Args;
use load::{Compared, Diff, Judgement, Outcome, Spread, ThresholdChange};

use super::results::read;
use crate::exit::{Exit, Failure};
use crate::print;

/// Compare two results of one scenario: what is better, what is worse, and what is within noise.
///
/// A figure changed when it is further from what it was than the tolerance, and the two intervals in
/// which it lies with a certainty of 99 % do not overlap. The interval of a percentile follows from
/// the ranks of its values, as many as the histograms have; of values that a caller tells every two
/// seconds, ten count as one. The interval of a share (of packets lost, of joins that failed) is
/// Wilson's; four packets count as one. The noise between one day and the next is in no single
/// result: the tolerance stands for it, and two runs of the same tell how large it must be.
///
/// Exit codes: 0 nothing is worse; 1 a figure is, or a threshold is missed that held; 2 the two are not of
/// the same scenario, or one of them is invalid or a part alone.
#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The result.json of the first
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,

    /// The result.json of the second
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,

    /// A change of less than this is none
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    tolerance: f64,

    /// Compare what is not of the same, too
    #[arg(long)]
    anyway: bool,

    /// List what is within noise, too
    #[arg(long)]
    all: bool,

    /// Print the comparison as one JSON object
    #[arg(long)]
    json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim_end().parse().ok();
    let number = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "give a number of percent, 0 or more".to_owned())
}

/// Runs the command.
pub(super) fn diff(args: &DiffArgs) -> Result<Exit, Failure> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let diff = load::diff(&before, &after, args.tolerance / 100.0, args.anyway);
    if args.json {
        print::json(&diff);
    } else if diff.outcome != Outcome::NotComparable {
        tell(&diff, args.all);
    }
    match diff.outcome {
        Outcome::NoWorse => Ok(Exit::Done),
        Outcome::Worse => Ok(Exit::Failed),
        Outcome::NotComparable => Err(Failure::usage(format!(
            "not comparable: {}. Compare them all the same with --anyway",
            diff.not_comparable.join("; ")
        ))),
    }
}

fn tell(diff: &Diff, all: bool) {
    for what in &diff.not_comparable {
        print::line(format_args!(
            "NOT COMPARABLE, and compared all the same: {what}"
        ));
    }
    for note in &diff.notes {
        print::line(format_args!("Note: {note}"));
    }
    if let Some(knee) = &diff.knee {
        print::line(format_args!(
            "{:<9} {:<28} {:>14} → {} participants a conference",
            word(knee.judgement),
            "the knee",
            knee.before,
            knee.after
        ));
    }
    for change in &diff.thresholds {
        threshold(change);
    }
    let mut within = 0;
    for figure in &diff.figures {
        let is_quiet = matches!(figure.judgement, Judgement::WithinNoise | Judgement::TooFew);
        // A reason to fail is worth a line, however seldom it came.
        if is_quiet && !all && !figure.what.starts_with("failures: ") {
            within += 1;
            continue;
        }
        line(figure);
    }
    if within > 0 {
        print::line(format_args!(
            "{within} more are within noise, or less than {} % apart (--all lists them)",
            diff.tolerance * 100.0
        ));
    }
    print::line(conclusion(diff));
}

fn conclusion(diff: &Diff) -> String {
    let figures = diff.figures.iter().map(|one| one.judgement);
    let thresholds = diff.thresholds.iter().map(|one| one.judgement);
    let knees = diff.knee.iter().map(|one| one.judgement);
    let all: Vec<Judgement> = figures.chain(thresholds).chain(knees).collect();
    let count = |judgement| all.iter().filter(|one| **one == judgement).count();
    let (worse, better) = (count(Judgement::Worse), count(Judgement::Better));
    match (worse, better) {
        (0, 0) => "NO WORSE: nothing changed that is better or worse".to_owned(),
        (0, _) => format!("NO WORSE: {better} better"),
        _ => format!("WORSE: {worse} worse, {better} better"),
    }
}

fn threshold(change: &ThresholdChange) {
    let told = |side: &Option<(bool, String)>| match side {
        Some((true, told)) => format!("held ({told})"),
        Some((false, told)) => format!("missed ({told})"),
        None => "not asked for".to_owned(),
    };
    print::line(format_args!(
        "{:<9} {:<28} {} → {}",
        word(change.judgement),
        change.threshold,
        told(&change.before),
        told(&change.after)
    ));
}

fn line(figure: &Compared) {
    let told = |spread: &Option<Spread>| match spread {
        Some(spread) => spread.unit.told(spread.value).to_string(),
        None => "–".to_owned(),
    };
    let within = match (&figure.before, &figure.after) {
        (Some(before), Some(after)) => format!("  [{} → {}]", interval(before), interval(after)),
        _ => String::new(),
    };
    print::line(format_args!(
        "{:<9} {:<28} {:>10} → {:<10}{within}",
        word(figure.judgement),
        figure.what,
        told(&figure.before),
        told(&figure.after),
    ));
}

/// Where a value lies, with a certainty of 99 %.
fn interval(spread: &Spread) -> String {
    let told = |value| spread.unit.told(value);
    format!("{} … {}", told(spread.low), told(spread.high))
}

fn word(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Better => "better",
        Judgement::Worse => "WORSE",
        Judgement::Changed => "changed",
        Judgement::WithinNoise => "noise",
        Judgement::TooFew => "too few",
        Judgement::OnlyBefore => "gone",
        Judgement::OnlyAfter => "new",
    }
}
