//! One clock for all peers of a thread, in place of timers of each.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, time::MissedTickBehavior};

use crate::path::{MediaPath, TICK};

/// Peers tick in turns, a few at a time, so that their reports do not leave all at once.
const TURNS: u32 = 5;
const TURN: Duration = TICK.checked_div(TURNS).expect("five is not zero");

/// The clock of a thread; it runs while there is somebody to tick for.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Peers>);

#[derive(Debug, Default)]
struct Peers {
    paths: Vec<Weak<MediaPath>>,
    is_running: bool,
}

impl Clock {
    /// Ticks for a path from now on, on the thread of `handle`.
    pub(crate) fn add(self: &Arc<Self>, path: &Arc<MediaPath>, handle: &Handle) {
        let mut peers = self.peers();
        peers.paths.push(Arc::downgrade(path));
        if !std::mem::replace(&mut peers.is_running, true) {
            handle.spawn(Self::run(self.clone()));
        }
    }

    async fn run(clock: Arc<Self>) {
        let mut interval = tokio::time::interval(TURN);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut turn, mut due) = (0, Vec::new());
        loop {
            interval.tick().await;
            if !clock.take_due(turn, &mut due) {
                return;
            }
            let now = Instant::now();
            for path in due.drain(..) {
                path.tick(now);
            }
            turn = (turn + 1) % TURNS as usize;
        }
    }

    /// The paths of a turn; false when there are none of any, and the clock stops.
    fn take_due(&self, turn: usize, due: &mut Vec<Arc<MediaPath>>) -> bool {
        let mut peers = self.peers();
        if turn == 0 {
            let is_in_use = |path: Arc<MediaPath>| !path.is_closed();
            peers
                .paths
                .retain(|path| path.upgrade().is_some_and(is_in_use));
            peers.is_running = !peers.paths.is_empty();
        }
        let of_turn = peers.paths.iter().skip(turn).step_by(TURNS as usize);
        due.extend(of_turn.filter_map(Weak::upgrade));
        peers.is_running
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, Peers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
