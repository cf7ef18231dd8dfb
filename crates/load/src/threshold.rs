//! Thresholds: what must hold for a load test to pass, in one line each.
//!
//! `FIGURE.STATISTIC OPERATOR VALUE`, such as `join.total.p95 < 2s`, `audio.mos.p5 > 3.8`,
//! `failures.rate < 0.1%`, `tokens.kept == 0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Counter, Histogram, Measurements, Metric, Unit, metric};

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    subject: Subject,
    operator: Operator,
    value: f64,
}

/// What a threshold is about.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Subject {
    Figure(&'static Metric, Statistic),
    Counter(Counter),
    /// Failures, as a share of the joins attempted.
    FailureRate,
    /// Failures, counted.
    Failures,
    /// Refusals for want of room, as a share of the joins attempted.
    CapacityRate,
}

/// Which number of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Statistic {
    Min,
    Mean,
    Max,
    Count,
    /// A share of all, 0 to 1.
    Quantile(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

/// Operators by their spelling, the longer ones first.
const OPERATORS: [(&str, Operator); 5] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::More),
];

/// Why a threshold cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// There is no operator in it.
    #[error(
        "the threshold '{0}' compares nothing: write FIGURE < VALUE, as in join.total.p95 < 2s"
    )]
    NoOperator(String),
    /// No figure is called so.
    #[error(
        "the threshold '{text}' names no figure that is measured{near}: see standin load --figures"
    )]
    UnknownFigure {
        /// The threshold.
        text: String,
        /// Names like it, in words.
        near: String,
    },
    /// The statistic is missing or unknown.
    #[error(
        "the threshold '{text}' does not say which number of {figure}: \
         add .p50, .p95, .p99.9, .min, .mean, .max or .count"
    )]
    Statistic {
        /// The threshold.
        text: String,
        /// The figure.
        figure: &'static str,
    },
    /// The value is no number with a unit that fits.
    #[error("the threshold '{text}' ends in '{value}', which should be a number in {wanted}")]
    Value {
        /// The threshold.
        text: String,
        /// What stands there.
        value: String,
        /// What may stand there.
        wanted: &'static str,
    },
}

/// How a threshold fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The threshold as it was written.
    pub threshold: String,
    /// What was measured, in the figure's unit; nothing if there were no values.
    pub measured: Option<f64>,
    /// What was measured, in words.
    pub told: String,
    /// Whether it holds. A figure without values holds nothing.
    pub holds: bool,
}

impl Threshold {
    /// Judges what was measured.
    pub fn judge(&self, measurements: &Measurements) -> Judged {
        let measured = self.subject.measured(measurements);
        Judged {
            threshold: self.text.clone(),
            measured,
            told: match measured {
                Some(value) => self.subject.unit().told(value).to_string(),
                None => "not measured: there were no values".to_owned(),
            },
            holds: measured.is_some_and(|measured| self.operator.holds(measured, self.value)),
        }
    }
}

impl Threshold {
    /// What the measured value is held against, in [`Threshold::unit`].
    pub fn limit(&self) -> f64 {
        self.value
    }

    /// The unit of both.
    pub fn unit(&self) -> Unit {
        self.subject.unit()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let text = text.trim().to_owned();
        let split = OPERATORS.iter().find_map(|(spelling, operator)| {
            let (subject, value) = text.split_once(spelling)?;
            Some((subject.trim(), *operator, value.trim()))
        });
        let Some((subject, operator, value)) = split else {
            return Err(ThresholdError::NoOperator(text));
        };
        let subject = Subject::parse(subject, &text)?;
        let value = in_unit(value, subject.unit()).ok_or_else(|| ThresholdError::Value {
            text: text.clone(),
            value: value.to_owned(),
            wanted: subject.unit().suffixes(),
        })?;
        Ok(Self {
            subject,
            operator,
            value,
            text,
        })
    }
}

impl Subject {
    fn parse(name: &str, text: &str) -> Result<Self, ThresholdError> {
        match name {
            "failures.rate" => return Ok(Self::FailureRate),
            "failures" => return Ok(Self::Failures),
            "capacity.rate" => return Ok(Self::CapacityRate),
            _ => {}
        }
        if let Some(counter) = Counter::ALL
            .into_iter()
            .find(|counter| counter.name() == name)
        {
            return Ok(Self::Counter(counter));
        }
        // The longest name that fits: `http` is a figure, and so is `http.calls`.
        let figure = metric::ALL
            .iter()
            .filter(|metric| {
                name.strip_prefix(metric.name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .max_by_key(|metric| metric.name.len());
        let Some(figure) = figure else {
            return Err(ThresholdError::UnknownFigure {
                text: text.to_owned(),
                near: near(name),
            });
        };
        let statistic = name[figure.name.len()..]
            .strip_prefix('.')
            .and_then(Statistic::parse)
            .ok_or_else(|| match near(name) {
                // `http.call.p95`: a figure of a family that is not there.
                near if !near.is_empty() && figure.name == "http" => {
                    ThresholdError::UnknownFigure {
                        text: text.to_owned(),
                        near,
                    }
                }
                _ => ThresholdError::Statistic {
                    text: text.to_owned(),
                    figure: figure.name,
                },
            })?;
        Ok(Self::Figure(figure, statistic))
    }

    fn unit(self) -> Unit {
        match self {
            Self::Figure(_, Statistic::Count) | Self::Counter(_) | Self::Failures => Unit::Count,
            Self::Figure(metric, _) => metric.unit,
            Self::FailureRate | Self::CapacityRate => Unit::Ratio,
        }
    }

    fn measured(self, measurements: &Measurements) -> Option<f64> {
        let rate = |of: &std::collections::BTreeMap<String, u64>| {
            let attempted = measurements.counter(Counter::JoinsAttempted);
            (attempted > 0).then(|| of.values().sum::<u64>() as f64 / attempted as f64)
        };
        match self {
            Self::Figure(metric, statistic) => statistic.of(measurements.histogram(metric)?),
            Self::Counter(counter) => Some(measurements.counter(counter) as f64),
            Self::Failures => Some(measurements.failures().values().sum::<u64>() as f64),
            Self::FailureRate => rate(measurements.failures()),
            Self::CapacityRate => rate(measurements.capacity()),
        }
    }
}

impl Statistic {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "min" => Self::Min,
            "mean" => Self::Mean,
            "max" => Self::Max,
            "count" => Self::Count,
            _ => {
                let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
                if !(0.0..=100.0).contains(&percent) {
                    return None;
                }
                Self::Quantile(percent / 100.0)
            }
        })
    }

