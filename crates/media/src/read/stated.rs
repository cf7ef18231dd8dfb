//! What a container says of its first sound.

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;

use super::decoded::{first_sound, open};
use super::{File, is_opus};
use crate::error::MediaError;

/// What a container says of its first sound.
pub(crate) struct Stated {
    /// Its codec's name.
    pub(crate) codec: String,
    /// Samples a second.
    pub(crate) sample_rate: Option<u32>,
    /// Channels.
    pub(crate) channels: Option<usize>,
}

impl Stated {
    pub(crate) fn read(file: &File<'_>) -> Result<Self, MediaError> {
        let is_opus = is_opus(file)?;
        let format = open(file)?;
        let (_, parameters) = first_sound(file, format.as_ref())?;
        // Ogg may hold Opus beside something else, and it is the Opus that is played.
        let codec = if is_opus || parameters.codec == CODEC_ID_OPUS {
            "Opus".into()
        } else {
            let known = symphonia::default::get_codecs().get_audio_decoder(parameters.codec);
            match known.map(|known| known.codec.info.short_name) {
                None => "an unknown codec".into(),
                // Layouts of samples, not codecs.
                Some(pcm) if pcm.starts_with("pcm") => "PCM".into(),
                Some("vorbis") => "Vorbis".into(),
                Some(other) => other.to_uppercase(),
            }
        };
        Ok(Self {
            codec,
            sample_rate: parameters.sample_rate,
            channels: parameters
                .channels
                .as_ref()
                .map(|channels| channels.count()),
        })
    }
}
