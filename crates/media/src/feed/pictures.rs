//! The raw pictures of an input, the last few, for whoever encodes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::draw::slate_picture;
use crate::picture::{Picture, fit};

/// How many are kept; the oldest goes.
const KEPT: usize = 6;

/// A picture older than this is shown no longer: its input has stopped.
const STALE: Duration = Duration::from_secs(2);

/// The last pictures with their moments.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    last: Mutex<VecDeque<(Instant, Arc<Picture>)>>,
}

impl Pictures {
    pub(super) fn push(&self, at: Instant, picture: Picture) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back((at, Arc::new(picture)));
    }

    /// Forgets them all: there is nothing to be seen.
    pub(super) fn clear(&self) {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Returns the picture that belongs nearest to `moment`.
    fn at(&self, moment: Instant) -> Option<Arc<Picture>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let apart = |at: Instant| {
            at.saturating_duration_since(moment)
                .max(moment.saturating_duration_since(at))
        };
        last.iter()
            .filter(|(at, _)| apart(*at) < STALE)
            .min_by_key(|(at, _)| apart(*at))
            .map(|(_, picture)| Arc::clone(picture))
    }
}

/// Draws an input's pictures in one size, and the slate while there are none.
pub(super) struct Drawing {
    pub(super) pictures: Arc<Pictures>,
    pub(super) slate: String,
    pub(super) size: (usize, usize),
    /// The moment of media time zero of whoever encodes, as soon as that is known.
    pub(super) epoch: Arc<OnceLock<Instant>>,
    drawn_slate: Option<Picture>,
}

impl Drawing {
    pub(super) fn new(pictures: Arc<Pictures>, slate: String, size: (usize, usize)) -> Self {
        Self {
            pictures,
            slate,
            size,
            epoch: Arc::default(),
            drawn_slate: None,
        }
    }

    pub(super) fn draw(&mut self, media_time: Duration) -> Picture {
        let moment = self
            .epoch
            .get()
            .map_or_else(Instant::now, |epoch| *epoch + media_time);
        let (width, height) = self.size;
        match self.pictures.at(moment) {
            Some(picture) => fit(&picture, width, height),
            None => {
                let slate = || slate_picture(&self.slate, width, height);
                self.drawn_slate.get_or_insert_with(slate).clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_drawn_and_the_slate_without_any() {
        let pictures = Arc::new(Pictures::default());
        let mut drawing = Drawing::new(Arc::clone(&pictures), "No camera".into(), (64, 64));
        let start = Instant::now();
        drawing.epoch.set(start).unwrap();
        let ms = Duration::from_millis;
        let slate = drawing.draw(ms(0));
        for n in 0..10u64 {
            let luma = 100 + n as u8;
            pictures.push(
                start + ms(40 * n),
                Picture::filled(64, 64, [luma, 128, 128]),
            );
        }
        assert_eq!(drawing.draw(ms(330)).luma()[0], 108);
        assert_eq!(drawing.draw(ms(345)).luma()[0], 109);
        assert_eq!(drawing.draw(ms(2_000)).luma()[0], 109);
        // The oldest ones are gone.
        assert_eq!(drawing.draw(ms(0)).luma()[0], 104);
        assert_eq!(drawing.draw(ms(2_400)), slate);
        pictures.clear();
        assert_eq!(drawing.draw(ms(330)), slate);
    }
}