    fn of(self, histogram: &Histogram) -> Option<f64> {
        match self {
            Self::Min => histogram.min(),
            Self::Mean => histogram.mean(),
            Self::Max => histogram.max(),
            Self::Count => Some(histogram.count() as f64),
            Self::Quantile(share) => histogram.quantile(share),
        }
    }
}

impl Operator {
    fn holds(self, measured: f64, wanted: f64) -> bool {
        match self {
            Self::Less => measured < wanted,
            Self::AtMost => measured <= wanted,
            Self::More => measured > wanted,
            Self::AtLeast => measured >= wanted,
            Self::Equal => measured == wanted,
        }
    }
}

/// Reads a number and its unit, `2s`, `0.1 %`, `48 kbit/s`, into the unit of the figure.
fn in_unit(text: &str, unit: Unit) -> Option<f64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    // `< 2` of a time could be anything; `== 0` could not.
    let suffix = suffix.trim();
    if number == 0.0 && suffix.is_empty() {
        return Some(0.0);
    }
    Some(number * unit.factor(suffix)?)
}

/// Names that share their first word with `name`, for an error.
fn near(name: &str) -> String {
    let first = name.split('.').next().unwrap_or(name);
    let names: Vec<&str> = metric::ALL
        .iter()
        .map(|metric| metric.name)
        .chain(Counter::ALL.into_iter().map(Counter::name))
        .chain(["failures.rate", "capacity.rate"])
        .filter(|known| known.split('.').next() == Some(first))
        .collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(" ({}.* is one of {})", first, names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measured() -> Measurements {
        let mut measurements = Measurements::new(Duration::from_secs(10));
        for ms in 1..=100 {
            let took = Duration::from_millis(ms * 10);
            measurements.record_time(&metric::JOIN_TOTAL, took, took);
            measurements.count(Counter::JoinsAttempted, 1, took);
        }
        measurements.failed("ICE found no path");
        measurements
    }

    fn holds(threshold: &str) -> bool {
        let threshold: Threshold = threshold.parse().expect("a threshold");
        threshold.judge(&measured()).holds
    }

    #[test]
    fn what_holds_holds_and_its_opposite_does_not() {
        assert!(holds("join.total.p95 < 1s") && !holds("join.total.p95 > 1s"));
        assert!(holds("join.total.p95>=900ms") && !holds("join.total.p95 < 900 ms"));
        assert!(holds("join.total.max <= 1.1s") && !holds("join.total.max <= 0.9s"));
        assert!(holds("join.total.count == 100") && !holds("join.total.count == 99"));
        assert!(holds("failures.rate < 1.1%") && !holds("failures.rate < 1%"));
        assert!(holds("failures == 1") && !holds("failures == 0"));
        assert!(holds("tokens.kept == 0") && !holds("tokens.kept > 0"));
        assert!(holds("join.total.p99.9 > 900ms"));
    }

    #[test]
    fn a_figure_without_values_holds_nothing() {
        for threshold in ["audio.mos.p5 > 3.8", "audio.mos.p5 < 3.8"] {
            let threshold: Threshold = threshold.parse().expect("a threshold");
            let judged = threshold.judge(&measured());
            assert!(
                !judged.holds && judged.told.contains("not measured"),
                "{judged:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_may_stand_there() {
        let error = |text: &str| text.parse::<Threshold>().expect_err(text).to_string();
        assert!(error("join.total.p95").contains("compares nothing"));
        assert!(error("join.totals.p95 < 2s").contains("join.total)"));
        assert!(error("http.call.p95 < 2s").contains("http.calls"));
        assert!(error("loudness.p95 < 2s").contains("names no figure"));
        assert!(error("join.total < 2s").contains("which number of join.total"));
        assert!(error("join.total.p101 < 2s").contains("which number"));
        assert!(error("join.total.p95 < 2").contains("us, ms, s or min"));
        assert!(error("join.total.p95 < fast").contains("'fast'"));
        assert!(error("audio.mos.p5 > 3.8s").contains("without a unit"));
    }
}
