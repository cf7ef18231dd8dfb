//! The result of a load test as a file: written whole or not at all, read back, merged, compared.

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

/// The most shards of a run: those that are missing are named one by one.
pub const MOST_SHARDS: u32 = 100_000;

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
    /// The Locust master that said who comes when, where there was no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
}

/// A whole result, of one shard or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The version of the file's form, which changes when an older reader would misunderstand.
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
    /// The file speaks of more shards than a run can have.
    #[error("{} speaks of {found} parts, and a test has {MOST_SHARDS} at most", path.display())]
    Shards {
        /// The file.
        path: PathBuf,
        /// How many.
        found: u32,
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
    /// Workers of a master whose tests were not at the same time.
    #[error(
        "the results are of different tests of the Locust master at {0}: they were not at the same \
         time. A worker's later tests are in directories of their own, -2, -3 and so on"
    )]
    OtherTime(String),
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

    /// Adds up the results of a run's shards, or of a Locust master's workers, in any order.
    pub fn merge(mut results: Vec<Self>) -> Result<Self, ResultError> {
        // Workers begin and end one after the other: each must have been there with one before it.
        results.sort_by_key(|result| result.run.started_ms);
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
            match whole.run.master.is_some() {
                true => whole.add_worker(other),
                false => whole.measurements.merge(other.measurements),
            }
        }
        let thresholds = whole
            .parsed_thresholds()
            .map_err(|source| ResultError::Threshold {
                path: PathBuf::from("result"),
                source,
            })?;
        whole.judge_by(&thresholds);
        Ok(whole)
    }

    /// Judges what was measured, by these thresholds from now on.
    pub fn judge_by(&mut self, thresholds: &[Threshold]) {
        self.thresholds = thresholds.iter().map(Threshold::to_string).collect();
        self.verdict = Verdict::of(&self.measurements, thresholds);
    }

    /// Shards of the run of which nothing is in this result. How many workers a master had it alone
    /// knows.
    pub fn missing_shards(&self) -> Vec<u32> {
        let there = self.measurements.generators();
        (0..self.shards)
            .filter(|shard| self.run.master.is_none() && !there.contains_key(shard))
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
        if result.shards > MOST_SHARDS {
            return Err(ResultError::Shards {
                path: path.to_owned(),
                found: result.shards,
            });
        }
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
        if self.thresholds != other.thresholds {
            return differs(
                "judged by",
                self.thresholds.join(", "),
                other.thresholds.join(", "),
            );
        }
        if self.run.master != other.run.master {
            let told = |run: &Run| run.master.clone().unwrap_or_else(|| "none".to_owned());
            return differs("Locust masters", told(&self.run), told(&other.run));
        }
        if self.run.master.is_some() {
            return self.same_time(other);
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

mod workers;

#[cfg(test)]
#[path = "result/tests.rs"]
mod tests;
