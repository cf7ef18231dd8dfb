//! What several participants play, opened and encoded once for all of them.

use std::cell::RefCell;
use std::sync::Arc;

use driver::Material;
use media::{Absence, MediaError, OpusWishes, SourceSpec};

use crate::sources;

/// What has been opened while one configuration is checked. The next one opens its files anew, since
/// they may have changed.
#[derive(Debug)]
pub(crate) struct Materials {
    /// What is done about live inputs that are not there.
    absence: Absence,
    opened: RefCell<Vec<(Key, Arc<Material>)>>,
}

#[derive(Debug, PartialEq)]
struct Key {
    audio: Option<SourceSpec>,
    video: Option<SourceSpec>,
    wishes: OpusWishes,
}

impl Materials {
    /// Nothing is open yet.
    pub(crate) fn new(absence: Absence) -> Self {
        Self {
            absence,
            opened: RefCell::default(),
        }
    }

    /// Opens what is to be heard and seen, unless somebody plays the same; see [`sources::open_with`].
    pub(crate) fn open(
        &self,
        audio: Option<&SourceSpec>,
        video: Option<&SourceSpec>,
        wishes: OpusWishes,
    ) -> Result<Option<Arc<Material>>, MediaError> {
        let key = Key {
            audio: audio.cloned(),
            video: video.cloned(),
            wishes,
        };
        let mut opened = self.opened.borrow_mut();
        if let Some((_, material)) = opened.iter().find(|(known, _)| *known == key) {
            return Ok(Some(Arc::clone(material)));
        }
        let material = sources::open_with(audio, video, wishes, self.absence)?;
        opened.extend(material.clone().map(|material| (key, material)));
        Ok(material)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_plays_the_same_in_the_same_way_plays_one_material() {
        let materials = Materials::new(Absence::Ignored);
        let open = |text: &str, wishes| {
            let spec = text.parse().expect("good");
            let opened = materials.open(Some(&spec), None, wishes);
            opened.expect("playable").expect("something")
        };
        let wishes = OpusWishes::default();
        let mono = OpusWishes {
            stereo: false,
            ..wishes
        };

        let tone = open("tone", wishes);
        assert!(Arc::ptr_eq(&tone, &open("tone", wishes)));
        assert!(!Arc::ptr_eq(&tone, &open("tone:1000", wishes)));
        assert!(!Arc::ptr_eq(&tone, &open("tone", mono)));
    }
}
