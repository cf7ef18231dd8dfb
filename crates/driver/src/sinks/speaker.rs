//! A loudspeaker that plays what is heard.

use std::io;
use std::time::{Duration, Instant};

use media::Speaker;
use tokio::sync::mpsc::Receiver;
use tracing::{debug, info, warn};

use super::program::{Fed, pass_by};
use super::{SinkNews, sound};
use crate::recording::Recordable;

/// Pauses before it is opened again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One that has played for so long begins with the first pause again.
const STEADY: Duration = Duration::from_secs(10);

/// Why a loudspeaker plays no more, and how long it has played.
struct Away {
    why: String,
    played: Duration,
}

/// Plays what comes on a loudspeaker, and again when one that was away is back, until nothing comes any more.
pub(super) fn run(device: Option<&str>, mut taken: Receiver<Recordable>, tell: &impl Fn(SinkNews)) {
    let mut pause = FIRST_PAUSE;
    let mut has_told = false;
    while let Err(Away { why, played }) = play(device, &mut taken, tell) {
        if played >= STEADY {
            pause = FIRST_PAUSE;
        }
        // What comes and goes is told each time, what stays away once.
        if played.is_zero() && has_told {
            debug!(device, ?pause, "the loudspeaker {why}");
        } else {
            warn!(
                device,
                "the loudspeaker {why}: it is tried until it is back"
            );
            tell(SinkNews::Ended(why));
            tell(SinkNews::Restarting(pause));
        }
        has_told = true;
        if !pass_by(&mut taken, pause) {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Plays what comes until nothing comes any more.
fn play(
    device: Option<&str>,
    taken: &mut Receiver<Recordable>,
    tell: &impl Fn(SinkNews),
) -> Result<(), Away> {
    let mut began: Option<Instant> = None;
    let mut why = None;
    let mut speaker = Speaker::open(device).map_err(|why| Away {
        why,
        played: Duration::ZERO,
    })?;
    let hear = |sound: &[i16], _| {
        speaker.play(sound).map_err(|reason| {
            why = Some(reason);
            io::Error::from(io::ErrorKind::BrokenPipe)
        })?;
        if began.is_none() && speaker.has_begun() {
            began = Some(Instant::now());
            info!(name = speaker.name(), "a loudspeaker plays what is heard");
            tell(SinkNews::Began);
        }
        Ok(())
    };
    match sound::play(taken, |_| {}, hear) {
        Fed::All => Ok(()),
        Fed::Broken => Err(Away {
            why: why.unwrap_or_else(|| "cannot be played on".to_owned()),
            played: began.map_or(Duration::ZERO, |began| began.elapsed()),
        }),
    }
}
