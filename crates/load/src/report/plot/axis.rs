//! Where axes begin and end, and the numbers beside them.

use crate::Unit;

/// How values are laid along an axis.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Scale {
    pub(super) unit: Unit,
    /// Where the axis begins.
    least: f64,
    /// How far it goes at least, so that noise does not look like a mountain.
    at_least: f64,
}

impl Scale {
    /// From nothing to what there is.
    pub(in crate::report) fn of(unit: Unit) -> Self {
        let at_least = match unit {
            Unit::Seconds => 0.001,
            Unit::Ratio => 0.01,
            Unit::Score | Unit::BitsPerSecond => 1.0,
            Unit::Count | Unit::Rate => 4.0,
        };
        Self {
            unit,
            least: 0.0,
            at_least,
        }
    }

    /// From 1 to 5, as MOS goes.
    pub(in crate::report) fn of_mos() -> Self {
        Self {
            unit: Unit::Score,
            least: 1.0,
            at_least: 5.0,
        }
    }

    /// Fits the axis to the highest value there is.
    pub(super) fn fitted(self, highest: f64) -> Axis {
        let highest = highest.max(self.at_least);
        let mut step = tidy((highest - self.least) / 4.0);
        if self.unit == Unit::Count {
            step = step.max(1.0);
        }
        let steps = ((highest - self.least) / step - 1e-6).ceil().max(1.0);
        Axis {
            scale: self,
            step,
            steps: steps as u32,
        }
    }
}

/// An axis with its numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    scale: Scale,
    step: f64,
    steps: u32,
}

impl Axis {
    /// Where on the axis a value lies: 0 at its beginning, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.scale.least) / (self.step * f64::from(self.steps))).clamp(0.0, 1.0)
    }

    /// The numbers beside it, each with its place.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (0..=self.steps).map(|tick| {
            let value = self.scale.least + f64::from(tick) * self.step;
            let word = match self.scale.unit {
                _ if value == 0.0 => "0".to_owned(),
                // No more digits than the steps have.
                Unit::Ratio if self.step >= 0.01 => format!("{:.0} %", value * 100.0),
                Unit::Ratio => format!("{:.1} %", value * 100.0),
                Unit::Score | Unit::Rate if self.step >= 1.0 => format!("{value:.0}"),
                Unit::Score | Unit::Rate => format!("{value:.1}"),
                Unit::Seconds if self.step >= 1.0 => format!("{value:.0} s"),
                Unit::Seconds if self.step >= 0.1 => format!("{value:.1} s"),
                Unit::Seconds if self.step >= 0.001 => format!("{:.0} ms", value * 1e3),
                Unit::Seconds => format!("{:.1} ms", value * 1e3),
                Unit::BitsPerSecond if self.step >= 1e6 => format!("{:.0} Mbit/s", value / 1e6),
                Unit::BitsPerSecond if self.step >= 1e5 => format!("{:.1} Mbit/s", value / 1e6),
                Unit::BitsPerSecond => format!("{:.0} kbit/s", value / 1e3),
                Unit::Count => format!("{value:.0}"),
            };
            (f64::from(tick) / f64::from(self.steps), word)
        })
    }
}

/// The moments worth naming in a run of so many seconds, six at most, and their names.
pub(super) fn moments(seconds: f64) -> Vec<(f64, String)> {
    const STEPS: [f64; 14] = [
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0,
    ];
    let step = STEPS
        .into_iter()
        .find(|step| seconds / step < 6.0)
        .unwrap_or_else(|| tidy(seconds / 6.0 / 3600.0) * 3600.0);
    let word = |at: f64| match step {
        _ if at == 0.0 => "0".to_owned(),
        step if step >= 3600.0 => format!("{:.0} h", at / 3600.0),
        step if step >= 60.0 => format!("{:.0} min", at / 60.0),
        _ => format!("{at:.0} s"),
    };
    let mut at = 0.0;
    let mut moments = Vec::new();
    while at <= seconds {
        moments.push((at, word(at)));
        at += step;
    }
    moments
}

/// The next of 1, 2, 5, 10, … that is not below `value`.
pub(super) fn tidy(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let lead = value / power;
    let tidy = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|tidy| lead <= *tidy * 1.000_001);
    tidy.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_cut_at_numbers_that_people_like() {
        for (value, wanted) in [
            (0.9, 1.0),
            (1.1, 2.0),
            (2.1, 5.0),
            (7.0, 10.0),
            (0.013, 0.02),
            (340.0, 500.0),
        ] {
            let found = tidy(value);
            assert!((found - wanted).abs() < 1e-9, "{value}: {found}");
        }
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(tidy(odd), 1.0);
        }
    }

    fn words(scale: Scale, highest: f64) -> Vec<String> {
        scale
            .fitted(highest)
            .ticks()
            .map(|(_, word)| word)
            .collect()
    }

    #[test]
    fn every_number_beside_an_axis_has_its_unit() {
        assert_eq!(
            words(Scale::of(Unit::Seconds), 0.43),
            ["0", "0.2 s", "0.4 s", "0.6 s"]
        );
        assert_eq!(
            words(Scale::of(Unit::Ratio), 0.0).last().expect("a tick"),
            "1.0 %"
        );
        assert_eq!(words(Scale::of_mos(), 4.4), ["1", "2", "3", "4", "5"]);
        assert_eq!(words(Scale::of(Unit::Count), 1.0).len(), 5);
    }

    #[test]
    fn moments_are_few_and_named_as_people_do() {
        let words = |seconds| -> Vec<String> {
            moments(seconds).into_iter().map(|(_, word)| word).collect()
        };
        assert_eq!(words(42.0), ["0", "10 s", "20 s", "30 s", "40 s"]);
        assert_eq!(words(600.0).last().expect("a tick"), "10 min");
        assert_eq!(words(86_400.0).last().expect("a tick"), "20 h");
        for seconds in [0.0, 1.0, 59.0, 61.0, 3600.0, 1e6] {
            assert!(moments(seconds).len() <= 7, "{seconds}");
        }
    }
}
