//! The life of a caller.

use peer::Shard;
use tokio::sync::mpsc;

use crate::{CallerSettings, EndReason, Notice, Outcome, StopReason};

/// Runs a caller to its end.
pub(crate) async fn supervise(
    _shard: Shard,
    _settings: CallerSettings,
    _notices: mpsc::Sender<Notice>,
    mut stops: mpsc::UnboundedReceiver<StopReason>,
) -> Outcome {
    let reason = stops.recv().await.unwrap_or(StopReason::Finished);
    Outcome::unstarted(EndReason::Stopped(reason))
}
