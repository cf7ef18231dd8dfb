//! What one call sends, opened for what its answer agreed on.

use std::sync::{Arc, Mutex, PoisonError};

use media::{Acceptance, Codec, Live, MediaError, OpusParameters, Track};

use crate::{Material, Warning};

/// What is played on one stream.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// A part of a clip: it begins and ends.
    Clip(Arc<Track>),
    /// Something without beginning or end, such as a tone: over and over.
    Endless(Arc<Track>),
    /// A generator that runs anyway.
    Live(Arc<Live>),
}

/// What one call sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// What flows as sound while nothing is played; `None`: no sound is sent.
    pub(crate) silence: Option<Arc<Track>>,
    /// What flows as picture while nothing is played; `None`: no picture is sent.
    pub(crate) slate: Option<Arc<Track>>,
    /// The sound of the program.
    pub(crate) audio: Option<Part>,
    /// The picture of the program.
    pub(crate) video: Option<Part>,
    /// What must be said about it.
    pub(crate) warnings: Vec<Warning>,
}

/// What the slate says.
const SLATE: &str = "Standin";

/// The slates of this process, in the order in which codecs were first wanted.
static SLATES: Mutex<Vec<(Codec, Arc<Track>)>> = Mutex::new(Vec::new());

/// Returns the slate in `codec`: encoded for the first caller who wants it, and shared by all.
/// Whoever comes meanwhile waits; encoding it again would take longer.
fn slate(codec: Codec) -> Result<Arc<Track>, MediaError> {
    let mut slates = SLATES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, slate)) = slates.iter().find(|(known, _)| *known == codec) {
        return Ok(Arc::clone(slate));
    }
    let slate = media::slate(codec, SLATE)?;
    slates.push((codec, Arc::clone(&slate)));
    Ok(slate)
}

/// Opens what is sent as sound, to a far end with parameters for it, and as video, to one that takes it so;
/// makes encoders, so not for a shard's thread.
pub(crate) fn open(
    material: Option<&Material>,
    audio: Option<OpusParameters>,
    video: Option<&Acceptance>,
) -> Sources {
    let mut sources = Sources::default();
    if let Some(parameters) = audio {
        sources.silence = Some(media::silence());
        let audio = material.map(|material| material.audio(&parameters));
        match audio.transpose() {
            Ok(audio) => sources.audio = audio.flatten(),
            Err(reason) => sources.warnings.push(Warning::NoAudio { reason }),
        }
    }
    let Some(accepted) = video else {
        return sources;
    };
    match slate(accepted.codec) {
        Ok(slate) => sources.slate = Some(slate),
        Err(error) => {
            let reason = error.to_string();
            sources.warnings.push(Warning::NoVideoForCodec { reason });
            return sources;
        }
    }
    let video = material.map(|material| material.video(accepted));
    match video.transpose() {
        Ok(video) => sources.video = video.flatten(),
        Err(reason) => sources.warnings.push(Warning::NoVideoForCodec { reason }),
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slate_is_encoded_once_for_each_codec() {
        let slate = |codec| {
            open(
                None,
                Some(OpusParameters::default()),
                Some(&Acceptance::of(codec)),
            )
            .slate
            .expect("one")
        };
        let first = slate(Codec::Vp8);
        assert!(Arc::ptr_eq(&first, &slate(Codec::Vp8)));
        let other = slate(Codec::Av1);
        assert_eq!((first.codec, other.codec), (Codec::Vp8, Codec::Av1));
    }
}
