//! The tokens that let an operator in: to the practice node's page from other machines, and to the control
//! of a running service.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use node::{OperatorToken, WeakOperatorToken};

/// The name under which systemd hands over that of a control (`LoadCredential=control:DIRECTORY`, a
/// file `token` in it).
const CREDENTIAL: &str = "control_token";

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

/// Reads the token in `path`.
fn read(path: &Path) -> Result<OperatorToken, OperatorTokenError> {
    let text = fs::read_to_string(path).map_err(|source| OperatorTokenError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    OperatorToken::new(text.trim()).map_err(|why| OperatorTokenError::Weak {
        path: path.to_owned(),
        why,
    })
}

/// Returns the token in `path`. Where there is no such file, makes one that its owner alone can read.
pub(crate) fn find(path: &Path) -> Result<OperatorToken, OperatorTokenError> {
    match read(path) {
        Err(OperatorTokenError::Unreadable { source, .. })
            if source.kind() == io::ErrorKind::NotFound =>
        {
            let token = OperatorToken::random();
            write(path, &token).map_err(|source| OperatorTokenError::Unwritable {
                path: path.to_owned(),
                source,
            })?;
            Ok(token)
        }
        found => found,
    }
}

/// Returns the token of a service's control: that of `file`, else systemd's credential; `None` if there
/// is neither.
pub(crate) fn of_control(file: Option<&Path>) -> Result<Option<OperatorToken>, OperatorTokenError> {
    if let Some(path) = file {
        return read(path).map(Some);
    }
    let Some(directory) = env::var_os("CREDENTIALS_DIRECTORY") else {
        return Ok(None);
    };
    let path = Path::new(&directory).join(CREDENTIAL);
    path.exists().then(|| read(&path)).transpose()
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

    #[test]
    fn a_token_of_a_control_is_never_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("control.token");

        assert!(of_control(Some(&path)).is_err());
        let made = find(&path).expect("made");
        let found = of_control(Some(&path)).expect("found");

        assert!(found == Some(made));
    }
}
