//! Lists of sources, one a line: playlists (M3U among them) and slides.

use std::io::Read;
use std::path::Path;

use crate::error::MediaError;
use crate::source::SourceSpec;

/// The longest list that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// One source of a list.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its line, from 1.
    pub(crate) number: usize,
    pub(crate) spec: SourceSpec,
}

/// Reads a list. Empty lines and those that begin with `#` are passed over, as M3U has it; relative paths
/// begin at the directory of the list.
pub(crate) fn read(path: &Path) -> Result<Vec<Line>, MediaError> {
    let unreadable = |source| MediaError::Unreadable {
        path: path.into(),
        source,
    };
    let other = |what: &str| unreadable(std::io::Error::other(what.to_owned()));
    // Reading a pipe might never end.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(other("a list has 1 MB at most"));
    }
    let text = String::from_utf8(bytes).map_err(|_| other("it is no text in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = at + 1;
        let spec: SourceSpec = line.parse().map_err(|error| wrong(path, number, error))?;
        let spec = spec.resolved(|path| directory.join(path));
        lines.push(Line { number, spec });
    }
    if lines.is_empty() {
        return Err(MediaError::UnknownSource {
            text: path.display().to_string(),
            reason: format!("{} names no source", path.display()),
        });
    }
    Ok(lines)
}

/// Says in which line of a list something is wrong.
pub(crate) fn wrong(path: &Path, line: usize, error: MediaError) -> MediaError {
    MediaError::Line {
        path: path.into(),
        line,
        error: Box::new(error),
    }
}
