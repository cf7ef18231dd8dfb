//! WAV: any rate and number of channels, mixed down, resampled and encoded as Opus.

use std::io::Cursor;
use std::time::Duration;

use hound::{SampleFormat, WavReader};
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
use crate::track::Track;

/// Frames the resampler works on at a time.
const CHUNK: usize = 1024;

pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    let (samples, rate) = read_mono(file)?;
    if samples.is_empty() {
        return Err(file.broken(file.bytes.len() as u64, "there is no sound in it"));
    }
    encode(resample(file, samples, rate)?)
}

/// Returns the mean of all channels, within ±1, and the sample rate.
fn read_mono(file: &File<'_>) -> Result<(Vec<f32>, u32), MediaError> {
    let refused = |error: hound::Error| match error {
        hound::Error::Unsupported => {
            file.unsupported("is a WAV file of a rare kind", Some(Kind::Audio))
        }
        hound::Error::FormatError(problem) => file.broken(0, problem),
        other => file.broken(file.bytes.len() as u64, other.to_string()),
    };
    let mut reader = WavReader::new(Cursor::new(&file.bytes)).map_err(refused)?;
    let spec = reader.spec();
    if !(4_000..=384_000).contains(&spec.sample_rate) || spec.channels == 0 {
        let found = format!(
            "has {} channels of {} samples a second",
            spec.channels, spec.sample_rate
        );
        return Err(file.unsupported(&found, Some(Kind::Audio)));
    }
    // The header may promise more than there is.
    let promised = u64::from(reader.len()) * u64::from(spec.bits_per_sample.div_ceil(8));
    if promised > file.bytes.len() as u64 {
        let problem = format!("{promised} bytes of sound are announced and the file ends");
        return Err(file.broken(file.bytes.len() as u64, problem));
    }
    let samples: Result<Vec<f32>, _> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let full = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            reader
                .samples::<i32>()
                .map(|sample| sample.map(|s| s as f32 / full))
                .collect()
        }
    };
    let channels = usize::from(spec.channels);
    let mono = samples
        .map_err(refused)?
        .chunks_exact(channels)
        .map(|frame| frame.iter().sum::<f32>() / channels as f32)
        .map(|sample| {
            if sample.is_finite() {
                sample.clamp(-1.0, 1.0)
            } else {
                0.0
            }
        })
        .collect();
    Ok((mono, spec.sample_rate))
}

fn resample(file: &File<'_>, samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, MediaError> {
    if rate == SAMPLE_RATE {
        return Ok(samples);
    }
    let refused = |error: String| file.broken(0, format!("cannot be resampled: {error}"));
    let mut resampler = Fft::<f32>::new(
        rate as usize,
        SAMPLE_RATE as usize,
        CHUNK,
        1,
        FixedSync::Both,
    )
    .map_err(|error| refused(error.to_string()))?;
    let length = samples.len();
    let channels = [samples];
    let input = SequentialSliceOfVecs::new(&channels, 1, length)
        .map_err(|error| refused(error.to_string()))?;
    let output = resampler
        .process_all(&input, length, None)
        .map_err(|error| refused(error.to_string()))?;
    Ok(output.take_data())
}

fn encode(mut samples: Vec<f32>) -> Result<Track, MediaError> {
    let mut encoder = OpusEncoder::new(OpusSettings::default())?;
    // What the encoder holds back at the end is pushed out by silence, so that the last word is whole.
    samples.resize(samples.len() + encoder.lookahead(), 0.0);
    samples.resize(samples.len().next_multiple_of(SAMPLES_PER_PACKET), 0.0);
    let packet = Duration::from_millis(20);
    let mut frames = Vec::new();
    let mut media_time = Duration::ZERO;
    for chunk in samples.chunks_exact(SAMPLES_PER_PACKET) {
        let encoded = encoder.encode(chunk)?;
        frames.push(Frame::packetize(
            Codec::Opus,
            encoded,
            media_time,
            packet,
            true,
        )?);
        media_time += packet;
    }
    Track::new(frames)
}
