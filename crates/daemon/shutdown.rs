//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once.

use std::io;
use std::time::{Duration, Instant};

use driver::StopReason;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// A signal that follows the first one so closely is the same one: `timeout`, for instance, sends it
/// to the process and then to its whole group.
const ECHO: Duration = Duration::from_millis(300);

/// Which signal asked us to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGINT, usually Ctrl-C.
    Interrupt,
    /// SIGTERM, usually from systemd, Docker or `kill`.
    Terminate,
}

/// The two signals, listened to from the moment this exists.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen; until then a signal ends the process as usual.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first signal; from then on a second one ends the process at once.
    pub(crate) async fn first(mut self) -> Stop {
        let stop = self.next().await;
        let first = Instant::now();
        info!(signal = ?stop, "stopping; a second signal stops at once");
        tokio::spawn(async move {
            let mut again = self.next().await;
            while first.elapsed() < ECHO {
                again = self.next().await;
            }
            warn!(signal = ?again, "stopped at once: a token may stay with the node until it expires");
            std::process::exit(128 + again.number());
        });
        stop
    }

    async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}

impl From<Stop> for StopReason {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupt => Self::Interrupted,
            Stop::Terminate => Self::Terminated,
        }
    }
}

impl Stop {
    /// The signal's number (signal(7)).
    fn number(self) -> i32 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }
}
