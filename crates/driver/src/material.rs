//! What is sent, opened once for any number of callers.

use media::{Clip, Codec};

/// A clip or live generators, opened once and shared by everyone who sends them.
#[derive(Debug)]
pub struct Material {
    clip: Clip,
}

impl Material {
    /// Returns the material that plays `clip`.
    pub fn from_clip(clip: Clip) -> Self {
        Self { clip }
    }

    /// Returns what is played from its beginning: all that is no generator.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// Returns the video codecs to offer for this material, best first.
    pub fn video_codecs(&self) -> Vec<Codec> {
        let mut codecs = vec![Codec::Vp8, Codec::Av1];
        if let Some(track) = &self.clip.video {
            codecs.sort_by_key(|codec| *codec != track.codec);
        }
        codecs
    }
}
