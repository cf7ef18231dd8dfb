//! When marks were sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use media::Kind;
use media::marks::{COUNTS, FRAME_RATE};

/// The latest marks of one caller.
///
/// Bounded: a round of sound, and eight seconds of pictures. What is older is forgotten, since its
/// count comes again.
#[derive(Debug, Default)]
pub(crate) struct Utterances([Mutex<VecDeque<(u32, Instant)>>; 2]);

impl Utterances {
    /// A mark was sent, or rather was due: a frame that left late was spoken in time.
    pub(crate) fn note(&self, kind: Kind, count: u32, at: Instant) {
        let (mut kept, most) = match kind {
            Kind::Audio => (self.kept(kind), COUNTS as usize),
            Kind::Video => (self.kept(kind), 8 * FRAME_RATE as usize),
        };
        if kept.len() >= most {
            kept.pop_front();
        }
        kept.push_back((count, at));
    }

    /// Returns when the mark of this count that came in at `heard` was sent.
    pub(crate) fn moment(&self, kind: Kind, count: u32, heard: Instant) -> Option<Instant> {
        let kept = self.kept(kind);
        let said = kept
            .iter()
            .rev()
            .find(|(said, at)| *said == count && *at <= heard);
        said.map(|(_, at)| *at)
    }

    fn kept(&self, kind: Kind) -> MutexGuard<'_, VecDeque<(u32, Instant)>> {
        let kept = match kind {
            Kind::Audio => &self.0[0],
            Kind::Video => &self.0[1],
        };
        // A list of moments stays one whatever happened to whoever added to it last.
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all voices of this process said, by conference and place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoken(Arc<Mutex<Pages>>);

type Pages = BTreeMap<(usize, usize), Arc<Utterances>>;

impl Spoken {
    /// Returns the page of a caller of ours that speaks, an empty one the first time.
    pub(crate) fn page(&self, conference: usize, place: usize) -> Arc<Utterances> {
        Arc::clone(self.lock().entry((conference, place)).or_default())
    }

    /// Returns the page of a caller of ours, if one of this place has spoken.
    pub(crate) fn of(&self, conference: usize, place: usize) -> Option<Arc<Utterances>> {
        self.lock().get(&(conference, place)).map(Arc::clone)
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        // Pages stay pages whatever happened to whoever added one last.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_latest_mark_of_a_count_before_it_was_heard_is_the_one() {
        let (said, start) = (Utterances::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for second in 0..20 {
            said.note(Kind::Audio, second as u32 % COUNTS, at(second));
        }
        let moment = |count, heard| said.moment(Kind::Audio, count, heard);
        assert_eq!(moment(3, at(20)), Some(at(19)));
        assert_eq!(moment(4, at(20)), Some(at(12)));
        assert_eq!(moment(3, at(18)), None, "its time before is forgotten");
        assert_eq!(moment(9, at(20)), None);
        assert_eq!(said.moment(Kind::Video, 3, at(20)), None);
    }
}
