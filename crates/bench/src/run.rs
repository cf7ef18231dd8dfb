//! One run of one kind of caller: what it is told, and what is the same for all kinds.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    measure::{self, Cpu, Outcome, Watch},
    terminator::Terminator,
    workload::Streams,
};

/// How many callers begin to join in a second.
pub(crate) const JOINS_PER_SECOND: u32 = 100;

/// What a run is told.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) callers: usize,
    pub(crate) time: Duration,
    pub(crate) streams: Streams,
    /// Whether the far end sends as much as it gets.
    pub(crate) receives: bool,
}

/// Packets as this side counted them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Traffic {
    /// Notes them beside what the far end received and sent.
    pub(crate) fn tell(self, (arrived, answered): (u64, u64), outcome: &mut Outcome) {
        outcome.set("sent", self.sent as f64);
        outcome.set("received", self.received as f64);
        let lost = self.sent.saturating_sub(arrived) + answered.saturating_sub(self.received);
        outcome.set("lost", lost as f64);
        let all = (self.sent + answered).max(1);
        outcome.set("lost_percent", 100.0 * lost as f64 / all as f64);
    }
}

/// The far end, for callers on several threads.
#[derive(Clone)]
pub(crate) struct SharedFarEnd(Arc<Mutex<Terminator>>);

impl SharedFarEnd {
    pub(crate) fn start() -> std::io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Terminator::start()?))))
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Terminator> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers an offer, away from the threads of callers.
    pub(crate) async fn answer(&self, offer: String) -> Result<String, Failure> {
        let far_end = self.clone();
        let answer = tokio::task::spawn_blocking(move || far_end.lock().answer(&offer));
        Ok(answer.await??)
    }
}

/// What ends a run early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A caller that has joined, and how long that took.
pub(crate) struct Joined<C> {
    pub(crate) caller: C,
    pub(crate) took: Duration,
}

/// What one caller sent; its connection lasts as long as this.
pub(crate) struct Sent<C> {
    pub(crate) _caller: C,
    pub(crate) packets: u64,
    /// How late each frame was, in ms.
    pub(crate) late: Vec<f64>,
}

/// Lets callers join one after another, then send all at once, and measures.
///
/// `join` begins a join on a thread of the callers, `send` lets a caller send from `begin` to `end`
/// there; `received` counts what all callers received.
pub(crate) fn measure<C, J, S>(
    run: &Run,
    far_end: &SharedFarEnd,
    received: &AtomicU64,
    mut join: impl FnMut(usize) -> J,
    mut send: impl FnMut(usize, C, Instant, Instant) -> S,
) -> Result<Outcome, Failure>
where
    J: Future<Output = Result<Joined<C>, Failure>>,
    S: Future<Output = Result<Sent<C>, Failure>>,
{
    let main = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut outcome = Outcome::default();
    let (rss_before, cpu) = (measure::rss_kb(), Cpu::now()?);
    let begun = Instant::now();
    let mut joining = Vec::new();
    for at in 0..run.callers {
        let due = begun + Duration::from_secs(1) * at as u32 / JOINS_PER_SECOND;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        joining.push(join(at));
    }
    let (mut joins, mut callers) = (Vec::new(), Vec::new());
    for joining in joining {
        let Joined { caller, took } = main.block_on(joining)?;
        joins.push(took.as_secs_f64() * 1000.0);
        callers.push(caller);
    }
    let count = run.callers as f64;
    outcome.set("joins_per_second", count / begun.elapsed().as_secs_f64());
    let spent = Cpu::now()?.since(&cpu);
    outcome.set("join_cpu", spent.as_secs_f64() * 1000.0 / count);
    outcome.set_percentiles("join", &mut joins);

    let begin = Instant::now() + Duration::from_millis(300);
    let end = begin + run.time;
    let before = far_end.lock().counts()?;
    let sending: Vec<S> = callers
        .into_iter()
        .enumerate()
        .map(|(at, caller)| send(at, caller, begin, end))
        .collect();
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    if run.receives {
        far_end.lock().send_for(run.streams, run.time)?;
    }
    let watch = Watch::begin()?;
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    watch.end(run.callers, rss_before, &mut outcome)?;
    let (mut late, mut traffic, mut done) = (Vec::new(), Traffic::default(), Vec::new());
    for sending in sending {
        let mut sent = main.block_on(sending)?;
        traffic.sent += sent.packets;
        late.append(&mut sent.late);
        done.push(sent);
    }
    std::thread::sleep(Duration::from_millis(300));
    traffic.received = received.load(Ordering::Relaxed);
    outcome.set_percentiles("late", &mut late);
    let (arrived, answered) = far_end.lock().counts()?;
    traffic.tell((arrived - before.0, answered - before.1), &mut outcome);
    Ok(outcome)
}
