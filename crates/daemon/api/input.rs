//! What a verb takes from a file or from standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::exit::Failure;

/// Reads `path`; `-` is standard input.
pub(super) fn text(what: &str, path: &Path) -> Result<String, Failure> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| {
        Failure::usage(format!(
            "cannot read {what} from {}: {error}",
            path.display()
        ))
    })
}

/// Returns what was written on the command line, or standard input for `-`, without the line break
/// at its end.
pub(crate) fn argument(what: &str, text: String) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text);
    }
    let text = self::text(what, Path::new("-"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads an SDP offer, and sees to the line breaks that RFC 8866 §5 wants.
pub(super) fn sdp(path: &Path) -> Result<String, Failure> {
    let text = self::text("the SDP", path)?;
    if !text.trim_start().starts_with("v=0") {
        return Err(Failure::usage(format!(
            "{} is no SDP: it begins with the line v=0",
            path.display()
        )));
    }
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    Ok(lines.map(|line| format!("{line}\r\n")).collect())
}
