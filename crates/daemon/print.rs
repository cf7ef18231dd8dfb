//! Standard output: what a person or a program asked to read. Logs go to standard error.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

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
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints the one line on standard error that says why a command failed.
pub(crate) fn failure(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "standin: {text}");
}

/// Prints a line on standard error, beside a result that is to stand alone.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
