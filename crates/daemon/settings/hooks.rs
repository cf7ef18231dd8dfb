//! What is done when something happens to a participant, as written and as checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config_file::ConfigFile;
use crate::exit::Failure;

/// What a secret begins with that is written in Base64 (Standard Webhooks, "Signature scheme").
const PREFIX: &str = "whsec_";

/// A secret is at least so long, in bytes (Standard Webhooks: 24 to 64).
const SHORTEST_SECRET: usize = 24;

/// What may happen to a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Occasion {
    /// It is in the conference, and was not.
    Joined,
    /// It is in the conference, and something does not flow.
    Degraded,
    /// All flows again.
    Recovered,
    /// It waits for a host.
    WaitingRoom,
    /// The conference wants another PIN.
    PinWanted,
    /// It was in the conference, lost it and joins again.
    Lost,
    /// A host, or the end of the conference, has sent it away.
    Removed,
    /// It is out, and does not try to be in.
    Stopped,
    /// The first sample of what it plays was sent.
    ClipStarted,
    /// The last one was.
    ClipFinished,
    /// Somebody wrote a chat message.
    Message,
    /// Another participant began to speak, as the node sees it.
    SpeechStarted,
    /// Another participant ceased to speak.
    SpeechStopped,
}

/// A hook as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HookWritten {
    on: Vec<Occasion>,
    participants: Vec<String>,
    run: Option<String>,
    post: Option<String>,
    secret_file: Option<PathBuf>,
}

/// What is done on which occasions.
#[derive(Clone, Debug)]
pub(crate) struct HookSettings {
    /// What the operator calls it.
    pub(crate) name: String,
    pub(crate) on: BTreeSet<Occasion>,
    /// Whose occasions; everybody's where it is empty.
    pub(crate) participants: BTreeSet<String>,
    pub(crate) action: Action,
}

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// A command is run by the shell.
    Run(String),
    /// What happened is posted.
    Post(Box<Posting>),
}

/// Where to post, signed if there is a secret.
#[derive(Clone, Debug)]
pub(crate) struct Posting {
    pub(crate) address: Address,
    pub(crate) secret: Option<hmac::Key>,
}

/// Where to post. Some who take webhooks want a secret in the address: it is never shown.
#[derive(Clone)]
pub(crate) struct Address(Url);

impl Address {
    pub(crate) fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.host_str().unwrap_or_default())
    }
}

/// Checks all hooks.
pub(super) fn check(
    written: &BTreeMap<String, HookWritten>,
    file: &ConfigFile,
) -> Result<Vec<HookSettings>, Failure> {
    let all = written.iter();
    all.map(|(name, hook)| hook.check(name, file)).collect()
}

impl HookWritten {
    fn check(&self, name: &str, file: &ConfigFile) -> Result<HookSettings, Failure> {
        let wrong = |key: &str, what: &dyn fmt::Display| {
            let key = match key {
                "" => format!("hook.{name}"),
                key => format!("hook.{name}.{key}"),
            };
            Failure::usage(file.complain(&key, what))
        };
        if self.on.is_empty() {
            return Err(wrong("", &"says nothing of when: on = [\"removed\"]"));
        }
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let action = match (given(&self.run), given(&self.post)) {
            (Some(command), None) => {
                if self.secret_file.is_some() {
                    let what = "is for `post`: a program is trusted as it is";
                    return Err(wrong("secret_file", &what));
                }
                Action::Run(command)
            }
            (None, Some(address)) => {
                let address = Url::parse(&address)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                    .ok_or_else(|| wrong("post", &"is no http:// or https:// address"))?;
                let secret = self
                    .secret(file)
                    .map_err(|what| wrong("secret_file", &what))?;
                Action::Post(Box::new(Posting {
                    address: Address(address),
                    secret,
                }))
            }
            _ => return Err(wrong("", &"wants either `run` or `post`")),
        };
        Ok(HookSettings {
            name: name.to_owned(),
            on: self.on.iter().copied().collect(),
            participants: self.participants.iter().cloned().collect(),
            action,
        })
    }

