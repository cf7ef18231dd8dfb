//! The verdict on a load test.

use serde::{Deserialize, Serialize};

use crate::{Judged, Measurements, Threshold};

/// What is to be concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every threshold holds.
    Pass,
    /// A threshold does not hold.
    Fail,
    /// The generator exceeded its own limits: what was measured says nothing about the node.
    Invalid,
    /// The test was cut short: what would have come of it is not known.
    Interrupted,
}

/// The conclusion, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is to be concluded.
    pub conclusion: Conclusion,
    /// Why a generator was overloaded, a sentence each.
    pub exceeded: Vec<String>,
    /// What was cut short, a sentence for each part that was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interrupted: Vec<String>,
    /// How each threshold fared, in the order in which they were given.
    pub thresholds: Vec<Judged>,
}

impl Verdict {
    /// Judges what was measured.
    pub fn of(measurements: &Measurements, thresholds: &[Threshold]) -> Self {
        let several = measurements.generators().len() > 1;
        let said = |shard: &u32, why: &String| match several {
            true => format!("shard {shard}: {why}"),
            false => why.clone(),
        };
        let (mut exceeded, mut interrupted) = (Vec::new(), Vec::new());
        for (shard, generator) in measurements.generators() {
            exceeded.extend(generator.exceeded.iter().map(|why| said(shard, why)));
            interrupted.extend(generator.cut_short.iter().map(|why| said(shard, why)));
        }
        let judged: Vec<Judged> = thresholds
            .iter()
            .map(|threshold| threshold.judge(measurements))
            .collect();
        let conclusion = if !interrupted.is_empty() {
            Conclusion::Interrupted
        } else if !exceeded.is_empty() {
            Conclusion::Invalid
        } else if judged.iter().all(|judged| judged.holds) {
            Conclusion::Pass
        } else {
            Conclusion::Fail
        };
        Self {
            conclusion,
            exceeded,
            interrupted,
            thresholds: judged,
        }
    }

    /// The conclusion in one line.
    pub fn line(&self) -> String {
        let missed = self
            .thresholds
            .iter()
            .filter(|judged| !judged.holds)
            .count();
        match (self.conclusion, self.thresholds.len()) {
            (Conclusion::Pass, 0) => "PASS: there are no thresholds to miss".to_owned(),
            (Conclusion::Pass, 1) => "PASS: the threshold holds".to_owned(),
            (Conclusion::Pass, all) => format!("PASS: all {all} thresholds hold"),
            (Conclusion::Fail, all) => format!("FAIL: {missed} of {all} thresholds missed"),
            (Conclusion::Invalid, _) => format!(
                "INVALID: the generator was overloaded, so this says nothing about the node ({})",
                self.exceeded.join("; ")
            ),
            (Conclusion::Interrupted, _) => format!(
                "INTERRUPTED: the test was cut short, so nothing is concluded ({})",
                self.interrupted.join("; ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Counter, Generator};

    #[test]
    fn an_overloaded_generator_makes_any_result_invalid() {
        let mut measurements = Measurements::new(Duration::from_secs(1));
        measurements.count(Counter::JoinsOk, 5, Duration::ZERO);
        let thresholds = ["joins.ok == 5".parse().expect("a threshold")];
        let verdict = Verdict::of(&measurements, &thresholds);
        assert_eq!(verdict.conclusion, Conclusion::Pass);
        let missed = ["joins.ok == 6".parse().expect("a threshold")];
        assert_eq!(
            Verdict::of(&measurements, &missed).conclusion,
            Conclusion::Fail
        );

        let exceeded = vec!["frames left 12 ms late".to_owned()];
        measurements.generator(
            0,
            Generator {
                exceeded,
                ..Generator::default()
            },
        );
        let verdict = Verdict::of(&measurements, &thresholds);
        assert_eq!(verdict.conclusion, Conclusion::Invalid);
        assert!(verdict.line().contains("12 ms late"), "{}", verdict.line());
    }

    #[test]
    fn a_test_that_was_cut_short_neither_passes_nor_fails() {
        let mut measurements = Measurements::new(Duration::from_secs(1));
        measurements.count(Counter::JoinsOk, 5, Duration::ZERO);
        measurements.generator(0, Generator::default());
        let thresholds = ["joins.ok == 5", "joins.ok == 6"].map(|one| one.parse().expect("one"));
        for (which, whole) in [(0, Conclusion::Pass), (1, Conclusion::Fail)] {
            let judge = |measurements| Verdict::of(measurements, &thresholds[which..=which]);
            assert_eq!(judge(&measurements).conclusion, whole, "the control");
            let mut cut = measurements.clone();
            cut.generator(
                1,
                Generator {
                    cut_short: Some("after 2 of 60 s".to_owned()),
                    ..Generator::default()
                },
            );
            let verdict = judge(&cut);
            assert_eq!(verdict.conclusion, Conclusion::Interrupted);
            assert_eq!(verdict.interrupted, ["shard 1: after 2 of 60 s"]);
        }
    }
}
