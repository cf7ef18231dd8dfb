//! The load tester: many callers on Conferencing Nodes, what each lived through, and one verdict.
#![warn(missing_docs)]

mod histogram;
mod measurements;
pub mod metric;
pub mod mos;
pub mod report;
mod result;
mod rows;
mod threshold;
mod unit;
mod verdict;

pub use histogram::Histogram;
pub use measurements::{Counter, Interval, Measurements};
pub use metric::Metric;
pub use result::{Change, ResultError, Run, RunResult, VERSION, changes, write_whole};
pub use rows::{CallerRow, Generator};
pub use threshold::{Judged, Threshold, ThresholdError};
pub use unit::{Told, Unit};
pub use verdict::{Conclusion, Verdict};
