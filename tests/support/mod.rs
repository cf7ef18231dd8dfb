//! What stories are told with: the binary as processes, the node's API as another client sees it, and the judge.

pub(crate) mod coturn;
mod daemon;
mod judge;
pub(crate) mod locust;
pub(crate) mod network;
mod practice;
mod process;
pub(crate) mod proxy;
pub(crate) mod slurm;
mod sound_server;
mod stage;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) use daemon::Daemon;
pub(crate) use judge::{Judgement, clip_sound, judge, judge_repeated};
pub(crate) use practice::{Observer, PracticeNode, plain_http};
pub(crate) use process::{Ended, Process};
pub(crate) use sound_server::{PulseAudio, start};
pub(crate) use stage::{Recorded, Stage, announce};

/// The speech that is announced.
pub(crate) const SPEECH: &str = "speech.opus";
/// Other words by the same voice.
pub(crate) const OTHER_SPEECH: &str = "other-speech.opus";
/// The picture that is announced.
pub(crate) const PICTURE: &str = "bunny.ivf";

/// How long anything may take that should take a second or two, on a machine that is busy with other things.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// How long a whole clip may take, its joining and leaving included.
pub(crate) const A_CLIP: Duration = Duration::from_secs(60);

/// Returns the path of a file of tests/data.
pub(crate) fn material(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// Returns the commands of the README that contain `text`, to be run as people type them.
pub(crate) fn readme(text: &str) -> String {
    let readme = std::fs::read_to_string(material("../../README.md")).unwrap();
    readme
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .find(|block| block.contains(text))
        .unwrap_or_else(|| panic!("the README does not say {text:?}"))
        .to_owned()
}

/// How many stories with media may play at once on two cores: they are to measure the program, not the machine.
const AT_ONCE: u32 = 2;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE as usize);

/// Waits for a turn.
pub(crate) async fn turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.expect("never closed")
}

/// Waits until no other story plays: a browser keeps two cores busy by itself.
pub(crate) async fn the_stage_alone() -> SemaphorePermit<'static> {
    TURNS.acquire_many(AT_ONCE).await.expect("never closed")
}

/// Asks again and again until there is an answer; fails, naming `what`, when `limit` has passed.
pub(crate) async fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begin.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
