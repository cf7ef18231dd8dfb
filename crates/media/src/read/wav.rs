//! WAV: any rate and number of channels, mixed down, resampled and encoded as Opus.
//!
//! It goes through piece by piece: as samples in memory, an hour of speech would take gigabytes.

use std::io::Cursor;
use std::time::Duration;

use bytes::Bytes;
use hound::{SampleFormat, WavReader};
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
use crate::track::Track;

/// Samples that are worked on at a time, about.
const CHUNK: usize = 1024;
const PACKET: Duration = Duration::from_millis(20);

type Reader<'a> = WavReader<Cursor<&'a Bytes>>;

pub(super) fn read(file: &File<'_>) -> Result<Track, MediaError> {
    let mut reader = open(file)?;
    let rate = reader.spec().sample_rate;
    let mut encoding = Encoding::new()?;
    let any = if rate == SAMPLE_RATE {
        mix_down(file, &mut reader, |samples| encoding.push(samples))?
    } else {
        let mut resampling = Resampling::new(file, rate)?;
        let any = mix_down(file, &mut reader, |samples| {
            resampling.push(samples, &mut encoding)
        })?;
        resampling.finish(&mut encoding)?;
        any
    };
    if !any {
        return Err(file.broken(file.bytes.len() as u64, "there is no sound in it"));
    }
    file.track(encoding.finish()?)
}

fn open<'a>(file: &'a File<'_>) -> Result<Reader<'a>, MediaError> {
    let reader = WavReader::new(Cursor::new(&file.bytes)).map_err(|error| refused(file, error))?;
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
    Ok(reader)
}

fn refused(file: &File<'_>, error: hound::Error) -> MediaError {
    match error {
        hound::Error::Unsupported => {
            file.unsupported("is a WAV file of a rare kind", Some(Kind::Audio))
        }
        hound::Error::FormatError(problem) => file.broken(0, problem),
        other => file.broken(file.bytes.len() as u64, other.to_string()),
    }
}

/// Hands on the mean of all channels, within ±1, in pieces; tells whether there was any.
fn mix_down(
    file: &File<'_>,
    reader: &mut Reader<'_>,
    mut to: impl FnMut(&[f32]) -> Result<(), MediaError>,
) -> Result<bool, MediaError> {
    let spec = reader.spec();
    let samples: &mut dyn Iterator<Item = hound::Result<f32>> = match spec.sample_format {
        SampleFormat::Float => &mut reader.samples::<f32>(),
        SampleFormat::Int => {
            let full = (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            &mut reader
                .samples::<i32>()
                .map(move |sample| sample.map(|s| s as f32 / full))
        }
    };
    let (mut any, mut channel, mut sum) = (false, 0, 0.0f32);
    let mut mono = Vec::with_capacity(CHUNK);
    for sample in samples {
        sum += sample.map_err(|error| refused(file, error))?;
        channel += 1;
        if channel < spec.channels {
            continue;
        }
        let mean = sum / f32::from(spec.channels);
        mono.push(if mean.is_finite() {
            mean.clamp(-1.0, 1.0)
        } else {
            0.0
        });
        (any, channel, sum) = (true, 0, 0.0);
        if mono.len() == CHUNK {
            to(&mono)?;
            mono.clear();
        }
    }
    to(&mono)?;
    Ok(any)
}

/// Makes 48 000 samples of a second of any number.
struct Resampling<'a> {
    file: &'a File<'a>,
    resampler: Fft<f32>,
    rate: u32,
    /// What is not resampled yet: less than the resampler takes at a time.
    waiting: Vec<f32>,
    /// Samples taken in and given out.
    taken: u64,
    given: u64,
    /// Samples still to come that the resampler makes before the first one.
    delay: usize,
}

impl<'a> Resampling<'a> {
    fn new(file: &'a File<'_>, rate: u32) -> Result<Self, MediaError> {
        let (from, to) = (rate as usize, SAMPLE_RATE as usize);
        let resampler = Fft::<f32>::new(from, to, CHUNK, 1, FixedSync::Both)
            .map_err(|error| not_resampled(file, &error))?;
        Ok(Self {
            file,
            delay: resampler.output_delay(),
            resampler,
            rate,
            waiting: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    fn push(&mut self, samples: &[f32], to: &mut Encoding) -> Result<(), MediaError> {
        self.taken += samples.len() as u64;
        for sample in samples {
            self.waiting.push(*sample);
            if self.waiting.len() == self.resampler.input_frames_next() {
                self.step(u64::MAX, to)?;
            }
        }
        Ok(())
    }

    /// Pushes out what is inside, with silence.
    fn finish(mut self, to: &mut Encoding) -> Result<(), MediaError> {
        let end = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        while self.given < end {
            let length = self.resampler.input_frames_next();
            self.waiting.resize(length, 0.0);
            self.step(end, to)?;
        }
        Ok(())
    }

    fn step(&mut self, end: u64, to: &mut Encoding) -> Result<(), MediaError> {
        let (file, length) = (self.file, self.waiting.len());
        let channels = [std::mem::take(&mut self.waiting)];
        let input = SequentialSliceOfVecs::new(&channels, 1, length)
            .map_err(|error| not_resampled(file, &error))?;
        let output = self.resampler.process(&input, None);
        let output = output.map_err(|error| not_resampled(file, &error))?;
        let output = output.take_data();
        let late = self.delay.min(output.len());
        self.delay -= late;
        let wanted = usize::try_from(end - self.given).unwrap_or(usize::MAX);
        let output = &output[late..output.len().min(late.saturating_add(wanted))];
        self.given += output.len() as u64;
        to.push(output)?;
        let [mut waiting] = channels;
        waiting.clear();
        self.waiting = waiting;
        Ok(())
    }
}

fn not_resampled(file: &File<'_>, error: &dyn std::fmt::Display) -> MediaError {
    file.broken(0, format!("cannot be resampled: {error}"))
}

/// Makes Opus packets of 48 000 samples a second.
struct Encoding {
    encoder: OpusEncoder,
    /// What is not encoded yet: less than a packet.
    waiting: Vec<f32>,
    frames: Vec<Frame>,
    media_time: Duration,
}

impl Encoding {
    fn new() -> Result<Self, MediaError> {
        Ok(Self {
            encoder: OpusEncoder::new(OpusSettings::default())?,
            waiting: Vec::with_capacity(SAMPLES_PER_PACKET),
            frames: Vec::new(),
            media_time: Duration::ZERO,
        })
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), MediaError> {
        for sample in samples {
            self.waiting.push(*sample);
            if self.waiting.len() == SAMPLES_PER_PACKET {
                self.encode()?;
            }
        }
        Ok(())
    }

    fn encode(&mut self) -> Result<(), MediaError> {
        let packet = self.encoder.encode(&self.waiting)?;
        self.waiting.clear();
        self.frames.push(Frame::packetize(
            Codec::Opus,
            packet,
            self.media_time,
            PACKET,
            true,
        )?);
        self.media_time += PACKET;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Frame>, MediaError> {
        // What the encoder holds back at the end is pushed out by silence, so that the last word is whole.
        self.push(&vec![0.0; self.encoder.lookahead()])?;
        if !self.waiting.is_empty() {
            self.waiting.resize(SAMPLES_PER_PACKET, 0.0);
            self.encode()?;
        }
        Ok(self.frames)
    }
}
