//! The units in which figures are told, and how finely histograms keep them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds; kept in whole microseconds, up to an hour.
    #[serde(rename = "s")]
    Seconds,
    /// A share of a whole, 0 to 1; kept in millionths.
    #[serde(rename = "ratio")]
    Ratio,
    /// A score, such as MOS (1 to 5) or R (0 to 100); kept in thousandths.
    #[serde(rename = "score")]
    Score,
    /// How often a second; kept in thousandths.
    #[serde(rename = "/s")]
    Rate,
    /// Bits a second.
    #[serde(rename = "bit/s")]
    BitsPerSecond,
    /// A number of things.
    #[serde(rename = "count")]
    Count,
}

impl Unit {
    /// How many steps of a histogram make one of the unit.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Self::Seconds | Self::Ratio => 1e6,
            Self::Score | Self::Rate => 1e3,
            Self::BitsPerSecond | Self::Count => 1.0,
        }
    }

    /// The highest step that a histogram keeps; what is higher counts as this.
    pub(crate) fn highest(self) -> u64 {
        match self {
            Self::Seconds => 3_600_000_000,
            Self::Ratio => 1_000_000,
            Self::Score => 100_000,
            Self::Rate => 1_000_000_000,
            Self::BitsPerSecond => 10_000_000_000,
            Self::Count => 1_000_000_000,
        }
    }

    /// Returns what `suffix`, as people write it after a number, multiplies the number by.
    pub(crate) fn factor(self, suffix: &str) -> Option<f64> {
        let factor = match (self, suffix) {
            (Self::Seconds, "s") | (Self::BitsPerSecond, "bit/s") | (Self::Rate, "/s") => 1.0,
            (Self::Seconds, "ms") => 1e-3,
            (Self::Seconds, "us" | "µs") => 1e-6,
            (Self::Seconds, "min") => 60.0,
            (Self::Ratio, "%") => 1e-2,
            (Self::BitsPerSecond, "kbit/s") => 1e3,
            (Self::BitsPerSecond, "Mbit/s") => 1e6,
            (Self::Ratio | Self::Score | Self::Count | Self::Rate, "") => 1.0,
            _ => return None,
        };
        Some(factor)
    }

    /// The suffixes that [`Unit::factor`] knows, for an error.
    pub(crate) fn suffixes(self) -> &'static str {
        match self {
            Self::Seconds => "us, ms, s or min",
            Self::Ratio => "%, or a share between 0 and 1",
            Self::Score | Self::Count => "a number without a unit",
            Self::Rate => "/s, or a number without a unit",
            Self::BitsPerSecond => "bit/s, kbit/s or Mbit/s",
        }
    }

    /// Returns `value` as people read it.
    pub fn told(self, value: f64) -> Told {
        Told { unit: self, value }
    }
}

/// A value with its unit, to be printed.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    unit: Unit,
    value: f64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.unit {
            Unit::Seconds if value == 0.0 => f.write_str("0 ms"),
            Unit::Seconds if value < 0.001 => write!(f, "{:.0} µs", value * 1e6),
            Unit::Seconds if value < 0.01 => write!(f, "{:.1} ms", value * 1e3),
            Unit::Seconds if value < 1.0 => write!(f, "{:.0} ms", value * 1e3),
            Unit::Seconds => write!(f, "{value:.2} s"),
            Unit::Ratio if value == 0.0 => f.write_str("0 %"),
            Unit::Ratio if value < 0.01 => write!(f, "{:.3} %", value * 100.0),
            Unit::Ratio => write!(f, "{:.1} %", value * 100.0),
            Unit::Score => write!(f, "{value:.2}"),
            Unit::Rate => write!(f, "{value:.1}/s"),
            Unit::BitsPerSecond if value < 1e6 => write!(f, "{:.0} kbit/s", value / 1e3),
            Unit::BitsPerSecond => write!(f, "{:.2} Mbit/s", value / 1e6),
            Unit::Count => write!(f, "{value:.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_with_the_unit_a_person_expects() {
        let told = |unit: Unit, value| unit.told(value).to_string();
        assert_eq!(told(Unit::Seconds, 0.000_25), "250 µs");
        assert_eq!(told(Unit::Seconds, 0.0043), "4.3 ms");
        assert_eq!(told(Unit::Seconds, 0.231), "231 ms");
        assert_eq!(told(Unit::Seconds, 2.0), "2.00 s");
        assert_eq!(told(Unit::Ratio, 0.001), "0.100 %");
        assert_eq!(told(Unit::Ratio, 0.05), "5.0 %");
        assert_eq!(told(Unit::BitsPerSecond, 48_000.0), "48 kbit/s");
    }
}
