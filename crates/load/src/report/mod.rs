//! What is written about a load test, for people and for programs.

use std::path::{Path, PathBuf};

use crate::{ResultError, RunResult, write_whole};

mod escape;
mod exposition;
mod html;
mod junit;
mod live;
mod markdown;
mod open_metrics;
mod plot;
mod series;
mod when;

pub use exposition::{CONTENT_TYPE, Exposition, FamilyType};
pub use html::{STYLE, page};
pub use junit::junit;
pub use live::Live;
pub use markdown::summary;
pub use open_metrics::open_metrics;
pub use series::{SeriesFigure, SeriesLine, series};

/// Writes everything there is to say about a run into a folder, which is made if it is not there:
/// `report.html`, `result.json`, `series.ndjson`, `junit.xml` and `summary.md`.
///
/// Returns the page for people.
pub fn write_all(folder: &Path, result: &RunResult) -> Result<PathBuf, ResultError> {
    std::fs::create_dir_all(folder).map_err(|source| ResultError::Io {
        path: folder.to_owned(),
        source,
    })?;
    let report = folder.join("report.html");
    let files = [
        ("result.json", result.to_json()),
        ("series.ndjson", series(result)),
        ("junit.xml", junit(result)),
        ("summary.md", summary(result)),
        ("report.html", page(result)),
    ];
    for (name, text) in files {
        write_whole(&folder.join(name), &text)?;
    }
    Ok(report)
}

#[cfg(test)]
pub(crate) mod tests;
