//! Two runs of one scenario, compared: what is better, what is worse, and what is within noise.
//!
//! A figure is *better* or *worse* when two things hold. It is further from what it was than the
//! tolerance, and the intervals in which the two values lie with a certainty of 99 % do not
//! overlap. For a percentile that interval follows from the ranks of the values alone (`noise`), for
//! a share it is Wilson's. Both come from the histograms and counts of the results, nothing is
//! drawn by lot, and nothing is assumed about how values are spread. What a machine or a network does
//! differently from one day to the next is in no single run: the tolerance stands for it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::metric::{self, Better};
use crate::{Conclusion, RunResult};

mod comparable;
mod noise;
mod shares;

use comparable::{differences, notes};
pub use noise::Spread;

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// What is to be concluded.
    pub outcome: Outcome,
    /// Why the two cannot be compared; nothing if they can.
    pub not_comparable: Vec<String>,
    /// What is different besides, and changes nothing about the comparison.
    pub notes: Vec<String>,
    /// By which share of what it was a figure must change to be told.
    pub tolerance: f64,
    /// The knees, if both looked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knee: Option<KneeChange>,
    /// Thresholds that hold in one and not in the other, or stand in one alone.
    pub thresholds: Vec<ThresholdChange>,
    /// Every figure and share that was measured in one of them.
    pub figures: Vec<Compared>,
}

/// What is to be concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is worse.
    NoWorse,
    /// Something is.
    Worse,
    /// They are not of the same.
    NotComparable,
}

/// How something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// It changed, and neither way is better.
    Changed,
    /// It did not change by more than tolerance and noise.
    WithinNoise,
    /// There are too few values to tell.
    TooFew,
    /// It was measured before, and not after.
    OnlyBefore,
    /// It was not measured before.
    OnlyAfter,
}

/// One figure, before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// What it is: a figure with its statistic, or a share.
    pub what: String,
    /// How it changed.
    pub judgement: Judgement,
    /// What it was.
    pub before: Option<Spread>,
    /// What it is.
    pub after: Option<Spread>,
}

/// A threshold that fared otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdChange {
    /// The threshold.
    pub threshold: String,
    /// Whether it held, and what was measured; nothing if it was not asked for.
    pub before: Option<(bool, String)>,
    /// Whether it holds.
    pub after: Option<(bool, String)>,
    /// How that changed.
    pub judgement: Judgement,
}

/// Where the knee was, and where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KneeChange {
    /// Participants in each conference, at the last level that held.
    pub before: u32,
    /// The same, after.
    pub after: u32,
    /// How that changed; a step of the search is the least that can be told.
    pub judgement: Judgement,
}

/// Compares two runs; `tolerance` is a share of what a figure was. What is not of the same is not
/// compared, unless that is wanted `anyway`.
pub fn diff(before: &RunResult, after: &RunResult, tolerance: f64, anyway: bool) -> Diff {
    let not_comparable = differences(before, after);
    let mut diff = Diff {
        outcome: Outcome::NotComparable,
        notes: notes(before, after),
        not_comparable,
        tolerance,
        knee: None,
        thresholds: Vec::new(),
        figures: Vec::new(),
    };
    if !diff.not_comparable.is_empty() && !anyway {
        return diff;
    }
    if let (Some(one), Some(other)) = (&before.knee, &after.knee) {
        diff.knee = Some(KneeChange {
            before: one.participants,
            after: other.participants,
            judgement: match other.participants.cmp(&one.participants) {
                std::cmp::Ordering::Less => Judgement::Worse,
                std::cmp::Ordering::Equal => Judgement::WithinNoise,
                std::cmp::Ordering::Greater => Judgement::Better,
            },
        });
    }
    let same_level = diff
        .knee
        .as_ref()
        .is_none_or(|knee| knee.before == knee.after);
    if same_level {
        diff.thresholds = thresholds(before, after);
        diff.figures = figures(before, after, tolerance);
    } else {
        let what =
            "the figures are of levels of different size, the last that held, and are not compared";
        diff.notes.push(what.to_owned());
    }
    let judgements = diff.figures.iter().map(|one| one.judgement);
    let mut judgements = judgements
        .chain(diff.thresholds.iter().map(|one| one.judgement))
        .chain(diff.knee.iter().map(|one| one.judgement));
    diff.outcome = match judgements.any(|one| one == Judgement::Worse) {
        true => Outcome::Worse,
        false => Outcome::NoWorse,
    };
    diff
}

