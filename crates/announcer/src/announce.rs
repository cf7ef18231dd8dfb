//! Makes one announcement.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::{
    Caller, CallerSettings, JoinStep, JoinTimes, Material, NoticeKind, Program, Rejoin, Shard,
    State, StopReason,
};
use media::{Kind, Repeat, Track};
use thiserror::Error;
use tracing::info;

use crate::hearing::{Hearing, Limits, Step};
use crate::tally::Tally;
use crate::{NotHeard, PictureReceipt, Receipt, Verdict};

/// Why an announcement cannot even be begun.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnnounceError {
    /// A generator never ends, so it cannot be announced.
    #[error("there is nothing to announce: give a source that ends, such as a file or `say:TEXT`")]
    NoClip,
}

/// Joins, plays `material` once from its first sample, and leaves when it was heard, or cannot be.
///
/// `told` gets every notice of the caller, for logs. `stopping` ends the announcement early.
///
/// # Errors
/// When `material` has no clip. Whatever happens afterwards is in the receipt.
pub async fn announce(
    shard: &Shard,
    mut settings: CallerSettings,
    material: Arc<Material>,
    limits: Limits,
    mut told: impl FnMut(&driver::Notice),
    stopping: impl Future<Output = StopReason>,
) -> Result<Receipt, AnnounceError> {
    let clip = material.clip().clone();
    let (judged_by, track) = match (&clip.audio, &clip.video) {
        (Some(sound), _) => (Kind::Audio, sound),
        (None, Some(picture)) => (Kind::Video, picture),
        (None, None) => return Err(AnnounceError::NoClip),
    };
    // Played once, unless its sources say how often.
    let length = material.length(Repeat::Once).unwrap_or(clip.duration);
    settings.video_codecs = material.video_codecs();
    settings.program = Program::Once(material);
    settings.hold = true;
    settings.rejoin = Rejoin::Never;
    // Patience in the waiting room is decided here.
    settings.waiting_room_limit = None;
    let conference = settings.conference.to_string();

    let began = Instant::now();
    let mut hearing = Hearing::new(limits, judged_by, began);
    let mut steps = JoinTimes::default();
    let mut joined_after = None;
    let mut stopped = None;
    let mut stopping = pin!(stopping);
    let mut caller = driver::start(shard, settings);
    let outcome = loop {
        let due = hearing.next_due();
        let step = tokio::select! {
            notice = caller.notice() => {
                let Some(notice) = notice else { break caller.join().await };
                told(&notice);
                match &notice.kind {
                    NoticeKind::Step(step, after) => {
                        steps.note(*step, *after);
                    }
                    NoticeKind::State(State::InConference) => {
                        joined_after.get_or_insert(notice.at.saturating_duration_since(began));
                    }
                    _ => {}
                }
                hearing.notice(&notice)
            }
            () = until(due) => hearing.timeout(Instant::now()),
            reason = &mut stopping, if stopped.is_none() => {
                if hearing.verdict().is_none() {
                    stopped = Some(reason);
                }
                caller.stop(reason);
                None
            }
        };
        act(&caller, step);
    };
    hearing.ended(&outcome.reason);

    // `ended` has seen to it that there is one.
    let verdict = hearing
        .verdict()
        .cloned()
        .unwrap_or(Verdict::NotHeard(NotHeard::NeverIn));
    let (judged, picture) = (*hearing.judged(), *hearing.tally(Kind::Video));
    let beside = clip
        .video
        .as_ref()
        .filter(|_| judged_by == Kind::Audio && picture.sent() > 0);
    let receipt = Receipt {
        conference,
        clip: clip.name,
        verdict,
        joined_after,
        ice_after: steps.get(JoinStep::Ice),
        steps,
        length,
        received: received(track, &judged, length),
        packets_sent: judged.sent(),
        packets_lost: judged.lost(),
        picture: beside.map(|track| PictureReceipt {
            length,
            received: received(track, &picture, length),
            packets_sent: picture.sent(),
            packets_lost: picture.lost(),
        }),
        started_unreported: hearing.started_unreported(),
        unseen: hearing
            .unseen()
            .filter(|_| clip.video.is_some())
            .map(ToOwned::to_owned),
        audience: hearing.audience().to_vec(),
        token_released: outcome.token_released,
        stopped,
    };
    info!(heard = receipt.is_heard(), "announcement over");
    Ok(receipt)
}

fn act(caller: &Caller, step: Option<Step>) {
    match step {
        Some(Step::Play) => caller.play(),
        Some(Step::Leave) => caller.stop(StopReason::Finished),
        None => {}
    }
}

/// Returns how much of a track arrived: what share of its packets, once all were sent; before that, as
/// much as so many packets of it are.
fn received(track: &Track, tally: &Tally, length: Duration) -> Duration {
    let received = tally.received() as f64;
    let arrived = match tally.sent() {
        0 => track.packet_time().unwrap_or_default().mul_f64(received),
        sent => length.mul_f64(received / sent as f64),
    };
    arrived.min(length)
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
