//! Whoever says and shows marks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use driver::{Gauge, Material};
use media::marks::{Marked, VOICES};
use media::{Clip, Frame, Kind};

use super::Utterances;
use crate::generator::Lateness;

/// What talkers or video senders of one place play, with marks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Voice {
    sound: Marked,
    picture: Option<Marked>,
    material: Arc<Material>,
}

/// Says whether callers of this place in their conference have marks: there are so many voices.
pub(crate) fn is_voice(place: usize) -> bool {
    place < VOICES
}

impl Voice {
    /// Makes the voice that has these marks.
    pub fn new(sound: Marked, picture: Option<Marked>) -> Self {
        let film = picture.as_ref().map(|marked| Arc::clone(&marked.track));
        let clip = Clip::new("marks", Some(Arc::clone(&sound.track)), film);
        Self {
            sound,
            picture,
            material: Arc::new(Material::from_clip(clip)),
        }
    }

    /// Returns what it plays.
    pub(crate) fn material(&self) -> &Arc<Material> {
        &self.material
    }
}

/// Takes note of every mark that one caller sends, and of how late its frames leave.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) lateness: Arc<Lateness>,
    pub(crate) voice: Voice,
    pub(crate) utterances: Arc<Utterances>,
}

impl Gauge for Mouth {
    fn sent(&self, late: Duration) {
        self.lateness.record(late);
    }

    fn played(&self, frame: &Arc<Frame>, due: Instant) {
        let kind = frame.codec.kind();
        let marked = match kind {
            Kind::Audio => Some(&self.voice.sound),
            Kind::Video => self.voice.picture.as_ref(),
        };
        if let Some(begun) = marked.and_then(|marked| marked.mark_of(frame)) {
            self.utterances.note(kind, begun.count, due + begun.after);
        }
    }
}
