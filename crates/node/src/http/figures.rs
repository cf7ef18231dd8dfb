//! The figures of a room's calls, measured no more often than they mean something.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::room::{CallCounters, Room};

/// Bit rates over less than this jump about, and several people may be looking.
const MEASURED_EVERY: Duration = Duration::from_millis(900);

/// Figures as they were measured last.
#[derive(Default)]
pub(super) struct Figures(Mutex<Option<(Instant, Arc<[CallCounters]>)>>);

impl Figures {
    /// Returns the figures of all calls, measured now or a moment ago.
    pub(super) async fn of(&self, room: &Room) -> Arc<[CallCounters]> {
        let mut measured = self.0.lock().await;
        if let Some((at, figures)) = &*measured
            && at.elapsed() < MEASURED_EVERY
        {
            return Arc::clone(figures);
        }
        let figures: Arc<[CallCounters]> = room.snapshot().await.into();
        *measured = Some((Instant::now(), Arc::clone(&figures)));
        figures
    }
}
