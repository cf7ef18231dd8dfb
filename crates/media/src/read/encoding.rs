//! Samples of any rate, encoded as Opus piece by piece: as samples in memory, an hour of speech would
//! take gigabytes.

use std::time::Duration;

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

use super::{File, LONGEST};
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLE_RATE, SAMPLES_PER_PACKET};
use crate::track::Track;

/// Samples that are resampled at a time, about.
const CHUNK: usize = 1024;
const PACKET: Duration = Duration::from_millis(20);

/// Mono samples in, a track out.
pub(super) struct Encoding<'a> {
    file: &'a File<'a>,
    resampling: Option<Resampling<'a>>,
    packets: Packets,
}

impl<'a> Encoding<'a> {
    /// Begins with sound of `rate` samples a second on each of `channels`.
    ///
    /// # Errors
    ///
    /// Fails if that is no sound people have.
    pub(super) fn new(file: &'a File<'_>, rate: u32, channels: usize) -> Result<Self, MediaError> {
        if !(4_000..=384_000).contains(&rate) || channels == 0 {
            let found = format!("has {channels} channels of {rate} samples a second");
            return Err(file.unsupported(&found, Some(Kind::Audio)));
        }
        let resampling = (rate != SAMPLE_RATE).then(|| Resampling::new(file, rate));
        Ok(Self {
            file,
            resampling: resampling.transpose()?,
            packets: Packets::new()?,
        })
    }

    /// Takes samples within ±1.
    pub(super) fn push(&mut self, samples: &[f32]) -> Result<(), MediaError> {
        if self.packets.media_time > LONGEST {
            let end = self.file.bytes.len() as u64;
            return Err(self.file.broken(end, "it plays for longer than a day"));
        }
        match &mut self.resampling {
            Some(resampling) => resampling.push(samples, &mut self.packets),
            None => self.packets.push(samples),
        }
    }

    /// Makes the track; `start` is when it begins.
    pub(super) fn finish(mut self, start: Duration) -> Result<Track, MediaError> {
        if let Some(resampling) = self.resampling {
            resampling.finish(&mut self.packets)?;
        }
        let mut frames = self.packets.finish()?;
        if frames.is_empty() {
            let end = self.file.bytes.len() as u64;
            return Err(self.file.broken(end, "there is no sound in it"));
        }
        for frame in &mut frames {
            frame.media_time += start;
        }
        self.file.track(frames)
    }
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

    fn push(&mut self, samples: &[f32], to: &mut Packets) -> Result<(), MediaError> {
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
    fn finish(mut self, to: &mut Packets) -> Result<(), MediaError> {
        let end = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        while self.given < end {
            let length = self.resampler.input_frames_next();
            self.waiting.resize(length, 0.0);
            self.step(end, to)?;
        }
        Ok(())
    }

    fn step(&mut self, end: u64, to: &mut Packets) -> Result<(), MediaError> {
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
struct Packets {
    encoder: OpusEncoder,
    /// What is not encoded yet: less than a packet.
    waiting: Vec<f32>,
    frames: Vec<Frame>,
    media_time: Duration,
}

impl Packets {
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
        if self.frames.is_empty() && self.waiting.is_empty() {
            return Ok(Vec::new());
        }
        // What the encoder holds back at the end is pushed out by silence, so that the last word is whole.
        self.push(&vec![0.0; self.encoder.lookahead()])?;
        if !self.waiting.is_empty() {
            self.waiting.resize(SAMPLES_PER_PACKET, 0.0);
            self.encode()?;
        }
        Ok(self.frames)
    }
}
