//! Compares what was recorded with what was sent.

use std::path::Path;

use media::measure::decode;
use media::measure::picture::{self, PictureSimilarity, Pictures};
use media::measure::sound::{self, SoundSimilarity};
use media::{SAMPLE_RATE, read_audio, read_video};

use super::material;

/// How like the clip a recording is.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) sound: SoundSimilarity,
    pub(crate) picture: PictureSimilarity,
}

impl Judgement {
    /// Judges PCM at 48 kHz and pictures that came from elsewhere than a recording.
    pub(crate) fn of(speech: &str, moving: &str, heard: &[f32], seen: &Pictures) -> Self {
        let judgement = Self {
            sound: sound::compare(&clip_sound(speech), heard, SAMPLE_RATE),
            picture: picture::compare(&clip_pictures(moving), seen),
        };
        // Shown only when the story fails, or with --nocapture: the figures are worth more than the verdict.
        println!("like {speech} and {moving}: {judgement:#?}");
        judgement
    }

    /// The one check that every story about media makes, and every fault must fail.
    pub(crate) fn is_heard_and_seen(&self) -> bool {
        self.sound.is_heard() && self.picture.is_seen()
    }
}

/// Judges a recording by the sound and the picture of tests/data that it should hold.
pub(crate) fn judge(recording: &Path, speech: &str, moving: &str) -> Judgement {
    let clip = clip_pictures(moving);
    // A recording without a track is a result too: nothing was heard, nothing was seen.
    let heard = read_audio(recording)
        .map(|track| decode::sound(&track).unwrap())
        .unwrap_or_default();
    let seen = read_video(recording)
        .map(|track| decode::pictures(&track, Some(clip.size())).unwrap())
        .unwrap_or_default();
    Judgement::of(speech, moving, &heard, &seen)
}

/// Judges by its best pass what was recorded of a sound that somebody plays over and over: whose fake device starves
/// for a moment spoils one pass, and whoever listened heard the others.
pub(crate) fn judge_repeated(recording: &Path, sound: &str) -> SoundSimilarity {
    let clip = clip_sound(sound);
    let heard = read_audio(recording)
        .map(|track| decode::sound(&track).unwrap())
        .unwrap_or_default();
    // Two lengths hold one whole pass, wherever they begin, and may hold most of another one, which is found in its
    // stead where it lacks no more than its first syllable: windows that begin elsewhere hold that one whole.
    let best = (0..heard.len().max(1))
        .step_by(clip.len() / 4)
        .map(|at| {
            let window = &heard[at..heard.len().min(at + 2 * clip.len())];
            sound::compare(&clip, window, SAMPLE_RATE)
        })
        .max_by(|one, other| {
            (one.is_heard(), one.overall)
                .partial_cmp(&(other.is_heard(), other.overall))
                .unwrap()
        })
        .unwrap();
    println!("like {sound}, at best: {best:#?}");
    best
}

/// Returns a sound of tests/data as it is meant to be heard.
pub(crate) fn clip_sound(name: &str) -> Vec<f32> {
    decode::sound(&read_audio(&material(name)).unwrap()).unwrap()
}

/// Returns a picture of tests/data as it is meant to be seen.
fn clip_pictures(name: &str) -> Pictures {
    decode::pictures(&read_video(&material(name)).unwrap(), None).unwrap()
}
