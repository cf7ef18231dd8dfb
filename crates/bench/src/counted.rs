//! The workload in lockstep instead of in real time, for tools that count: each frame is sent as
//! soon as the one before has left, and where callers receive, each is answered by the far end
//! with as many packets before the next is sent. So the counts of two runs are alike, whatever
//! else the machine does.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use media::{Frame, Kind};
use peer::{MediaSender, PeerConfig, Shard};

use crate::{
    measure::Outcome,
    ours::{self, Caller},
    run::{Failure, Joined, SharedFarEnd},
    workload::{Material, Schedule, Streams},
};

/// How long the far end may take to answer a frame.
const PATIENCE: Duration = Duration::from_secs(20);

/// Callers that take part.
struct Counted {
    _caller: Caller,
    senders: [Option<MediaSender>; 2],
    received: Arc<AtomicU64>,
    schedule: Schedule,
    sent: u64,
}

/// Where counting begins and ends: tools are told to watch for calls of this.
#[inline(never)]
pub(crate) fn mark_for_tools(number: u64) {
    black_box(number);
}

/// Sends `frames` frames of each of `callers` callers, with `waste` allocations more a packet than
/// it takes.
pub(crate) fn run(
    callers: usize,
    frames: u64,
    receives: bool,
    waste: usize,
) -> Result<Outcome, Failure> {
    let far_end = SharedFarEnd::start()?;
    // All on one thread, so that no two turns meet.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let shard = Shard::current();
        let material = Material::new();
        let mut all = Vec::new();
        for _ in 0..callers {
            let received = Arc::new(AtomicU64::new(0));
            let config = quiet(ours::config(Streams::Both, true));
            let joined = ours::join(&shard, &far_end, config, received.clone()).await?;
            all.push(Counted::new(joined, received));
        }
        if receives {
            far_end.lock().mirror()?;
        }
        let before = far_end.lock().counts()?;
        // The first packets open streams, tables and buffers.
        step(&mut all, &material, frames / 10 + 8, receives, 0).await?;
        let warm: u64 = all.iter().map(|caller| caller.sent).sum();
        mark_for_tools(0);
        step(&mut all, &material, frames, receives, waste).await?;
        mark_for_tools(1);
        let sent: u64 = all.iter().map(|caller| caller.sent).sum();
        let deadline = Instant::now() + PATIENCE;
        while far_end.lock().counts()?.0 - before.0 < sent {
            if Instant::now() > deadline {
                return Err("packets were lost: these counts are of no use".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut outcome = Outcome::default();
        outcome.set("packets", (sent - warm) as f64);
        Ok(outcome)
    })
}

/// Settings of callers that do nothing because of time passing, which is as long as tools make it.
fn quiet(config: PeerConfig) -> PeerConfig {
    const NEVER: Duration = Duration::from_secs(24 * 3600);
    PeerConfig {
        report_interval: NEVER,
        consent_interval: NEVER,
        disconnected_after: NEVER,
        failed_after: NEVER,
        ..config
    }
}

/// Lets every caller send its next frame, so many times.
async fn step(
    all: &mut [Counted],
    material: &Material,
    frames: u64,
    receives: bool,
    waste: usize,
) -> Result<(), Failure> {
    for _ in 0..frames {
        for caller in &mut *all {
            let (_, due) = caller.schedule.next();
            let (frame, timestamp) = material.frame(due);
            for _ in 0..waste * frame.payloads.len() {
                drop(black_box(Box::new(timestamp)));
            }
            caller.send(frame, timestamp)?;
        }
        // Drivers run in turn with this task: once to take the frame, and once more to end.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let deadline = Instant::now() + PATIENCE;
        while receives && all.iter().any(Counted::waits) {
            if Instant::now() > deadline {
                return Err("the far end does not answer".into());
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
    Ok(())
}

impl Counted {
    fn new(joined: Joined<Caller>, received: Arc<AtomicU64>) -> Self {
        let caller = joined.caller;
        Self {
            senders: [Kind::Audio, Kind::Video].map(|kind| caller.peer.sender(kind)),
            _caller: caller,
            received,
            schedule: Schedule::new(Instant::now(), Streams::Both),
            sent: 0,
        }
    }

    fn send(&mut self, frame: &Frame, timestamp: u32) -> Result<(), Failure> {
        let sender = self.senders[frame.codec.kind() as usize].as_ref();
        sender
            .ok_or("nothing to send with")?
            .send(frame, timestamp)?;
        self.sent += frame.payloads.len() as u64;
        Ok(())
    }

    fn waits(&self) -> bool {
        self.received.load(Ordering::Relaxed) < self.sent
    }
}
