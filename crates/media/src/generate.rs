//! Tracks made here: silence, the slate, and generators of sound that repeat themselves.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::babble;
use crate::codec::Codec;
use crate::draw::slate_picture;
use crate::error::MediaError;
use crate::opus::{OpusSettings, SAMPLE_RATE};
use crate::sound::{encode_loop, generator};
use crate::source::{Origin, SourceSpec};
use crate::track::{Track, silent_frame};
use crate::video::{VideoEncoder, VideoSettings};

/// Returns silence: one packet, to be looped.
pub fn silence() -> Arc<Track> {
    static SILENCE: OnceLock<Arc<Track>> = OnceLock::new();
    let track = SILENCE.get_or_init(|| {
        let frame = Arc::new(silent_frame(Duration::ZERO));
        Arc::new(Track {
            codec: Codec::Opus,
            duration: frame.duration,
            longest_key_interval: frame.duration,
            pause: Duration::ZERO,
            frames: vec![frame],
        })
    });
    Arc::clone(track)
}

/// Returns a generator of sound that never ends, to be looped: of a tone a second, which is a whole
/// number of periods, so that no click is heard.
pub(crate) fn endless(spec: &SourceSpec, settings: OpusSettings) -> Result<Arc<Track>, MediaError> {
    let period = match spec.origin {
        Origin::Silence => return Ok(silence()),
        Origin::Babble => babble::ROUND as u64,
        _ => u64::from(SAMPLE_RATE),
    };
    let gain = spec.options.gain.unwrap_or_default();
    let factor = 10f64.powf(gain / 20.0) as f32;
    encode_loop(settings, factor, period, &generator(spec)).map(Arc::new)
}

/// Returns one second of a still picture that says `text`, to be looped: a key frame, then four
/// frames in which nothing changes.
///
/// # Errors
///
/// Fails for a codec that pictures cannot be encoded in.
pub fn slate(codec: Codec, text: &str) -> Result<Arc<Track>, MediaError> {
    let settings = VideoSettings {
        frame_rate: 5,
        bit_rate: 300_000,
        key_interval: 1000,
        ..VideoSettings::default()
    };
    let picture = slate_picture(text, settings.width, settings.height);
    let mut encoder = VideoEncoder::new(codec, settings)?;
    let mut encoded = Vec::new();
    for n in 0..settings.frame_rate {
        let time = settings.frame_duration() * n;
        encoded.extend(encoder.encode(&picture, time, n == 0)?);
    }
    encoded.extend(encoder.finish()?);
    let frames = encoded
        .into_iter()
        .map(|frame| frame.packetize(codec, settings.frame_duration()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Track::new(frames)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::VideoDecoder;
    use crate::opus::OpusDecoder;

    fn heard(track: &Track, rounds: usize) -> Vec<f32> {
        let mut decoder = OpusDecoder::new(1).unwrap();
        let mut samples = Vec::new();
        for _ in 0..rounds {
            for frame in &track.frames {
                samples.extend_from_slice(decoder.decode(&frame.payloads[0]).unwrap());
            }
        }
        samples
    }

    #[test]
    fn silence_is_silent() {
        let samples = heard(&silence(), 50);
        assert_eq!(samples.len(), 48_000);
        assert!(samples.iter().all(|s| s.abs() < 1e-4));
    }

    #[test]
    fn a_tone_loops_without_a_click() {
        let tone = "tone:440".parse().unwrap();
        let track = endless(&tone, OpusSettings::default()).unwrap();
        assert_eq!(track.duration, Duration::from_secs(1));
        let samples = heard(&track, 3);
        let settled = &samples[48_000..];
        // A second later it is the same again, the seam included.
        let change = settled[..48_000]
            .iter()
            .zip(&settled[48_000..])
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(change < 0.02, "{change}");
        let step = settled
            .windows(2)
            .map(|w| (w[0] - w[1]).abs())
            .fold(0.0, f32::max);
        assert!(step < 0.015, "{step}");
        let crossings = settled[..48_000]
            .windows(2)
            .filter(|w| w[0] < 0.0 && w[1] >= 0.0)
            .count();
        assert!((436..=444).contains(&crossings), "{crossings}");
    }

    #[test]
    fn babble_goes_on_for_ever_without_repeating_itself_soon() {
        let babble = "babble#gain=-6".parse().unwrap();
        let track = endless(&babble, OpusSettings::default()).unwrap();
        assert_eq!(track.duration, Duration::from_secs(30));
        assert_eq!(track.frames.len(), 1500);
        assert_eq!(track.frames[1].media_time, Duration::from_millis(20));
    }

    #[test]
    fn a_slate_has_a_key_frame_a_second() {
        for codec in Codec::VIDEO {
            let track = slate(codec, "Nobody is sending").unwrap();
            assert_eq!(track.frames.len(), 5);
            assert_eq!(track.duration, Duration::from_secs(1));
            let keys: Vec<bool> = track.frames.iter().map(|f| f.is_key).collect();
            assert_eq!(keys, [true, false, false, false, false], "{codec}");
            assert_eq!(track.longest_key_interval, Duration::from_secs(1));
        }
        assert!(slate(Codec::Opus, "").is_err());
    }

    #[test]
    fn a_slate_can_be_read() {
        let track = slate(Codec::Vp8, "Standin").unwrap();
        let mut decoder = VideoDecoder::new(Codec::Vp8).unwrap();
        let mut last = None;
        for frame in track.frames.iter().chain(&track.frames) {
            last = decoder.decode(&frame.encoded().unwrap()).unwrap();
        }
        let psnr = crate::video::tests::psnr(&slate_picture("Standin", 640, 360), &last.unwrap());
        assert!(psnr > 32.0, "{psnr}");
    }
}
