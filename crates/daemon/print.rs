//! Standard output: what a person or a program asked to read. Logs go to standard error.

use std::fmt::Display;
use std::io::{self, StderrLock, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// Back to the beginning of the line, and clear what was there (ECMA-48 CR, EL).
const CLEAR: &str = "\r\x1b[K";

/// Whether a passing line stands on the terminal: whatever else is written takes its place.
static PASSING: AtomicBool = AtomicBool::new(false);

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs, one JSON object a line.
    Json,
}

/// Prints a line.
///
/// A reader that has gone away, as in `standin join … | head`, is no reason to fail: the output is
/// lost and the work goes on.
pub(crate) fn line(text: impl Display) {
    drop(stderr());
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a value as one line of JSON.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(text) => line(text),
        Err(error) => tracing::error!(%error, "a result cannot be written as JSON"),
    }
}

/// Prints a line about progress on standard error, beside the result.
pub(crate) fn progress(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Prints the one line on standard error that says why a command failed.
pub(crate) fn failure(text: impl Display) {
    let _ = writeln!(stderr(), "standin: {text}");
}

/// Prints a line on standard error, beside a result that is to stand alone.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Shows a line on the terminal of standard error until the next one, or anything else, is written.
pub(crate) fn passing(text: impl Display) {
    let mut err = stderr();
    PASSING.store(true, Ordering::Relaxed);
    let _ = write!(err, "{text}").and_then(|()| err.flush());
}

/// Returns standard error, with nothing passing on it any more.
pub(crate) fn stderr() -> StderrLock<'static> {
    let mut err = io::stderr().lock();
    if PASSING.swap(false, Ordering::Relaxed) {
        let _ = write!(err, "{CLEAR}").and_then(|()| err.flush());
    }
    err
}
