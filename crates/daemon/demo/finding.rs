//! What became of the clip, in numbers.

use std::path::Path;

use announcer::{Receipt, Verdict};
use driver::{Material, Outcome};
use media::measure::decode;
use media::measure::picture::{self, COVERED, PictureSimilarity, SEEN};
use media::measure::sound::{self, HEARD, PRESENT, SoundSimilarity};
use media::{MediaError, SAMPLE_RATE};
use serde_json::{Value, json};

/// What both ends tell, and how alike what was sent and what was recorded are.
pub(super) struct Finding {
    pub(super) receipt: Receipt,
    pub(super) listener: Outcome,
    pub(super) sound: SoundSimilarity,
    pub(super) picture: PictureSimilarity,
}

impl Finding {
    /// Compares a recording with what was sent.
    pub(super) fn of(
        sent: &Material,
        recording: &Path,
        receipt: Receipt,
        listener: Outcome,
    ) -> Result<Self, MediaError> {
        let clip = sent.clip();
        let sent_sound = clip
            .audio
            .as_ref()
            .map(|track| decode::sound(track))
            .transpose()?
            .unwrap_or_default();
        let sent_pictures = clip
            .video
            .as_ref()
            .map(|track| decode::pictures(track, None))
            .transpose()?
            .unwrap_or_default();
        // A recording that lacks a track is a finding too: nothing was heard, nothing was seen.
        let heard = match media::read_audio(recording) {
            Ok(track) => decode::sound(&track)?,
            Err(_) => Vec::new(),
        };
        let seen = match media::read_video(recording) {
            Ok(track) => decode::pictures(&track, Some(sent_pictures.size()))?,
            Err(_) => picture::Pictures::default(),
        };
        Ok(Self {
            receipt,
            listener,
            sound: sound::compare(&sent_sound, &heard, SAMPLE_RATE),
            picture: picture::compare(&sent_pictures, &seen),
        })
    }

    /// Returns why the room did not hear or see it; `None` if it did.
    pub(super) fn failure(&self) -> Option<String> {
        let mut why = Vec::new();
        if let Verdict::NotHeard(reason) = &self.receipt.verdict {
            why.push(format!("the announcer was not heard: {reason}"));
        }
        let sound = &self.sound;
        if sound.overall < HEARD {
            why.push(format!(
                "not heard: what arrived is {:.2} like what was sent, {HEARD:.2} is wanted",
                sound.overall
            ));
        } else if sound.first_200_ms < PRESENT {
            why.push(format!(
                "not heard: the first 200 ms are {:.2} like what was sent",
                sound.first_200_ms
            ));
        } else if sound.last_word < PRESENT {
            why.push(format!(
                "not heard: the last word is {:.2} like what was sent",
                sound.last_word
            ));
        }
        let picture = &self.picture;
        if picture.median < SEEN {
            why.push(format!(
                "not seen: SSIM is {:.2}, {SEEN:.2} is wanted",
                picture.median
            ));
        } else if picture.covered < COVERED {
            why.push(format!(
                "not seen: only {:.0} % of the pictures came",
                picture.covered * 100.0
            ));
        }
        (!why.is_empty()).then(|| why.join("; "))
    }

    /// Returns everything for a program to read; times in seconds.
    pub(super) fn as_json(&self, directory: &Path) -> Value {
        let Self { sound, picture, .. } = self;
        json!({
            "heard": self.sound.is_heard() && self.receipt.is_heard(),
            "seen": picture.is_seen(),
            "sound": {
                "similarity": sound.overall,
                "first_200_ms": sound.first_200_ms,
                "last_word": sound.last_word,
                "heard": sound.heard.as_secs_f64(),
                "offset": sound.offset,
            },
            "picture": {
                "ssim_median": picture.median,
                "ssim_worst": picture.worst,
                "covered": picture.covered,
                "compared": picture.compared,
                "offset": picture.offset,
            },
            "announcer": self.receipt,
            "listener": self.listener,
            "directory": directory,
        })
    }
}
