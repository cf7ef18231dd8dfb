//! Where a PIN comes from. Never from the command line: every user of the machine can read that.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use infinity::Pin;

/// The variable of the environment that may hold the PIN.
const VARIABLE: &str = "STANDIN_PIN";

/// The name under which systemd hands the PIN over (`LoadCredential=pin:…`).
const CREDENTIAL: &str = "pin";

/// Why there is no PIN though one was given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PinError {
    /// The file cannot be read.
    #[error("cannot read the PIN file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file, or the variable, holds something else than a PIN.
    #[error("{whence} holds no PIN: write the PIN alone, on one line")]
    NotAPin { whence: String },
}

/// Returns the PIN of `file`, else of `STANDIN_PIN`, else of systemd's credential; `None` if there
/// is none of them.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<Pin>, PinError> {
    find_of(file, None)
}

/// Returns the PIN of a participant, as [`find`] does. One that has a name has a credential of its own,
/// `pin_NAME`, before all but its file: `LoadCredential=pin:DIRECTORY` passes a directory of such.
pub(crate) fn find_of(file: Option<&Path>, name: Option<&str>) -> Result<Option<Pin>, PinError> {
    if let Some(path) = file {
        return read(path);
    }
    let directory = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let of_name = directory.as_ref().zip(name);
    if let Some((directory, name)) = of_name
        && let path = directory.join(format!("{CREDENTIAL}_{name}"))
        && path.exists()
    {
        return read(&path);
    }
    match env::var(VARIABLE) {
        Ok(text) if text.trim().is_empty() => {}
        Ok(text) => return parse(&text, || VARIABLE.to_owned()),
        Err(env::VarError::NotUnicode(_)) => {
            return Err(PinError::NotAPin {
                whence: VARIABLE.to_owned(),
            });
        }
        Err(env::VarError::NotPresent) => {}
    }
    let Some(directory) = directory else {
        return Ok(None);
    };
    let path = directory.join(CREDENTIAL);
    if path.exists() { read(&path) } else { Ok(None) }
}

fn read(path: &Path) -> Result<Option<Pin>, PinError> {
    let text = fs::read_to_string(path).map_err(|source| PinError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, || format!("the PIN file {}", path.display()))
}

/// Takes a PIN from `text`; `none` is how the API spells a guest without one.
fn parse(text: &str, whence: impl Fn() -> String) -> Result<Option<Pin>, PinError> {
    let text = text.trim();
    // The PIN travels in a header, which holds visible ASCII.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PinError::NotAPin { whence: whence() });
    }
    Ok((text != "none").then(|| Pin::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Option<String>, PinError> {
        Ok(parse(text, || "meet.pin".to_owned())?.map(|pin| pin.expose().to_owned()))
    }

    #[test]
    fn a_line_break_at_the_end_is_not_part_of_the_pin() {
        assert_eq!(parsed("1234\n").expect("a PIN"), Some("1234".to_owned()));
    }

    #[test]
    fn none_means_no_pin() {
        assert_eq!(parsed("none\n").expect("no PIN"), None);
    }

    #[test]
    fn what_is_no_pin_is_refused_without_being_printed() {
        let error = parsed("12 34\n5678\n").expect_err("two lines");

        assert_eq!(
            error.to_string(),
            "meet.pin holds no PIN: write the PIN alone, on one line"
        );
        assert!(parsed("\n").is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = find(Some(Path::new("/nonexistent/meet.pin"))).expect_err("no such file");

        assert!(
            error
                .to_string()
                .starts_with("cannot read the PIN file /nonexistent/meet.pin:"),
            "{error}"
        );
    }
}
