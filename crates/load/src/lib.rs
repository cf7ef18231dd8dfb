//! The load tester: many callers on Conferencing Nodes, what each lived through, and one verdict.
//!
//! A [`Scenario`] says what is to be, a [`Plan`] follows from it and from nothing else: who comes
//! when, and what each does. A fleet of callers ([`run`]) carries it out, and all of them write
//! into one [`Measurements`]. The generator watches itself meanwhile: past its limits nothing is
//! said about the node.
//!
//! Received packets are accounted for one by one; a sample of the callers decodes them too. What is
//! concluded without decoding says so in its description, and so does what was decoded.
#![warn(missing_docs)]

mod diff;
mod fleet;
mod generator;
mod histogram;
mod knee;
mod ledger;
mod life;
pub mod locust;
mod marks;
mod measurements;
pub mod metric;
pub mod mos;
mod plan;
mod ramp;
pub mod report;
mod result;
mod rows;
mod scenario;
pub mod schema;
mod standing;
mod tally;
mod threshold;
mod unit;
mod verdict;

pub use diff::{Compared, Diff, Judgement, KneeChange, Outcome, Spread, ThresholdChange, diff};
pub use fleet::{Connections, Ended, Equipment, Progress, run};
pub use generator::{GeneratorFigures, GeneratorLimits};
pub use histogram::Histogram;
pub use knee::{HdPorts, Knee, KneeEnd, KneeFigure, KneeLevel};
pub use ledger::SoFar;
pub use marks::Voice;
pub use measurements::{Counter, Interval, Measurements};
pub use metric::Metric;
pub use plan::{Plan, PlannedCaller};
pub use ramp::Ramp;
pub use result::{MOST_SHARDS, ResultError, Run, RunResult, VERSION, write_whole};
pub use rows::{CallerRow, Generator};
pub use scenario::{Role, Roles, Scenario, ScenarioError};
pub use standing::Standing;
pub use tally::ConferenceSoFar;
pub use threshold::{Judged, Threshold, ThresholdError};
pub use unit::{Told, Unit};
pub use verdict::{Conclusion, Verdict};
