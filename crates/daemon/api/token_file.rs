//! A token kept in a file, for the verbs that follow.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use driver::api::Membership;
use infinity::{ConferenceAlias, ParticipantUuid, Token};
use serde::{Deserialize, Serialize};
use tracing::warn;
use url::Url;

use crate::private_file;

/// Where a token is kept.
#[derive(Clone, Debug)]
pub(super) struct TokenFile(PathBuf);

/// A token that is kept in a file, and what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The token.
    pub(super) membership: Membership,
    /// Where it is kept.
    pub(super) file: TokenFile,
}

/// Why a token file is of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenFileError {
    /// It cannot be read.
    #[error("cannot read the token file {}: {source}; get a token with `standin api request_token --token-file {}`", path.display(), path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// It is not ours.
    #[error("{} is no token file: get a token with `standin api request_token --token-file FILE`", path.display())]
    NotATokenFile { path: PathBuf },
    /// It cannot be written.
    #[error("cannot write the token file {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    /// It holds a token that lives.
    #[error("the token file {} holds a token that is still good: release it with `standin api release_token`, or name another file", path.display())]
    InUse { path: PathBuf },
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    node: String,
    conference: ConferenceAlias,
    participant_uuid: ParticipantUuid,
    token: Token,
    /// Seconds of Unix time.
    expires_at: u64,
}

impl TokenFile {
    /// The file at `path`.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Returns its path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the token.
    pub(super) fn read(&self) -> Result<Kept, TokenFileError> {
        let text = fs::read_to_string(&self.0).map_err(|source| TokenFileError::Unreadable {
            path: self.0.clone(),
            source,
        })?;
        // Not serde's own words: they quote what was read.
        let not_ours = || TokenFileError::NotATokenFile {
            path: self.0.clone(),
        };
        let written: Written = serde_json::from_str(&text).map_err(|_| not_ours())?;
        let node: Url = written.node.parse().map_err(|_| not_ours())?;
        if fs::metadata(&self.0).is_ok_and(|it| it.permissions().mode() & 0o077 != 0) {
            warn!(file = %self.0.display(), "others can read the token file: chmod 600");
        }
        Ok(Kept {
            membership: Membership {
                node,
                conference: written.conference,
                participant: written.participant_uuid,
                token: written.token,
                expires_at: UNIX_EPOCH + Duration::from_secs(written.expires_at),
            },
            file: self.clone(),
        })
    }

    /// Makes sure, before there is a token, that one can be kept here.
    pub(super) fn prepare(&self) -> Result<(), TokenFileError> {
        if self
            .read()
            .is_ok_and(|kept| kept.membership.expires_at > SystemTime::now())
        {
            return Err(TokenFileError::InUse {
                path: self.0.clone(),
            });
        }
        private_file::probe(&self.0).map_err(|source| self.unwritable(source))
    }

    /// Writes the token, readable by its owner alone, in one step.
    pub(super) fn write(&self, membership: &Membership) -> Result<(), TokenFileError> {
        let expires_at = membership
            .expires_at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let written = Written {
            node: membership.node.to_string(),
            conference: membership.conference.clone(),
            participant_uuid: membership.participant.clone(),
            token: membership.token.clone(),
            expires_at: expires_at.as_secs(),
        };
        let store = || {
            let mut text = serde_json::to_vec(&written)?;
            text.push(b'\n');
            private_file::write(&self.0, &text)
        };
        store().map_err(|source| self.unwritable(source))
    }

    /// Removes the file; one that is gone is no failure.
    pub(super) fn remove(&self) -> Result<(), TokenFileError> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.unwritable(error)),
            _ => Ok(()),
        }
    }

    fn unwritable(&self, source: io::Error) -> TokenFileError {
        TokenFileError::Unwritable {
            path: self.0.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn membership(life: u64) -> Membership {
        Membership {
            node: "https://node.example.com".parse().expect("a URL"),
            conference: "meet".parse().expect("an alias"),
            participant: "p".into(),
            token: Token::new("t0p-secret"),
            expires_at: SystemTime::now() + Duration::from_secs(life),
        }
    }

    fn written(file: &TokenFile, life: u64) {
        file.write(&membership(life)).expect("written");
    }

    #[test]
    fn a_token_is_kept_for_its_owner_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = TokenFile::at(&directory.path().join("meet.token"));
        file.prepare().expect("writable");
        written(&file, 60);

        let kept = file.read().expect("a token");
        assert_eq!(kept.membership.token, Token::new("t0p-secret"));
        assert_eq!(kept.membership.node.as_str(), "https://node.example.com/");
        assert!(!format!("{kept:?}").contains("t0p-secret"));
        let mode = fs::metadata(file.path())
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        file.remove().expect("removed");
        file.remove().expect("gone already");
        assert!(file.read().is_err());
    }

    #[test]
    fn a_token_that_lives_is_not_written_over() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = TokenFile::at(&directory.path().join("meet.token"));
        written(&file, 60);
        assert!(matches!(file.prepare(), Err(TokenFileError::InUse { .. })));
        written(&file, 0);
        assert!(file.prepare().is_ok());
    }

    #[test]
    fn what_is_no_token_file_is_not_printed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("meet.token");
        fs::write(&path, "{\"token\": \"s3cret\"}").expect("written");
        let error = TokenFile::at(&path).read().expect_err("no token file");
        assert!(error.to_string().contains("is no token file"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
