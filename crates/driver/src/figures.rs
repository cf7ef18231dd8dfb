//! What a caller measures for whoever watches many of them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Frame, Heard};
use peer::PeerStats;

use crate::ReceivedMedia;

/// What a caller has measured since it began, told again and again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Figures {
    /// What came in, over all joins.
    pub received: ReceivedMedia,
    /// What the present call has measured.
    pub call: PeerStats,
    /// How loud what came over the present call is, where [`crate::CallerSettings::levels`] asks for it;
    /// speech is not looked for.
    pub heard: Option<Heard>,
    /// Whether the picture that comes stands still.
    pub frozen: bool,
    /// Events that came over event streams.
    pub events: u64,
    /// The bytes of their names and of what they said.
    pub event_bytes: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// With success.
    Success,
    /// The node refused.
    Refused,
    /// The node did not answer in time.
    TimedOut,
    /// The node could not be reached.
    Unreachable,
}

/// Is told of every frame its callers send. Shared by many of them, so that it must not wait.
pub trait Gauge: fmt::Debug + Send + Sync {
    /// A frame was handed to the network `late` after it was due.
    fn sent(&self, late: Duration);

    /// A frame of a track was handed to the network, which was due at this moment.
    fn played(&self, _frame: &Arc<Frame>, _due: Instant) {}
}
