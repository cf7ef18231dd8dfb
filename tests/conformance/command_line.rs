//! `standin api` as a script uses it: one process a request, a file for the token.

use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::caller::stop_of;
use crate::listening::Listening;
use crate::row::Stop;
use crate::scene::NO_PIN;

/// So many processes at once; each takes a moment to start.
static TURNS: Semaphore = Semaphore::const_new(4);

/// A participant by way of `standin api`.
pub(crate) struct Member {
    node: String,
    alias: String,
    directory: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Member {
    pub(crate) fn new(node: &str, alias: &str) -> Self {
        Self {
            node: node.to_owned(),
            alias: alias.to_owned(),
            directory: tempfile::tempdir().expect("a directory"),
        }
    }

    /// Asks for a token, and keeps it.
    pub(crate) async fn request_token(
        &self,
        name: &str,
        pin: Option<&str>,
        more: &[&str],
    ) -> Result<Value, Stop> {
        json_of(&self.asks_for_a_token(name, pin, more).await)
    }

    /// Asks for a token, whatever comes of it.
    pub(crate) async fn asks_for_a_token(
        &self,
        name: &str,
        pin: Option<&str>,
        more: &[&str],
    ) -> Ended {
        let mut arguments = vec!["request_token", "--name", name];
        let pin = match pin {
            Some(NO_PIN) => {
                arguments.push("--as-guest");
                None
            }
            pin => pin,
        };
        self.ended_with(&[&arguments, more].concat(), pin, &[])
            .await
    }

    /// Runs a request and returns the JSON it prints.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Value, Stop> {
        json_of(&self.ended(arguments).await)
    }

    /// The same, in another environment.
    pub(crate) async fn run_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Value, Stop> {
        json_of(&self.ended_with(arguments, None, variables).await)
    }

    /// Runs a request to its end, whatever that is.
    pub(crate) async fn ended(&self, arguments: &[&str]) -> Ended {
        self.ended_with(arguments, None, &[]).await
    }

    async fn ended_with(
        &self,
        arguments: &[&str],
        pin: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Ended {
        let _turn = TURNS.acquire().await.expect("never closed");
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        if let Some(pin) = pin {
            command.env("STANDIN_PIN", pin);
        }
        let output = command.output().await.expect("standin runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Runs `standin api events` for as long as the story goes on.
    pub(crate) fn listens(&self) -> Listening {
        let mut command = self.command(&["events"]);
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("standin runs");
        let output = process.stdout.take().expect("piped");
        Listening::Api {
            lines: BufReader::new(output).lines(),
            _process: Box::new(process),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
        command
            .arg("api")
            .args(arguments)
            .args(["--json", "--node", &self.node, "--conference", &self.alias])
            .arg("--token-file")
            .arg(self.directory.path().join("token"))
            .env_remove("STANDIN_PIN")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

fn json_of(ended: &Ended) -> Result<Value, Stop> {
    if ended.code != Some(0) {
        return Err(stop_of(ended));
    }
    if ended.out.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&ended.out)
        .map_err(|error| Stop::Asked(format!("printed no JSON ({error}): {:?}", ended.out)))
}
