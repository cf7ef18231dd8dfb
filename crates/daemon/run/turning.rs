//! Signs of life: whether the threads that carry participants still get round to their tasks.

use std::time::Duration;

use peer::Shard;
use tokio::time::timeout;

/// How long a thread may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Returns whether the thread gets round to a task.
pub(super) async fn answers(shard: &Shard) -> bool {
    timeout(LIMIT, shard.spawn(async {})).await.is_ok()
}
