//! Programs that are run when something happens.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::Happening;

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(60);

/// How much of what it says last is kept, in bytes.
const LAST_WORDS: usize = 4096;

/// Runs a command by the shell, with what happened on its standard input, and waits for its end.
///
/// # Errors
///
/// Fails if it cannot be run, takes longer than a minute or does not end with 0; with its last words.
pub(super) async fn run(command: &str, happening: &Happening) -> Result<(), String> {
    run_within(LIMIT, command, happening).await
}

async fn run_within(limit: Duration, command: &str, happening: &Happening) -> Result<(), String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("STANDIN_EVENT", happening.name())
        .env("STANDIN_PARTICIPANT", &happening.participant)
        // They are for us.
        .env_remove("NOTIFY_SOCKET")
        .env_remove("STANDIN_PIN")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let ended = tokio::time::timeout(limit, tell(&mut child, &happening.body)).await;
    ended.unwrap_or_else(|_| Err(format!("took longer than {limit:?} and was killed")))
}

/// Gives a program its input, and waits for its end.
async fn tell(child: &mut Child, body: &str) -> Result<(), String> {
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever does not read it does not want it.
        let _ = stdin.write_all(body.as_bytes()).await;
    }
    let words = match child.stderr.take() {
        Some(stderr) => last_words(stderr).await,
        None => Vec::new(),
    };
    let status = child
        .wait()
        .await
        .map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    Err(match last {
        Some(last) => format!("{status}: {last}"),
        None => status.to_string(),
    })
}

/// Reads to the end, and keeps the end alone: a program may talk without one.
async fn last_words(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut words, mut piece) = (Vec::new(), [0; LAST_WORDS]);
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        words.extend_from_slice(&piece[..length]);
        let too_much = words.len().saturating_sub(LAST_WORDS);
        words.drain(..too_much);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Occasion;

    async fn ran(command: &str) -> Result<(), String> {
        let happening = Happening::new(Occasion::Removed, "bea", "{\"at\":\"now\"}\n");
        run_within(Duration::from_secs(5), command, &happening).await
    }

    #[tokio::test]
    async fn it_is_told_what_happened_to_whom() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("told");
        let command = format!(
            "(echo $STANDIN_EVENT $STANDIN_PARTICIPANT; cat) > {}",
            path.display()
        );
        ran(&command).await.expect("ran");
        let told = std::fs::read_to_string(&path).expect("written");
        assert_eq!(told.lines().next(), Some("removed bea"));
        let body: serde_json::Value =
            serde_json::from_str(told.lines().nth(1).expect("a body")).expect("JSON");
        assert_eq!(body["type"], "removed");
        assert_eq!(body["data"]["at"], "now");
    }

    #[tokio::test]
    async fn its_trouble_is_told_with_its_last_words() {
        let failed = ran("echo first >&2; echo no such room >&2; exit 3").await;
        assert_eq!(failed, Err("exit status: 3: no such room".to_owned()));
        assert_eq!(ran("true").await, Ok(()), "who reads nothing is no trouble");
        let talkative = ran("yes 0123456789 | head -100000 >&2; echo last >&2; exit 1").await;
        assert_eq!(talkative, Err("exit status: 1: last".to_owned()));
        let endless = [b'x'; 3 * LAST_WORDS];
        assert_eq!(last_words(&endless[..]).await.len(), LAST_WORDS);
        let happening = Happening::new(Occasion::Removed, "bea", "{}");
        let slow = run_within(Duration::from_millis(50), "sleep 60", &happening).await;
        assert_eq!(slow, Err("took longer than 50ms and was killed".to_owned()));
    }
}
