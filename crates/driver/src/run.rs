//! The life of a caller: watched over from outside, so that its token never outlives it unnoticed.

use std::time::Duration;

use peer::Shard;
use tokio::sync::mpsc;
use tracing::{Instrument as _, error, info_span};

use crate::{CallerSettings, EndReason, HttpClient, Notice, Outcome};

mod driving;
mod flow;
mod ladder;
mod lease;
mod leg;
mod story;
mod wakeup;

use lease::Lease;
pub(crate) use wakeup::{Order, PeerNews, Wakeup};

/// Runs a caller to its end and sees to it that no token is left behind.
///
/// The loop runs in a task of its own, so that this one lives on when a defect ends it.
pub(crate) async fn supervise(
    shard: Shard,
    settings: CallerSettings,
    notices: mpsc::Sender<Notice>,
    orders: mpsc::UnboundedReceiver<Order>,
) -> Outcome {
    let span = info_span!("caller", conference = %settings.conference);
    let client = settings.client.clone();
    let lease = Lease::default();
    let driving = driving::drive(shard.clone(), settings, notices, orders, lease.clone());
    watch_over(&shard, driving.instrument(span.clone()), &lease, &client)
        .instrument(span)
        .await
}

/// Runs `driving` to its end, which may be a panic, and releases a token it left behind.
async fn watch_over(
    shard: &Shard,
    driving: impl Future<Output = Outcome> + Send + 'static,
    lease: &Lease,
    client: &HttpClient,
) -> Outcome {
    let ended = shard.spawn(driving).await;
    let mut outcome = ended.unwrap_or_else(|defect| {
        error!(%defect, "the caller's loop ended by itself");
        Outcome::unstarted(EndReason::Defect(defect.to_string()))
    });
    outcome.token_released = lease.release(client).await;
    outcome
}

/// How long closing the connection and completing a recording may take on the way out.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