fn figures(before: &RunResult, after: &RunResult, tolerance: f64) -> Vec<Compared> {
    let mut all = shares::compared(before, after, tolerance);
    for metric in metric::ALL {
        // The tail on the side that is worse.
        let statistics = match metric.better {
            Better::Lower => [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].as_slice(),
            Better::Higher => &[("p50", 0.5), ("p5", 0.05), ("p1", 0.01)],
            Better::Neither => &[("p50", 0.5), ("p95", 0.95)],
        };
        for (name, share) in statistics {
            let of = |run: &RunResult| Spread::of_quantile(&run.measurements, metric, *share);
            let (old, new) = (of(before), of(after));
            if let Some(judgement) = judge(old, new, metric.better, tolerance) {
                all.push(Compared {
                    what: format!("{}.{name}", metric.name),
                    judgement,
                    before: old,
                    after: new,
                });
            }
        }
    }
    all
}

/// Says how a value changed; nothing if there is none.
fn judge(
    before: Option<Spread>,
    after: Option<Spread>,
    better: Better,
    tolerance: f64,
) -> Option<Judgement> {
    let (before, after) = match (before, after) {
        (None, None) => return None,
        (Some(_), None) => return Some(Judgement::OnlyBefore),
        (None, Some(_)) => return Some(Judgement::OnlyAfter),
        (Some(before), Some(after)) => (before, after),
    };
    if before.are_too_few() || after.are_too_few() {
        return Some(Judgement::TooFew);
    }
    if !before.differs(&after, tolerance) {
        return Some(Judgement::WithinNoise);
    }
    let is_lower = after.value < before.value;
    Some(match (better, is_lower) {
        (Better::Lower, true) | (Better::Higher, false) => Judgement::Better,
        (Better::Lower, false) | (Better::Higher, true) => Judgement::Worse,
        (Better::Neither, _) => Judgement::Changed,
    })
}

/// Thresholds that fare otherwise. A run that concludes nothing holds and misses nothing.
fn thresholds(before: &RunResult, after: &RunResult) -> Vec<ThresholdChange> {
    let judged = |run: &RunResult| -> BTreeMap<String, (bool, String)> {
        let said = matches!(run.verdict.conclusion, Conclusion::Pass | Conclusion::Fail);
        let all = run.verdict.thresholds.iter().filter(|_| said);
        all.map(|one| (one.threshold.clone(), (one.holds, one.told.clone())))
            .collect()
    };
    let (old, mut new) = (judged(before), judged(after));
    let mut changes = Vec::new();
    let mut compare =
        |threshold: String, before: Option<(bool, String)>, after: Option<(bool, String)>| {
            let judgement = match (
                before.as_ref().map(|one| one.0),
                after.as_ref().map(|one| one.0),
            ) {
                (Some(true), Some(false)) => Judgement::Worse,
                (Some(false), Some(true)) => Judgement::Better,
                (Some(_), None) => Judgement::OnlyBefore,
                (None, Some(_)) => Judgement::OnlyAfter,
                _ => return,
            };
            changes.push(ThresholdChange {
                threshold,
                before,
                after,
                judgement,
            });
        };
    for (threshold, was) in old {
        let is = new.remove(&threshold);
        compare(threshold, Some(was), is);
    }
    for (threshold, is) in new {
        compare(threshold, None, Some(is));
    }
    changes
}

#[cfg(test)]
mod tests;
