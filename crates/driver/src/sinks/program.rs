//! A program that takes what comes on its standard input.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use media::{Codec, Recorder};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::mpsc::{Receiver, error::TryRecvError};
use tracing::{info, warn};

use super::{Form, SinkNews, sound};
use crate::recording::{Feed, Recordable};

/// Pauses before a program is started again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A program that ran for so long has worked.
const WORKED: Duration = Duration::from_secs(60);

/// How often one looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How passing on what comes has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    /// Nothing comes any more.
    All,
    /// It takes no more.
    Broken,
}

/// The program that runs, to end it from elsewhere.
#[derive(Debug, Default)]
pub(super) struct Process(Mutex<Option<Pid>>);

impl Process {
    /// Asks the program and all that it has started to end.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends them.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Gone already, then.
            let _ = kill_process_group(group, signal);
        }
    }

    fn set(&self, group: Option<Pid>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = group;
    }
}

/// Runs a program, and again where that is asked for.
pub(super) struct Work {
    pub(super) command: String,
    pub(super) form: Form,
    pub(super) restart: bool,
    /// Of sound, and of pictures.
    pub(super) codecs: [Option<Codec>; 2],
    pub(super) start: Instant,
    pub(super) process: Arc<Process>,
    pub(super) wants_key: Arc<AtomicBool>,
}

impl Work {
    /// Passes on what comes until nothing comes any more.
    pub(super) fn run(self, mut taken: Receiver<Recordable>, tell: &impl Fn(SinkNews)) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let why = match self.run_once(&mut taken, tell) {
                Ok(()) => return,
                Err(why) => why,
            };
            warn!("{}: {why}", self.command);
            tell(SinkNews::Ended(why));
            if !self.restart {
                // What comes is taken all the same, so that it is not said to be too slow.
                while taken.blocking_recv().is_some() {}
                return;
            }
            if began.elapsed() >= WORKED {
                pause = FIRST_PAUSE;
            }
            tell(SinkNews::Restarting(pause));
            if !pass_by(&mut taken, pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs it once; says why it did not take everything.
    fn run_once(
        &self,
        taken: &mut Receiver<Recordable>,
        tell: &impl Fn(SinkNews),
    ) -> Result<(), String> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", &self.command])
            .stdin(Stdio::piped())
            // It is ours, and so is what it starts: it ends with us.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("the program cannot be started: {error}"))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.process.set(group);
        info!(command = self.command, "a program takes what comes");
        tell(SinkNews::Began);
        let stdin = child.stdin.take();
        let fed = stdin.map_or(Ok(Fed::Broken), |stdin| self.feed(stdin, taken));
        let ended = self.reap(&mut child);
        self.process.set(None);
        match fed {
            Ok(Fed::All) => Ok(()),
            Ok(Fed::Broken) => Err(format!("the program takes no more: {ended}")),
            Err(why) => Err(why),
        }
    }

    fn feed(&self, stdin: ChildStdin, taken: &mut Receiver<Recordable>) -> Result<Fed, String> {
        let container = match self.form {
            Form::Wav => return Ok(sound::write(stdin, taken, true)),
            Form::Pcm => return Ok(sound::write(stdin, taken, false)),
            Form::Encoded(container) => container,
        };
        let [audio, video] = self.codecs;
        let recorder = Recorder::to_stream(Box::new(stdin), container, audio, video)?;
        let mut feed = Feed::new(recorder, self.start);
        while let Some(recordable) = taken.blocking_recv() {
            feed.take(recordable);
            self.wants_key
                .store(feed.wants_key_frame(), Ordering::Relaxed);
            if feed.is_over() {
                return Ok(Fed::Broken);
            }
        }
        match feed.finish() {
            (_, Ok(())) => Ok(Fed::All),
            (_, Err(_)) => Ok(Fed::Broken),
        }
    }

    /// Waits until it has ended, and ends it where it does not; says how.
    fn reap(&self, child: &mut Child) -> String {
        for end in [Process::terminate, Process::kill] {
            let until = Instant::now() + super::PATIENCE;
            while Instant::now() < until {
                match child.try_wait() {
                    Ok(None) => std::thread::sleep(LOOK),
                    Ok(Some(status)) => {
                        // What it has started and left behind.
                        self.process.terminate();
                        return status.to_string();
                    }
                    Err(error) => return error.to_string(),
                }
            }
            end(&self.process);
        }
        child
            .wait()
            .map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

/// Lets what comes pass for a while; says whether more will come.
pub(super) fn pass_by(taken: &mut Receiver<Recordable>, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        match taken.try_recv() {
            Ok(_) => {}
            Err(TryRecvError::Empty) => std::thread::sleep(LOOK),
            Err(TryRecvError::Disconnected) => return false,
        }
    }
    true
}
