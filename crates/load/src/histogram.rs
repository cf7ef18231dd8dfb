//! A distribution of one figure, which merges with others exactly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::{Deserializer as HdrReader, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize, de};

use crate::Unit;

/// Significant decimal digits of what counts for the verdict.
const FINE: u8 = 3;

/// Significant decimal digits of what is kept for each interval, to be plotted.
const COARSE: u8 = 2;

/// A distribution: how often which value came, to three significant digits.
///
/// Counts are whole numbers, so merging is exact, whatever the order.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    unit: Unit,
    /// Sum of what was recorded, in steps of the unit: a mean from it does not depend on buckets.
    sum: u128,
    /// The lowest and the highest value, in steps, exactly: a bucket would tell its edge.
    extremes: Option<(u64, u64)>,
    hdr: Hdr<u64>,
}

impl Histogram {
    /// An empty distribution.
    pub fn new(unit: Unit) -> Self {
        Self::with_digits(unit, FINE)
    }

    /// An empty distribution of one interval of many: coarser, and smaller.
    pub(crate) fn of_interval(unit: Unit) -> Self {
        Self::with_digits(unit, COARSE)
    }

    fn with_digits(unit: Unit, digits: u8) -> Self {
        // It grows with what comes, up to the unit's highest.
        #[expect(
            clippy::unwrap_used,
            reason = "both numbers of digits are tried in a test"
        )]
        let hdr = Hdr::new(digits).unwrap();
        Self {
            unit,
            sum: 0,
            extremes: None,
            hdr,
        }
    }

    /// The same counts in bounds that follow from the unit alone, so that what is written does not
    /// depend on the order in which it came.
    fn in_full_bounds(&self) -> Hdr<u64> {
        #[expect(
            clippy::unwrap_used,
            reason = "every unit and number of digits is tried in a test"
        )]
        let mut full = Hdr::new_with_bounds(1, self.unit.highest(), self.hdr.sigfig()).unwrap();
        // What was recorded was cut to the unit's highest.
        let _ = full.add(&self.hdr);
        full
    }

    /// Takes note of a value in the unit; what is below zero or no number counts as zero, what is
    /// higher than the unit's highest as that.
    pub fn record(&mut self, value: f64) {
        // A cast from a float saturates; NaN becomes 0.
        let step = ((value * self.unit.scale()).round() as u64).min(self.unit.highest());
        self.sum += u128::from(step);
        self.extremes = wider(self.extremes, Some((step, step)));
        // It resizes itself up to the unit's highest, and so has room.
        let _ = self.hdr.record(step);
    }

    /// Adds all that another one has, which may be finer. Units that differ are not added.
    pub fn merge(&mut self, other: &Self) {
        // Each of its steps lies within one of ours, so that nothing depends on the order.
        if self.unit == other.unit
            && self.hdr.sigfig() <= other.hdr.sigfig()
            && self.hdr.add(&other.hdr).is_ok()
        {
            self.sum += other.sum;
            self.extremes = wider(self.extremes, other.extremes);
        }
    }

    /// The unit of the values.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.hdr.len()
    }

    /// The value that this share of all does not exceed; nothing without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let (lowest, highest) = self.extremes?;
        // The library tells the end of a bucket, which may be past the highest value in it.
        let value = self.hdr.value_at_quantile(share.clamp(0.0, 1.0));
        Some(self.in_unit(value.clamp(lowest, highest)))
    }

    /// The lowest value.
    pub fn min(&self) -> Option<f64> {
        self.extremes.map(|(lowest, _)| self.in_unit(lowest))
    }

    /// The highest value.
    pub fn max(&self) -> Option<f64> {
        self.extremes.map(|(_, highest)| self.in_unit(highest))
    }

    /// The mean, from the values themselves.
    pub fn mean(&self) -> Option<f64> {
        (!self.hdr.is_empty()).then(|| self.sum as f64 / self.hdr.len() as f64 / self.unit.scale())
    }

    fn in_unit(&self, step: u64) -> f64 {
        // The library tells the end of a bucket, which may be past the highest there is.
        step.min(self.unit.highest()) as f64 / self.unit.scale()
    }
}

