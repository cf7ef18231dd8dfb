//! The thread of an input of bytes: opens it, cuts it into units, holds each until it is due.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use super::demux::{self, Bytes, Demux};
use super::hub::Hub;
use super::inlet::{Inlet, Stream};
use super::pace::{Due, Pace};
use super::retries::Retries;
use super::unit::Unit;

/// Between two attempts at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The same where others decide when something comes.
const READY_AGAIN: Duration = Duration::from_millis(500);

/// Pictures that are encoded here are given so much ahead: who encodes takes the one nearest to its
/// moment.
const AHEAD: Duration = Duration::from_millis(60);

pub(super) fn run(hub: &Arc<Hub>, inlet: &Inlet) {
    let mut retries = Retries::new(if inlet.waits() {
        READY_AGAIN
    } else {
        LONGEST_PAUSE
    });
    loop {
        let began = Instant::now();
        let (result, held) = match inlet.open(hub) {
            Ok(Some(stream)) => (play(hub, stream), began.elapsed()),
            Ok(None) => return,
            Err(error) => (Err(format!("cannot be opened: {error}")), Duration::ZERO),
        };
        hub.absent();
        if hub.is_stopped() {
            return;
        }
        let reason = match result {
            Ok(()) => "has ended".into(),
            // Who waits for others goes on waiting.
            Err(reason) if hub.failed(&reason) && !inlet.waits() => return,
            Err(reason) => reason,
        };
        if !inlet.returns() {
            warn!(
                source = hub.name,
                "{reason}: silence and slate from here on"
            );
            return;
        }
        if !retries.away(hub, &reason, held) {
            return;
        }
    }
}

/// Plays a stream to its end. Fails with the reason why it ended, if that is not its own end.
fn play(hub: &Arc<Hub>, stream: Stream) -> Result<(), String> {
    let Stream { bytes, process } = stream;
    let has_ended = Arc::new(AtomicBool::new(false));
    let bytes = Box::new(Watched {
        bytes,
        has_ended: Arc::clone(&has_ended),
    });
    let result = demux::open(bytes).and_then(|mut demux| {
        let form = demux.form();
        info!(source = hub.name, "{}", form.name);
        hub.found(form);
        if hub.wait_for_listener() {
            pump(hub, demux.as_mut())
        } else {
            Ok(())
        }
    });
    match (process, result) {
        // It cannot write on, and would say that alone.
        (Some(process), Err(reason)) if !has_ended.load(Ordering::Relaxed) => {
            drop(process);
            Err(reason)
        }
        // What a command says about its end explains more than what came of it.
        (Some(process), result) => process.end().and(result),
        (None, result) => result,
    }
}

/// Bytes of which is known whether all have been read.
struct Watched {
    bytes: Bytes,
    has_ended: Arc<AtomicBool>,
}

impl Read for Watched {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(to)?;
        if count == 0 && !to.is_empty() {
            self.has_ended.store(true, Ordering::Relaxed);
        }
        Ok(count)
    }
}

fn pump(hub: &Hub, demux: &mut dyn Demux) -> Result<(), String> {
    let mut pace = Pace::default();
    let mut has_warned = false;
    while let Some(item) = demux.next()? {
        let now = Instant::now();
        let moment = match pace.due(item.time, now) {
            Due::At(moment) => moment,
            Due::Jumped => {
                debug!(source = hub.name, time = ?item.time, "its time stamps jumped");
                now
            }
            Due::Late(late) => {
                if std::mem::replace(&mut has_warned, true) {
                    debug!(source = hub.name, ?late, "too slow");
                } else {
                    warn!(
                        source = hub.name,
                        ?late,
                        "it is slower than real time, so that there are gaps: give it less to do, or a \
                         faster machine"
                    );
                }
                now
            }
        };
        let ahead = match &item.unit {
            Unit::Picture(_) => AHEAD,
            Unit::Encoded { .. } if hub.draws() => AHEAD,
            Unit::Encoded { .. } | Unit::Opus(_) | Unit::Samples { .. } => Duration::ZERO,
        };
        let wait = moment.checked_sub(ahead).unwrap_or(moment);
        if !hub.sleep_until(wait) {
            return Ok(());
        }
        hub.push(item.unit, moment);
    }
    Ok(())
}
