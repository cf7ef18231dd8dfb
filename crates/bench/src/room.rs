//! What a participant costs the practice node, by how many of them talk.

use std::time::{Duration, Instant};

use crate::{
    engine::{Call, Crowd, Part, PracticeNode, material},
    measure::Outcome,
    run::Failure,
};

/// One conference of `count` participants, all of whom hear and see; `talkers` of them send a tone
/// and a picture, the others silence and a slate.
pub(crate) fn run(
    count: usize,
    talkers: usize,
    video: bool,
    time: Duration,
) -> Result<Outcome, Failure> {
    let node = PracticeNode::start()?;
    let mut crowd = Crowd::new()?;
    let begun = Instant::now();
    for at in 0..count {
        let due = begun + Duration::from_millis(20) * at as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let part = Part {
            conference: 0,
            call: if video { Call::Video } else { Call::Sound },
            material: match at < talkers {
                true => Some(material(200 + 50 * at as u32, video)?),
                false => None,
            },
            video_codec: media::Codec::Vp8,
            figures: None,
        };
        crowd.add(&node, &part, false)?;
    }
    let (joined, failures) = crowd.join();
    // Until pictures are switched and all voices are mixed.
    std::thread::sleep(Duration::from_secs(1));
    let (began, before) = (Instant::now(), node.cpu()?);
    std::thread::sleep(time);
    let busy = node.cpu()?.saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
    crowd.leave(joined);
    let mut outcome = Outcome::default();
    outcome.set("core", busy);
    outcome.set("participants_per_core", count as f64 / busy);
    outcome.set("failures", failures as f64);
    Ok(outcome)
}
