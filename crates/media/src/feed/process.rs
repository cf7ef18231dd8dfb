//! A command whose standard output is media.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::debug;

/// Runs the command in a process group that does not outlive us, whatever happens to us.
///
/// Its standard input is a pipe of which we hold the other end. When that is closed, by us or by our
/// death, the guard kills the whole group. The command itself reads nothing.
const GUARDED: &str = "exec 3<&0 0</dev/null\n\
    { read -r end <&3; kill -KILL 0; } >/dev/null 2>&1 &\n\
    exec 3<&-\n\
    exec sh -c \"$1\"";

/// How long a line of a log may be.
const LONGEST_LINE: usize = 500;

/// How long is waited for the end of a command that has closed its output.
const GRACE: Duration = Duration::from_secs(2);

/// A running command; it is killed, and everything that it started, when this is dropped.
pub(super) struct Process {
    child: Child,
    /// Held open as long as it may run.
    lifeline: Arc<Mutex<Option<ChildStdin>>>,
    last_words: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `command`; returns it and what it writes.
    pub(super) fn start(command: &str) -> io::Result<(Self, ChildStdout)> {
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "standin", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let piped = || io::Error::other("no pipe to it");
        let output = child.stdout.take().ok_or_else(piped)?;
        let errors = child.stderr.take().ok_or_else(piped)?;
        let lifeline = child.stdin.take().ok_or_else(piped)?;
        let last_words = Arc::<Mutex<String>>::default();
        let told = Arc::clone(&last_words);
        let pid = child.id();
        thread::Builder::new()
            .name("exec log".into())
            .spawn(move || pass_on(pid, errors, &told))?;
        let process = Self {
            child,
            lifeline: Arc::new(Mutex::new(Some(lifeline))),
            last_words,
        };
        Ok((process, output))
    }

    /// Returns what kills it from another thread.
    pub(super) fn killer(&self) -> impl FnOnce() + Send + 'static {
        let lifeline = Arc::clone(&self.lifeline);
        move || {
            drop(
                lifeline
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(),
            )
        }
    }

    /// Waits for the end of a command that writes no more; says how it ended, if that was no success.
    pub(super) fn end(mut self) -> Result<(), String> {
        let deadline = Instant::now() + GRACE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                Ok(None) => return Err("closed its output and did not end: it was killed".into()),
                Err(error) => return Err(error.to_string()),
            }
        };
        if status.success() {
            return Ok(());
        }
        let words = self
            .last_words
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Err(match words.as_str() {
            "" => how(status),
            words => format!("{}: {words}", how(status)),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard kills the group, whose first process is the command: there is something to reap.
        self.killer()();
        if let Err(error) = self.child.wait() {
            debug!(%error, "a command is not ours any more");
        }
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}

/// Passes on what a command says on standard error, a line at a time, and keeps the last one.
fn pass_on(pid: u32, errors: impl io::Read, last: &Mutex<String>) {
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without end is cut into pieces.
        let mut piece = io::Read::take(&mut errors, LONGEST_LINE as u64);
        match piece.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            debug!(pid, "{text}");
            *last.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn is_there(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            // A zombie has ended, and waits for whoever adopted it.
            .is_ok_and(|stat| {
                stat.rsplit(") ")
                    .next()
                    .is_some_and(|rest| !rest.starts_with('Z'))
            })
    }

    fn gone(pid: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if !is_there(pid) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[test]
    fn output_is_read_and_the_end_is_told() {
        let (process, mut output) = Process::start("printf 'a b'; cat").unwrap();
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a b");
        assert_eq!(process.end(), Ok(()));

        let (process, mut output) = Process::start("echo no such camera >&2; exit 3").unwrap();
        output.read_to_string(&mut text).unwrap();
        let error = process.end().unwrap_err();
        assert!(error.starts_with("ended with status 3"), "{error}");
    }

    #[test]
    fn nothing_of_it_is_left() {
        let command = "sleep 1000 & echo $!; sleep 1000 | cat";
        let (process, output) = Process::start(command).unwrap();
        let mut pid = String::new();
        BufReader::new(output).read_line(&mut pid).unwrap();
        let pid = pid.trim();
        assert!(is_there(pid));
        let first = process.child.id().to_string();
        drop(process);
        assert!(gone(pid) && gone(&first));
    }

    #[test]
    fn what_it_started_goes_with_it_when_it_ends_by_itself() {
        let (process, output) = Process::start("sleep 1000 >/dev/null 2>&1 & echo $!").unwrap();
        let mut text = String::new();
        BufReader::new(output).read_to_string(&mut text).unwrap();
        assert_eq!(process.end(), Ok(()));
        assert!(gone(text.trim()));
    }
}
