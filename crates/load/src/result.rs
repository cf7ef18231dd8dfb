//! The result of a load test as a file: written whole or not at all, read back, merged, compared.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Knee, Measurements, Threshold, ThresholdError, Verdict};

/// The version of the file's form. It changes when an older reader would misunderstand.
pub const VERSION: u32 = 2;
/// The oldest version that is still read. In version 1 a test that was cut short did not say so.
const OLDEST: u32 = 1;

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What the scenario is called.
    pub title: String,
    /// A digest of the whole plan, the same for all its shards.
    pub plan: String,
    /// The seed of all that is drawn by lot.
    pub seed: u64,
    /// When the run started, in milliseconds since 1970.
    pub started_ms: u64,
    /// How many callers the plan has, over all shards.
    pub callers: u32,
    /// What the plan says, a line for each thing worth knowing: nodes, conferences, ramp, media.
    pub described: Vec<String>,
}

/// A whole result, of one shard or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    version: u32,
    /// What was run.
    pub run: Run,
    /// How many shards the plan was cut into.
    pub shards: u32,
    /// The thresholds, as they were written.
    thresholds: Vec<String>,
    /// What is to be concluded; worked out anew after a merge.
    pub verdict: Verdict,
    /// The knee, if it was looked for; the rest is of the last level that held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knee: Option<Knee>,
    /// What was measured.
    pub measurements: Measurements,
}

/// Why a result cannot be written, read or merged.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no result.
    #[error("{} is no result of standin load: {source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is of a version that this program does not know.
    #[error(
        "{} has version {found}, and this program reads versions up to {VERSION}: use the standin that wrote it",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u64,
    },
    /// A threshold in the file cannot be read.
    #[error("{}: {source}", path.display())]
    Threshold {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ThresholdError,
    },
    /// There is nothing to merge.
    #[error("there is nothing to merge: name the result.json of each part")]
    Nothing,
    /// Results of different runs do not add up.
    #[error("the results are of different runs ({0}): merge the parts of one run")]
    OtherRun(String),
    /// The same shard twice would count twice.
    #[error("part {0} is there twice: name each part's result once")]
    Twice(u32),
}

impl RunResult {
    /// Judges what was measured.
    pub fn new(
        run: Run,
        shards: u32,
        thresholds: &[Threshold],
        measurements: Measurements,
    ) -> Self {
        Self {
            version: VERSION,
            run,
            shards,
            thresholds: thresholds.iter().map(Threshold::to_string).collect(),
            verdict: Verdict::of(&measurements, thresholds),
            knee: None,
            measurements,
        }
    }

    /// Adds up the results of a run's shards, in any order.
    pub fn merge(results: Vec<Self>) -> Result<Self, ResultError> {
        let mut results = results.into_iter();
        let mut whole = results.next().ok_or(ResultError::Nothing)?;
        for other in results {
            whole.same_run(&other)?;
            let mine = whole.measurements.generators();
            if let Some(shard) = other
                .measurements
                .generators()
                .keys()
                .find(|shard| mine.contains_key(shard))
            {
                return Err(ResultError::Twice(*shard));
            }
            whole.measurements.merge(other.measurements);
        }
        let thresholds = whole
            .parsed_thresholds()
            .map_err(|source| ResultError::Threshold {
                path: PathBuf::from("result"),
                source,
            })?;
        whole.verdict = Verdict::of(&whole.measurements, &thresholds);
        Ok(whole)
    }

    /// Shards of the run of which nothing is in this result.
    pub fn missing_shards(&self) -> Vec<u32> {
        let there = self.measurements.generators();
        (0..self.shards)
            .filter(|shard| !there.contains_key(shard))
            .collect()
    }

