//! How many callers stand where, for whoever watches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a caller stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not come yet, or is away for a while.
    Planned,
    /// It is on its way in.
    Joining,
    /// It sits in the waiting room.
    Waiting,
    /// It is in the conference with media flowing.
    In,
    /// It is in, and something is missing.
    Degraded,
    /// It hangs up.
    Leaving,
    /// It was there and left as planned.
    Left,
    /// The node had no room for it.
    Refused,
    /// It failed.
    Failed,
}

impl Standing {
    /// All of them, in the order of a caller's life.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Joining,
        Self::Waiting,
        Self::In,
        Self::Degraded,
        Self::Leaving,
        Self::Left,
        Self::Refused,
        Self::Failed,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Joining => "joining",
            Self::Waiting => "waiting",
            Self::In => "in",
            Self::Degraded => "degraded",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Counts callers by where they stand; shared by all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    standing: [AtomicU64; Standing::ALL.len()],
    socket_drops: AtomicU64,
}

impl Board {
    /// There is one more caller that has not come yet.
    pub(crate) fn adds(&self) {
        self.0.standing[Standing::Planned as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A caller that stood there stands here now.
    pub(crate) fn changes(&self, from: Standing, to: Standing) {
        self.0.standing[from as usize].fetch_sub(1, Ordering::Relaxed);
        self.0.standing[to as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many stand there.
    pub(crate) fn count(&self, standing: Standing) -> u64 {
        self.0.standing[standing as usize].load(Ordering::Relaxed)
    }

    /// The kernel threw datagrams away.
    pub(crate) fn dropped(&self, datagrams: u64) {
        self.0.socket_drops.fetch_add(datagrams, Ordering::Relaxed);
    }

    /// Returns how many datagrams the kernel threw away.
    pub(crate) fn socket_drops(&self) -> u64 {
        self.0.socket_drops.load(Ordering::Relaxed)
    }
}
