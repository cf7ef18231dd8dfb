//! The user name and password for HTTP Basic: a file, since everyone on the machine can read a
//! command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use driver::Login;

/// Why there is no user name and password though a file was named.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The file cannot be read.
    #[error("cannot read the login file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file holds something else.
    #[error("the login file {} holds no login: write USER:PASSWORD alone, on one line", path.display())]
    NotALogin { path: PathBuf },
}

/// Returns what `path` holds.
pub(crate) fn read(path: &Path) -> Result<Login, LoginError> {
    let text = fs::read_to_string(path).map_err(|source| LoginError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text.split_once(':') {
        Some((user, password)) if !user.is_empty() && !text.contains(char::is_control) => {
            Ok(Login::new(user, password))
        }
        _ => Err(LoginError::NotALogin {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_a_user_and_a_password_on_one_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("proxy.login");
        fs::write(&file, "alice:s3cret: with colon\n").expect("written");
        let login = read(&file).expect("a login");
        assert!(!format!("{login:?}").contains("s3cret"), "{login:?}");

        for text in ["", "s3cret", ":s3cret", "alice:s3cret\nmore"] {
            fs::write(&file, text).expect("written");
            let error = read(&file).expect_err("no login").to_string();
            assert!(error.contains("holds no login"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
