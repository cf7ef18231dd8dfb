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
}

/// The conclusion, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is to be concluded.
    pub conclusion: Conclusion,
    /// Why a generator was overloaded, a sentence each.
    pub exceeded: Vec<String>,
    /// How each threshold fared, in the order in which they were given.
    pub thresholds: Vec<Judged>,
}

impl Verdict {
    /// Judges what was measured.
    pub fn of(measurements: &Measurements, thresholds: &[Threshold]) -> Self {
        let several = measurements.generators().len() > 1;
        let exceeded: Vec<String> = measurements
            .generators()
            .iter()
            .flat_map(|(shard, generator)| {
                generator.exceeded.iter().map(move |why| match several {
                    true => format!("shard {shard}: {why}"),
                    false => why.clone(),
                })
            })
            .collect();
        let judged: Vec<Judged> = thresholds
            .iter()
            .map(|threshold| threshold.judge(measurements))
            .collect();
        let conclusion = if !exceeded.is_empty() {
            Conclusion::Invalid
        } else if judged.iter().all(|judged| judged.holds) {
            Conclusion::Pass
        } else {
            Conclusion::Fail
        };
        Self {
            conclusion,
            exceeded,
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
}
