//! One run of the binary: what it prints, how it is stopped, how it ends.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::wait_for;

/// A running `standin`; killed when the story is over.
pub(crate) struct Process {
    what: String,
    child: Child,
    out: Arc<Mutex<Vec<String>>>,
    err: Arc<Mutex<Vec<String>>>,
    readers: [JoinHandle<()>; 2],
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// All lines of standard output.
    pub(crate) out: Vec<String>,
    /// All of standard error.
    pub(crate) err: String,
}

impl Process {
    /// Starts `standin` with these arguments.
    pub(crate) fn start<S: AsRef<str>>(arguments: &[S]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Starts `standin` with these arguments under another program, such as `nice`.
    pub(crate) fn start_under(program: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .arg(env!("CARGO_BIN_EXE_standin"));
        Self::spawn(command, arguments, &[])
    }

    /// Starts `standin` with these arguments and environment variables.
    pub(crate) fn start_with<S: AsRef<str>>(arguments: &[S], variables: &[(&str, &str)]) -> Self {
        Self::spawn(
            Command::new(env!("CARGO_BIN_EXE_standin")),
            arguments,
            variables,
        )
    }

    /// Starts `standin` with these arguments in a network namespace.
    pub(crate) fn start_in<S: AsRef<str>>(namespace: &str, arguments: &[S]) -> Self {
        let mut command = Command::new("ip");
        // It becomes what it starts, so that signals arrive.
        command.args(["netns", "exec", namespace, env!("CARGO_BIN_EXE_standin")]);
        Self::spawn(command, arguments, &[])
    }

    fn spawn<S: AsRef<str>>(
        mut command: Command,
        arguments: &[S],
        variables: &[(&str, &str)],
    ) -> Self {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let mut child = command
            .args(&arguments)
            .env_remove("STANDIN_PIN")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (out, err) = (Arc::default(), Arc::default());
        let readers = [
            read(child.stdout.take().unwrap(), &out),
            read(child.stderr.take().unwrap(), &err),
        ];
        Self {
            what: format!("standin {}", arguments.join(" ")),
            child,
            out,
            err,
            readers,
        }
    }

    /// Waits until a line of standard output is JSON that `wanted` answers, and returns the answer.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let mut gone = false;
        let found = wait_for(&format!("{}: {what}", self.what), limit, async || {
            let found = self
                .out
                .lock()
                .unwrap()
                .iter()
                .find_map(|line| wanted(&serde_json::from_str(line).ok()?));
            match found {
                Some(found) => Some(Some(found)),
                // Its last lines may still be on their way when it is gone: one more look.
                None if gone => Some(None),
                None => {
                    gone = self.child.try_wait().unwrap().is_some()
                        && self.readers.iter().all(JoinHandle::is_finished);
                    None
                }
            }
        })
        .await;
        found.unwrap_or_else(|| {
            panic!(
                "{} ended before: {what}\n{}\n{}",
                self.what,
                self.lines().join("\n"),
                self.err.lock().unwrap().join("\n")
            )
        })
    }

    /// Waits for a notice with this name, such as `clip_started`.
    pub(crate) async fn until_notice(&mut self, notice: &str, limit: Duration) -> Value {
        self.until(notice, limit, |line| {
            (line["notice"] == notice).then(|| line.clone())
        })
        .await
    }

    /// Waits until it is in this state, such as `in_conference`.
    pub(crate) async fn until_state(&mut self, state: &str) {
        self.until(state, super::SOON, |line| {
            (line["state"] == state).then_some(())
        })
        .await;
    }

    /// Waits until it hears and sees something of the conference.
    pub(crate) async fn until_media(&mut self) {
        for step in ["first_audio", "first_video"] {
            self.until(step, super::SOON, |line| {
                (line["step"] == step).then_some(())
            })
            .await;
        }
    }

    /// Returns what it has said on standard error so far.
    pub(crate) fn log(&self) -> String {
        self.err.lock().unwrap().join("\n")
    }

    /// Returns the lines printed so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.out.lock().unwrap().clone()
    }

    /// Returns its number, while it runs.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) async fn signal(&self, signal: &str) {
        let Some(id) = self.child.id() else { return };
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(id.to_string())
            .status()
            .await
            .unwrap();
        assert!(sent.success(), "kill -{signal} {id}");
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self, limit: Duration) -> Ended {
        let Ok(status) = tokio::time::timeout(limit, self.child.wait()).await else {
            panic!(
                "{} does not end within {limit:?}\n{}\n{}",
                self.what,
                self.lines().join("\n"),
                self.err.lock().unwrap().join("\n")
            );
        };
        for reader in &mut self.readers {
            reader.await.unwrap();
        }
        Ended {
            code: status.unwrap().code(),
            out: self.lines(),
            err: self.err.lock().unwrap().join("\n"),
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn terminated(self) -> Ended {
        self.signal("TERM").await;
        self.ended(super::SOON).await
    }
}

impl Ended {
    /// Checks the exit code, and that standard error says `text` in a line of its own.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, text: &str) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(
            self.err.contains(text),
            "standard error does not say {text:?}: {self:#?}"
        );
    }

    /// Checks that the reason was given in one line on standard error, no log and no backtrace around it.
    #[track_caller]
    pub(crate) fn expect_one_line(&self, code: i32, text: &str) {
        self.expect(code, text);
        let reasons = self
            .err
            .lines()
            .filter(|line| line.starts_with("standin: "))
            .count();
        assert_eq!(reasons, 1, "one line for a person: {self:#?}");
    }

    /// Returns the last line of standard output that is JSON.
    #[track_caller]
    pub(crate) fn last_json(&self) -> Value {
        self.out
            .iter()
            .rev()
            .find_map(|line| serde_json::from_str(line).ok())
            .unwrap_or_else(|| panic!("no JSON was printed: {self:#?}"))
    }
}

fn read(
    from: impl AsyncRead + Unpin + Send + 'static,
    into: &Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    let into = Arc::clone(into);
    let mut lines = BufReader::new(from).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            into.lock().unwrap().push(line);
        }
    })
}