    fn secret(&self, file: &ConfigFile) -> Result<Option<hmac::Key>, String> {
        let Some(path) = &self.secret_file else {
            return Ok(None);
        };
        let path = file.resolve(path);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let text = text.trim();
        let secret = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|_| format!("what follows {PREFIX} in {} is no Base64", path.display()))?,
            None => text.as_bytes().to_vec(),
        };
        if secret.len() < SHORTEST_SECRET {
            return Err(format!(
                "the secret in {} is too short: {SHORTEST_SECRET} bytes at least",
                path.display()
            ));
        }
        Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Hooks {
        hook: BTreeMap<String, HookWritten>,
    }

    fn checked(text: &str) -> Result<HookSettings, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("standin.toml");
        std::fs::write(directory.path().join("weak"), "hunter2\n").expect("written");
        let strong = format!("{PREFIX}{}\n", STANDARD.encode([7; 24]));
        std::fs::write(directory.path().join("strong"), strong).expect("written");
        let file = ConfigFile::of(path.to_str().expect("text"), &format!("[hook.h]\n{text}"));
        let home = format!("{}/", directory.path().display());
        let hooks: Hooks = file
            .decode()
            .map_err(|error| error.to_string().replace(&home, ""))?;
        let mut hooks =
            check(&hooks.hook, &file).map_err(|error| error.to_string().replace(&home, ""))?;
        Ok(hooks.remove(0))
    }

    #[test]
    fn a_hook_runs_or_posts_and_shows_no_secret() {
        let run = checked("on = ['removed', 'clip_finished']\nrun = 'logger'").expect("good");
        assert_eq!(
            run.on,
            BTreeSet::from([Occasion::Removed, Occasion::ClipFinished])
        );
        assert!(matches!(run.action, Action::Run(command) if command == "logger"));

        let post = "on = ['lost']\npost = 'https://example.com/T0/hunter2'\nsecret_file = 'strong'";
        let post = checked(post).expect("good");
        let shown = format!("{post:?}");
        assert!(shown.contains("example.com"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(matches!(post.action, Action::Post(posting) if posting.secret.is_some()));
    }

    #[test]
    fn the_sample_has_hooks_of_both_kinds_with_every_key() {
        let sample = std::fs::read_to_string("config/standin.toml").expect("readable");
        let lines = sample.lines().filter_map(|line| line.strip_prefix("#   "));
        let text = lines.collect::<Vec<_>>().join("\n");
        let file = ConfigFile::of("config/standin.toml", &text);
        let hooks: Hooks = file.decode().expect("good");
        let written = serde_json::to_value(hooks.hook).expect("JSON");
        for key in ["on", "participants", "run", "post", "secret_file"] {
            let is_empty = |value: &serde_json::Value| {
                value.is_null() || value.as_array().is_some_and(Vec::is_empty)
            };
            let hooks = written.as_object().expect("tables");
            assert!(hooks.values().any(|hook| !is_empty(&hook[key])), "{key}");
        }
        assert_eq!(
            written["lights"].as_object().map(serde_json::Map::len),
            Some(5)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, complaint) in [
            (
                "run = 'logger'",
                "standin.toml:1: `hook.h`: says nothing of when",
            ),
            (
                "on = ['lost']",
                "standin.toml:1: `hook.h`: wants either `run` or `post`",
            ),
            (
                "on = ['lost']\nrun = 'a'\npost = 'http://b'",
                "wants either",
            ),
            (
                "on = ['lots']\nrun = 'a'",
                "standin.toml:2: `hook.h.on`: unknown variant `lots`",
            ),
            (
                "on = ['lost']\npost = 'ftp://b'",
                "standin.toml:3: `hook.h.post`: is no http",
            ),
            (
                "on = ['lost']\nrun = 'a'\nsecret_file = 'strong'",
                "is for `post`",
            ),
            (
                "on = ['lost']\npost = 'http://b'\nsecret_file = 'none'",
                "cannot read none",
            ),
            (
                "on = ['lost']\npost = 'http://b'\nsecret_file = 'weak'",
                "too short",
            ),
        ] {
            let error = checked(text).expect_err(text);
            assert!(error.contains(complaint), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