    /// Reads a result.
    pub fn read(path: &Path) -> Result<Self, ResultError> {
        let text = std::fs::read(path).map_err(|source| ResultError::Io {
            path: path.to_owned(),
            source,
        })?;
        let form = |source| ResultError::Form {
            path: path.to_owned(),
            source,
        };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(form)?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(found) if !(u64::from(OLDEST)..=u64::from(VERSION)).contains(&found) => {
                return Err(ResultError::Version {
                    path: path.to_owned(),
                    found,
                });
            }
            _ => {}
        }
        let mut result: Self = serde_json::from_value(value).map_err(form)?;
        result.version = VERSION;
        result
            .parsed_thresholds()
            .map_err(|source| ResultError::Threshold {
                path: path.to_owned(),
                source,
            })?;
        Ok(result)
    }

    /// The result as it stands in its file.
    pub fn to_json(&self) -> String {
        // Names and numbers alone: nothing that JSON cannot say.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    fn parsed_thresholds(&self) -> Result<Vec<Threshold>, ThresholdError> {
        self.thresholds.iter().map(|text| text.parse()).collect()
    }

    fn same_run(&self, other: &Self) -> Result<(), ResultError> {
        let differs = |what: &str, mine: String, theirs: String| {
            Err(ResultError::OtherRun(format!("{what} {mine} and {theirs}")))
        };
        if self.run.plan != other.run.plan {
            return differs("plans", self.run.plan.clone(), other.run.plan.clone());
        }
        if self.run.started_ms != other.run.started_ms {
            return differs(
                "started at",
                self.run.started_ms.to_string(),
                other.run.started_ms.to_string(),
            );
        }
        if self.shards != other.shards {
            return differs(
                "cut into",
                self.shards.to_string(),
                other.shards.to_string(),
            );
        }
        if self.thresholds != other.thresholds {
            return differs(
                "judged by",
                self.thresholds.join(", "),
                other.thresholds.join(", "),
            );
        }
        Ok(())
    }
}

/// Writes a file whole or not at all: beside its place first, then into it.
pub fn write_whole(path: &Path, text: &str) -> Result<(), ResultError> {
    let failed = |source| ResultError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // As readable as any file one makes: people publish reports.
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// How one figure changed from one run to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What it is: a figure with its statistic, a counter, a reason.
    pub what: String,
    /// In the first run, in words.
    pub before: String,
    /// In the second.
    pub after: String,
    /// How many times the first the second is, where that can be said.
    pub ratio: Option<f64>,
}

/// Compares two runs, figure by figure; what is the same in both to a hundredth is left out.
pub fn changes(before: &RunResult, after: &RunResult) -> Vec<Change> {
    let mut rows: BTreeMap<usize, Change> = BTreeMap::new();
    let mut add = |what: String, told: [Option<(f64, String)>; 2]| {
        let [before, after] = &told;
        let value = |side: &Option<(f64, String)>| side.as_ref().map(|(value, _)| *value);
        let ratio = match (value(before), value(after)) {
            (Some(before), Some(after)) if before == after => return,
            (Some(before), Some(after)) if before != 0.0 => Some(after / before),
            (None, None) => return,
            _ => None,
        };
        if ratio.is_some_and(|ratio| (ratio - 1.0).abs() < 0.01) {
            return;
        }
        let words = |side: &Option<(f64, String)>| {
            side.as_ref()
                .map_or_else(|| "not measured".to_owned(), |(_, words)| words.clone())
        };
        rows.insert(
            rows.len(),
            Change {
                what,
                before: words(before),
                after: words(after),
                ratio,
            },
        );
    };
    for metric in crate::metric::ALL {
        for (name, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            let told = [before, after].map(|run| {
                let value = run.measurements.histogram(metric)?.quantile(share)?;
                Some((value, metric.unit.told(value).to_string()))
            });
            add(format!("{}.{name}", metric.name), told);
        }
    }
    for counter in crate::Counter::ALL {
        let told = [before, after].map(|run| {
            let count = run.measurements.counter(counter);
            Some((count as f64, count.to_string()))
        });
        add(counter.name().to_owned(), told);
    }
    let reasons = |run: &RunResult| run.measurements.failures().clone();
    let (old, new) = (reasons(before), reasons(after));
    for reason in old
        .keys()
        .chain(new.keys().filter(|reason| !old.contains_key(*reason)))
    {
        let told = [&old, &new].map(|side| {
            let count = side.get(reason).copied().unwrap_or_default();
            Some((count as f64, count.to_string()))
        });
        add(format!("failures: {reason}"), told);
    }
    rows.into_values().collect()
}

#[cfg(test)]
#[path = "result/tests.rs"]
mod tests;
