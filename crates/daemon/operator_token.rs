//! The token that opens the practice node's operator's page from other machines.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use node::{OperatorToken, WeakOperatorToken};

/// Why there is no token though a file was named.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorTokenError {
    /// The file is there and cannot be read.
    #[error("cannot read the operator's token from {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file is not there and cannot be made.
    #[error("cannot write a new operator's token to {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    /// The file holds something else.
    #[error("{} holds no operator's token: {why}", path.display())]
    Weak {
        path: PathBuf,
        why: WeakOperatorToken,
    },
}

/// Returns the token in `path`. Where there is no such file, makes one that its owner alone can read.
pub(crate) fn find(path: &Path) -> Result<OperatorToken, OperatorTokenError> {
    match OpenOptions::new().read(true).open(path) {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text)
                .map_err(|source| OperatorTokenError::Unreadable {
                    path: path.to_owned(),
                    source,
                })?;
            OperatorToken::new(text.trim()).map_err(|why| OperatorTokenError::Weak {
                path: path.to_owned(),
                why,
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = OperatorToken::random();
            write(path, &token).map_err(|source| OperatorTokenError::Unwritable {
                path: path.to_owned(),
                source,
            })?;
            Ok(token)
        }
        Err(source) => Err(OperatorTokenError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

fn write(path: &Path, token: &OperatorToken) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", token.expose())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_made_once_for_its_owner_alone_and_found_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("operator.token");

        let made = find(&path).expect("made");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();

        assert_eq!(mode & 0o777, 0o600);
        assert!(find(&path).expect("found") == made);
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_printed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("operator.token");
        fs::write(&path, "hunter2\n").expect("written");

        let error = find(&path).expect_err("too short").to_string();

        assert!(error.contains("operator.token"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
