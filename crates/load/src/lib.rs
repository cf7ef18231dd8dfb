//! The load tester: many callers on Conferencing Nodes, what each lived through, and one verdict.
#![warn(missing_docs)]

mod histogram;
mod measurements;
pub mod metric;
mod rows;
mod unit;

pub use histogram::Histogram;
pub use measurements::{Counter, Interval, Measurements};
pub use metric::Metric;
pub use rows::{CallerRow, Generator};
pub use unit::{Told, Unit};
