//! Doors for `tests/fuzz`: readers that are not reached without what comes behind them.

use std::path::Path;

use crate::{MediaError, SourceSpec, list, stills};

/// Reads a list of sources, none of which is opened.
///
/// # Errors
///
/// Fails if it cannot be read, or if a line of it is no source.
pub fn list(path: &Path) -> Result<Vec<SourceSpec>, MediaError> {
    let lines = list::read(path)?;
    Ok(lines.into_iter().map(|line| line.spec).collect())
}

/// Reads a still picture and fits it into a small one, if that is what the file is.
///
/// # Errors
///
/// Fails if it is damaged.
pub fn still(path: &Path) -> Result<(), MediaError> {
    if stills::is_still(path) {
        stills::load(path, 64, 36)?;
    }
    Ok(())
}
