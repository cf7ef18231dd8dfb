//! Where a one-time token comes from: a file, since everyone on the machine can read a command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use infinity::Token;

/// Why there is no token though one was given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// The file cannot be read.
    #[error("cannot read the token file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file holds something else than a token.
    #[error("the token file {} holds no token: write the token alone, on one line", path.display())]
    NotAToken { path: PathBuf },
}

/// Returns the token that `path` holds.
pub(crate) fn read(path: &Path) -> Result<Token, TokenError> {
    let text = fs::read_to_string(path).map_err(|source| TokenError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::NotAToken {
            path: path.to_owned(),
        });
    }
    Ok(Token::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("meet.token");
        fs::write(&file, text).expect("written");
        read(&file)
            .map(|token| token.expose().to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_stands_alone_on_a_line() {
        assert_eq!(read_text("aBc-_=%3D\n"), Ok("aBc-_=%3D".to_owned()));
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_printed() {
        for text in ["", "\n", "s3cret and more", "s3cret\nsecond"] {
            let error = read_text(text).expect_err("no token");
            assert!(error.contains("meet.token holds no token"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let missing = read(Path::new("/nonexistent/meet.token")).expect_err("no such file");
        assert!(missing.to_string().contains("/nonexistent/meet.token"));
    }
}
