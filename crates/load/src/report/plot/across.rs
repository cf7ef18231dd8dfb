//! What lies along the lower edge of a plot: time, a number of things, or shares of all values.

use super::axis::{moments, tidy};

/// The axis along the lower edge.
#[derive(Debug, Clone)]
pub(in crate::report) struct Across {
    /// What it is, for the legend.
    pub(super) what: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Seconds, from 0 to the end.
    Time(f64),
    /// A number of things, from 0 to the most.
    Count(f64),
    /// Shares of all values, 0 to 1; the more nines, the further to the right.
    Share,
}

/// How many nines the axis of shares has room for.
const NINES: f64 = 3.0;

impl Across {
    /// A run of so many seconds.
    pub(in crate::report) fn time(seconds: f64) -> Self {
        Self {
            what: "over the time since the start",
            kind: Kind::Time(seconds),
        }
    }

    /// From none to so many things.
    pub(in crate::report) fn count(what: &'static str, most: f64) -> Self {
        Self {
            what,
            kind: Kind::Count(most),
        }
    }

    /// Shares of all values, as distributions of delays are drawn: each nine more is as far again.
    pub(in crate::report) fn shares() -> Self {
        Self {
            what: "by the share of the values that are not higher",
            kind: Kind::Share,
        }
    }

    /// Where on the axis a value lies: 0 at its beginning, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = match self.kind {
            Kind::Time(most) | Kind::Count(most) => value / most.max(1e-9),
            Kind::Share => -(1.0 - value).max(1e-12).log10() / NINES,
        };
        place.clamp(0.0, 1.0)
    }

    /// The words along it, each with its place.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let ticks = match self.kind {
            Kind::Time(seconds) => moments(seconds),
            Kind::Count(most) => {
                let step = tidy(most / 6.0).max(1.0);
                let all = (0..=6).map(|tick| f64::from(tick) * step);
                all.filter(|at| *at <= most * 1.000_001)
                    .map(|at| (at, format!("{at:.0}")))
                    .collect()
            }
            Kind::Share => [
                (0.0, "0"),
                (0.5, "p50"),
                (0.9, "p90"),
                (0.99, "p99"),
                (0.999, "p99.9"),
            ]
            .map(|(at, word)| (at, word.to_owned()))
            .to_vec(),
        };
        let placed = ticks.into_iter();
        placed.map(|(at, word)| (self.place(at), word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_axis_goes_from_its_beginning_to_its_end() {
        for (across, last, word) in [
            (Across::time(40.0), 40.0, "40 s"),
            (Across::count("callers", 30.0), 30.0, "30"),
            (Across::shares(), 0.999, "p99.9"),
        ] {
            let ticks = across.ticks();
            assert_eq!(ticks.first().map(|tick| tick.0), Some(0.0));
            let (place, said) = ticks.last().expect("a tick");
            assert!((across.place(last) - 1.0).abs() < 1e-9 && (place - 1.0).abs() < 1e-9);
            assert_eq!(said, word);
            assert!(ticks.is_sorted_by(|one, next| one.0 < next.0));
        }
        assert_eq!(Across::count("callers", 0.0).ticks().len(), 1);
    }

    #[test]
    fn each_nine_is_as_far_as_the_one_before() {
        let across = Across::shares();
        let step = across.place(0.9);
        assert!((across.place(0.99) - 2.0 * step).abs() < 1e-9);
        assert_eq!(across.place(1.0), 1.0);
    }
}
