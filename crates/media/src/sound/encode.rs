//! Samples to packets of Opus.

use std::time::Duration;

use super::{CHANNELS, Flow, Sink};
use crate::codec::Codec;
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::{OpusEncoder, OpusSettings, SAMPLES_PER_PACKET};
use crate::track::Track;

const PACKET: Duration = Duration::from_millis(20);
/// Packets that an encoder is given first where sound is to be repeated: it settles meanwhile.
const SETTLING: u64 = 50;

/// Encodes what it is given.
pub(crate) struct Encode {
    encoder: OpusEncoder,
    channels: u8,
    /// What is not encoded yet, in the encoder's channels: less than a packet.
    waiting: Vec<f32>,
    frames: Vec<Frame>,
    media_time: Duration,
}

impl Encode {
    /// Begins a track at `start`.
    pub(crate) fn new(settings: OpusSettings, start: Duration) -> Result<Self, MediaError> {
        Ok(Self {
            encoder: OpusEncoder::new(settings)?,
            channels: settings.channels,
            waiting: Vec::with_capacity(SAMPLES_PER_PACKET * CHANNELS),
            frames: Vec::new(),
            media_time: start,
        })
    }

    /// Makes the track; nothing if nothing was given.
    pub(crate) fn finish(mut self) -> Result<Option<Track>, MediaError> {
        if self.frames.is_empty() && self.waiting.is_empty() {
            return Ok(None);
        }
        let per_packet = SAMPLES_PER_PACKET * usize::from(self.channels);
        // What the encoder holds back at the end is pushed out by silence, so that the last word is whole.
        let held = self.encoder.lookahead() * usize::from(self.channels);
        let end = (self.waiting.len() + held).next_multiple_of(per_packet);
        self.waiting.resize(end, 0.0);
        for packet in std::mem::take(&mut self.waiting).chunks_exact(per_packet) {
            self.encode(packet)?;
        }
        if self.frames.is_empty() {
            // Nothing but what need not be sent: a track is never empty.
            self.frames.push(crate::track::silent_frame(Duration::ZERO));
        }
        let mut track = Track::new(self.frames)?;
        // Packets that need not be sent play to the end all the same.
        track.duration = track.duration.max(self.media_time);
        Ok(Some(track))
    }

    fn encode(&mut self, packet: &[f32]) -> Result<(), MediaError> {
        let begins = self.media_time;
        self.media_time += PACKET;
        // With DTX, libopus says of a packet that it need not be sent (opus_encoder.h).
        if let Some(bytes) = self.encoder.encode_unless_silent(packet)? {
            let frame = Frame::packetize(Codec::Opus, bytes, begins, PACKET, true)?;
            self.frames.push(frame);
        }
        Ok(())
    }
}

impl Sink for Encode {
    fn take(&mut self, samples: &[f32]) -> Result<Flow, MediaError> {
        let per_packet = SAMPLES_PER_PACKET * usize::from(self.channels);
        for moment in samples.chunks_exact(CHANNELS) {
            match self.channels {
                1 => self.waiting.push(within((moment[0] + moment[1]) / 2.0)),
                _ => self
                    .waiting
                    .extend(moment.iter().map(|sample| within(*sample))),
            }
            if self.waiting.len() == per_packet {
                let packet = std::mem::take(&mut self.waiting);
                self.encode(&packet)?;
                self.waiting = packet;
                self.waiting.clear();
            }
        }
        Ok(Flow::Continue(()))
    }
}

fn within(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// Encodes one round of what repeats itself every `period` samples, so that its end fits its beginning;
/// a period is a whole number of packets.
pub(crate) fn encode_loop(
    settings: OpusSettings,
    factor: f32,
    period: u64,
    sample: &dyn Fn(u64) -> f32,
) -> Result<Track, MediaError> {
    // All of its packets are sent: what DTX leaves out would be missed where the loop begins.
    let settings = OpusSettings {
        dtx: false,
        ..settings
    };
    let mut encode = Encode::new(settings, Duration::ZERO)?;
    let settling = SETTLING * SAMPLES_PER_PACKET as u64;
    let begins = period - settling % period;
    let mut block = Vec::with_capacity(SAMPLES_PER_PACKET * CHANNELS);
    for packet in 0..(settling + period) / SAMPLES_PER_PACKET as u64 {
        block.clear();
        for n in 0..SAMPLES_PER_PACKET as u64 {
            let value = sample(begins + packet * SAMPLES_PER_PACKET as u64 + n) * factor;
            block.extend([value; CHANNELS]);
        }
        let _ = encode.take(&block)?;
    }
    let frames = encode.frames.split_off(SETTLING as usize);
    Track::new(
        frames
            .into_iter()
            .map(|mut frame| {
                frame.media_time -= PACKET * SETTLING as u32;
                frame
            })
            .collect(),
    )
}
