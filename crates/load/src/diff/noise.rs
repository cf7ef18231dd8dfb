//! In which interval a value lies for all that a single run can tell.

use serde::Serialize;

use crate::metric::Values;
use crate::{Histogram, Measurements, Metric, Unit};

/// Two-sided 99 % of a normal distribution.
const Z: f64 = 2.576;

/// With fewer values than this nothing is told.
const FEW: f64 = 5.0;

/// Values that a caller tells every few seconds resemble each other: so many in a row are taken
/// for one. Several callers at least are taken for as many.
const ALIKE: u64 = 10;

/// A value, and the interval in which it lies with a certainty of 99 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The value itself, in the unit.
    pub value: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// How many independent values it rests on.
    pub values: f64,
    /// Whether both ends of the interval are among the values: a tail needs many of them, and where
    /// there are too few, nobody knows how far it goes.
    pub bounded: bool,
    /// The unit of all three.
    pub unit: Unit,
}

impl Spread {
    /// A percentile of a figure. How many of `n` values lie below it is binomial, whatever their
    /// distribution: its true place is between the ranks `np ± z √(np(1 − p))`.
    pub(super) fn of_quantile(
        measured: &Measurements,
        metric: &Metric,
        share: f64,
    ) -> Option<Self> {
        let histogram = measured.histogram(metric)?;
        let callers = measured.callers().len() as u64;
        let values = independent(histogram.count(), callers, metric.values) as f64;
        Self::between(histogram, share, values)
    }

    fn between(histogram: &Histogram, share: f64, values: f64) -> Option<Self> {
        let half = Z * (share * (1.0 - share) / values.max(1.0)).sqrt();
        Some(Self {
            value: histogram.quantile(share)?,
            low: histogram.quantile(share - half)?,
            high: histogram.quantile(share + half)?,
            values,
            bounded: share - half > 0.0 && share + half < 1.0,
            unit: histogram.unit(),
        })
    }

    /// So many of so many; `bunch` of them come together, as losses do. The interval is Wilson's.
    pub(super) fn of_share(part: u64, whole: u64, bunch: f64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        let n = (whole as f64 / bunch).max(1.0);
        let p = (part as f64 / whole as f64).min(1.0);
        let z2 = Z * Z;
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        Some(Self {
            value: p,
            low: (middle - half).clamp(0.0, p),
            high: (middle + half).clamp(p, 1.0),
            values: n,
            bounded: true,
            unit: Unit::Ratio,
        })
    }

    pub(super) fn are_too_few(&self) -> bool {
        self.values < FEW || !self.bounded
    }

    /// Says whether another value differs by more than noise and tolerance.
    pub(super) fn differs(&self, other: &Self, tolerance: f64) -> bool {
        let change = (other.value - self.value).abs();
        let tolerated = (self.value.abs() * tolerance).max(negligible(self.unit));
        change > tolerated && (self.high < other.low || other.high < self.low)
    }
}

/// How many independent values there are among so many.
fn independent(count: u64, callers: u64, values: Values) -> u64 {
    match values {
        Values::Single => count,
        Values::Repeated => (count / ALIKE).max(callers.min(count)),
    }
}

/// A change that nobody would notice, however sure it is.
fn negligible(unit: Unit) -> f64 {
    match unit {
        Unit::Seconds | Unit::Ratio => 0.001,
        Unit::Score => 0.05,
        Unit::Rate => 0.1,
        Unit::BitsPerSecond => 1000.0,
        Unit::Count => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_median_is_that_of_its_ranks() {
        let mut histogram = Histogram::new(Unit::Seconds);
        for ms in 1..=100 {
            histogram.record(f64::from(ms) / 1000.0);
        }
        // Ranks 50 ± 2.576 · 5.
        let spread = Spread::between(&histogram, 0.5, 100.0).expect("values");
        assert!((spread.low - 0.037).abs() < 0.0015, "{spread:?}");
        assert!((spread.high - 0.063).abs() < 0.0015, "{spread:?}");
        // Far out in the tail the highest value is no end: the next one may be higher.
        let tail = |values| Spread::between(&histogram, 0.99, values).expect("values");
        assert!(tail(100.0).are_too_few() && !tail(700.0).are_too_few());
    }

    #[test]
    fn a_share_of_nothing_may_be_of_few() {
        let none = Spread::of_share(0, 100, 1.0).expect("a whole");
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!((none.high - 0.0622).abs() < 0.001, "{none:?}");
        assert_eq!(Spread::of_share(0, 0, 1.0), None);
        let all = Spread::of_share(100, 100, 1.0).expect("a whole");
        assert!(
            all.high == 1.0 && (all.low - 0.9378).abs() < 0.001,
            "{all:?}"
        );
    }

    #[test]
    fn what_is_sure_and_small_is_no_change() {
        let at = |value: f64| Spread {
            value,
            low: value,
            high: value,
            values: 1e6,
            bounded: true,
            unit: Unit::Seconds,
        };
        assert!(!at(1.0).differs(&at(1.04), 0.05));
        assert!(at(1.0).differs(&at(1.06), 0.05));
        assert!(
            !at(0.001).differs(&at(0.0019), 0.05),
            "less than a millisecond"
        );
        let unsure = Spread {
            high: 2.0,
            ..at(1.0)
        };
        assert!(!unsure.differs(&at(1.5), 0.05));
    }

    #[test]
    fn values_in_a_row_are_taken_for_one() {
        assert_eq!(independent(1000, 20, Values::Single), 1000);
        assert_eq!(independent(1000, 20, Values::Repeated), 100);
        assert_eq!(independent(60, 20, Values::Repeated), 20);
        assert_eq!(independent(6, 20, Values::Repeated), 6);
    }
}
