//! Programs that are run when something happens.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Happening;

/// How long a program may run.
const LIMIT: Duration = Duration::from_secs(60);

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
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever does not read it does not want it.
        let _ = stdin.write_all(happening.body.as_bytes()).await;
    }
    let Ok(output) = tokio::time::timeout(limit, child.wait_with_output()).await else {
        return Err(format!("took longer than {limit:?} and was killed"));
    };
    let output = output.map_err(|error| format!("cannot be waited for: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rfind(|line| !line.trim().is_empty());
    Err(match last {
        Some(last) => format!("{}: {last}", output.status),
        None => output.status.to_string(),
    })
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
        let happening = Happening::new(Occasion::Removed, "bea", "{}");
        let slow = run_within(Duration::from_millis(50), "sleep 60", &happening).await;
        assert_eq!(slow, Err("took longer than 50ms and was killed".to_owned()));
    }
}