/// The extremes of two distributions together.
fn wider(one: Option<(u64, u64)>, other: Option<(u64, u64)>) -> Option<(u64, u64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// As it stands in a file. The figures are for people; `hdr` is what is read back (HdrHistogram's
/// V2 encoding, base64).
#[derive(Serialize, Deserialize)]
struct Written {
    /// The unit of the figures.
    unit: Unit,
    /// How many values there were.
    #[serde(default)]
    count: u64,
    /// Numbers of the distribution, in the unit; nothing without values.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    figures: Option<Shown>,
    /// The sum of all values, in steps of the histogram: decimal digits, since JSON's numbers end
    /// earlier than sums do.
    sum: String,
    /// The lowest and the highest value, in steps of the histogram.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    extremes: Option<(u64, u64)>,
    /// HdrHistogram's V2 encoding, base64.
    hdr: String,
}

#[derive(Serialize, Deserialize)]
struct Shown {
    min: f64,
    mean: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2Serializer::new()
            .serialize(&self.in_full_bounds(), &mut bytes)
            .map_err(|error| serde::ser::Error::custom(format!("{error:?}")))?;
        let figures = || {
            Some(Shown {
                min: self.min()?,
                mean: self.mean()?,
                p50: self.quantile(0.5)?,
                p95: self.quantile(0.95)?,
                p99: self.quantile(0.99)?,
                max: self.max()?,
            })
        };
        Written {
            unit: self.unit,
            count: self.count(),
            figures: figures(),
            sum: self.sum.to_string(),
            extremes: self.extremes,
            hdr: STANDARD.encode(bytes),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let bytes = STANDARD
            .decode(&written.hdr)
            .map_err(|_| de::Error::custom("`hdr` is not base64"))?;
        let read: Hdr<u64> = HdrReader::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| de::Error::custom(format!("`hdr` is no histogram: {error}")))?;
        if !(COARSE..=FINE).contains(&read.sigfig()) || read.max() > written.unit.highest() * 2 {
            return Err(de::Error::custom("`hdr` does not belong to this unit"));
        }
        let mut histogram = Self::with_digits(written.unit, read.sigfig());
        histogram
            .hdr
            .add(&read)
            .map_err(|_| de::Error::custom("`hdr` has values out of the unit's range"))?;
        histogram.sum = written
            .sum
            .parse()
            .map_err(|_| de::Error::custom("`sum` is not a whole number"))?;
        if written.extremes.is_some() == histogram.hdr.is_empty() {
            return Err(de::Error::custom("`extremes` do not belong to `hdr`"));
        }
        histogram.extremes = written.extremes;
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: [Unit; 6] = [
        Unit::Seconds,
        Unit::Ratio,
        Unit::Score,
        Unit::Rate,
        Unit::BitsPerSecond,
        Unit::Count,
    ];

    #[test]
    fn every_unit_has_bounds_that_work_and_odd_values_do_not_break_it() {
        let both = |unit| [Histogram::new(unit), Histogram::of_interval(unit)];
        for mut histogram in UNITS.into_iter().flat_map(both) {
            let unit = histogram.unit();
            assert_eq!(histogram.quantile(0.5), None);
            for value in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY, 1e300] {
                histogram.record(value);
            }
            assert_eq!(histogram.count(), 6);
            let highest = unit.highest() as f64 / unit.scale();
            assert_eq!(histogram.max(), Some(highest));
            assert_eq!(histogram.in_full_bounds().len(), 6);
        }
    }

    #[test]
    fn what_is_finer_is_added_to_what_is_coarser_and_not_the_other_way_round() {
        let (mut fine, mut direct) = (
            Histogram::new(Unit::Seconds),
            Histogram::of_interval(Unit::Seconds),
        );
        for value in [0.000_937, 0.0123, 0.9999, 12.5] {
            fine.record(value);
            direct.record(value);
        }
        let mut coarse = Histogram::of_interval(Unit::Seconds);
        coarse.merge(&fine);
        assert_eq!(coarse, direct);
        let before = fine.clone();
        fine.merge(&coarse);
        assert_eq!(fine, before);
    }

    #[test]
    fn quantiles_are_within_a_thousandth() {
        let mut histogram = Histogram::new(Unit::Seconds);
        for ms in 1..=1000 {
            histogram.record(f64::from(ms) / 1000.0);
        }
        let p95 = histogram.quantile(0.95).expect("values");
        assert!((p95 - 0.95).abs() < 0.001, "{p95}");
        assert!((histogram.mean().expect("values") - 0.5005).abs() < 1e-9);
    }

    #[test]
    fn what_is_written_is_read_back_to_the_last_count() {
        let mut histogram = Histogram::new(Unit::Ratio);
        for n in 0..500 {
            histogram.record(f64::from(n) / 500.0);
        }
        let text = serde_json::to_string(&histogram).expect("it can be written");
        let read: Histogram = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(read.quantile(0.95), histogram.quantile(0.95));
        assert_eq!(serde_json::to_string(&read).expect("again"), text);
    }

    #[test]
    fn a_file_that_was_tampered_with_is_an_error() {
        let mut histogram = Histogram::new(Unit::Count);
        histogram.record(7.0);
        let whole: serde_json::Value = serde_json::to_value(&histogram).expect("it can be written");
        assert!(serde_json::from_value::<Histogram>(whole.clone()).is_ok());
        for (key, value) in [
            ("hdr", "?"),
            ("hdr", "SElTVA=="),
            ("sum", "many"),
            ("unit", "ell"),
        ] {
            let mut broken = whole.clone();
            broken[key] = value.into();
            assert!(
                serde_json::from_value::<Histogram>(broken).is_err(),
                "{key}"
            );
        }
    }
}
