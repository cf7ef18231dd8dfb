//! Where a worker stands with its master.

use std::time::Instant;

use driver::StopReason;

/// Why everyone leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Stop,
    Quit,
    Lost,
    Ours(StopReason),
}

/// Where it stands; the table above [`super::Worker`] says what leads where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It looks for a master until then.
    Joining {
        until: Instant,
    },
    Ready,
    Running,
    Leaving(Why),
    Over,
}

/// What is known of the master since it was last heard; a connection that comes and goes does not
/// make it wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing happened.
    Heard,
    /// The connection was lost.
    Away,
    /// There is a connection again.
    Back,
}
