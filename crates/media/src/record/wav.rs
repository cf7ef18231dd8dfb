//! WAV: what is heard, decoded, with sizes in the head that are true after every step.

use std::io;
use std::time::Duration;

use super::mux::{FRAGMENT, Mux, Sample, Track, Tracks};
use super::output::Output;
use crate::opus::{OpusDecoder, SAMPLE_RATE};

/// Before the samples stand 44 bytes.
const HEAD: u64 = 44;

/// A gap shorter than this is a clock that was set right, and nothing is missing.
const LEAST_GAP: u64 = 480;

/// So much in a row is made up for; what is missing beyond it is silence.
const LONGEST_CONCEALMENT: u64 = 2880;

/// Writes one file.
pub(super) struct Wav {
    decoder: OpusDecoder,
    channels: u8,
    /// Samples on each channel up to here.
    position: u64,
    /// When the first one plays: the file begins with it.
    start: Option<Duration>,
    pending: Vec<u8>,
}

impl Wav {
    pub(super) fn begin(tracks: &Tracks, out: &mut Output) -> io::Result<Self> {
        let channels = tracks.audio.as_ref().map_or(1, Track::channels);
        let decoder = OpusDecoder::new(channels).map_err(io::Error::other)?;
        // Nobody who reads a pipe learns the size in advance.
        let size = if out.can_patch() { 0 } else { u32::MAX };
        out.append(&head(channels, size))?;
        Ok(Self {
            decoder,
            channels,
            position: 0,
            start: None,
            pending: Vec::new(),
        })
    }

    fn take(&mut self, samples: usize, sound: impl FnOnce(&mut OpusDecoder) -> Option<&[f32]>) {
        match sound(&mut self.decoder) {
            Some(sound) => {
                self.position += (sound.len() / usize::from(self.channels)) as u64;
                let sound = sound
                    .iter()
                    .map(|sample| (sample * 32_768.0).round() as i16);
                self.pending.extend(sound.flat_map(i16::to_le_bytes));
            }
            None => self.silence(samples as u64),
        }
    }

    fn silence(&mut self, samples: u64) {
        self.position += samples;
        let bytes = samples as usize * usize::from(self.channels) * 2;
        self.pending.resize(self.pending.len() + bytes, 0);
    }

    /// Makes up for what is missing before `next`, which plays at `at`.
    fn bridge(&mut self, out: &mut Output, at: u64, next: &[u8]) -> io::Result<()> {
        let missing = at.saturating_sub(self.position);
        if missing < LEAST_GAP {
            return Ok(());
        }
        let begun = self.position;
        let step = self.decoder.last_samples() as u64;
        // The packet that follows knows something of the one before it alone.
        while step > 0
            && at >= self.position + 2 * step
            && self.position - begun + step <= LONGEST_CONCEALMENT
        {
            self.take(step as usize, |decoder| decoder.conceal(None).ok());
        }
        // A second at a time: a pause may be long.
        while at > self.position + step {
            self.silence((at - self.position - step).min(SAMPLE_RATE.into()));
            self.flush(out)?;
        }
        if at.saturating_sub(self.position) >= LEAST_GAP {
            self.take(step as usize, |decoder| decoder.conceal(Some(next)).ok());
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        out.append(&pending)?;
        let samples = u32::try_from(out.length() - HEAD).unwrap_or(u32::MAX - 36);
        out.patch(0, &head(self.channels, samples))
    }
}

impl Mux for Wav {
    /// The head says nothing that shows later.
    fn describe(&mut self, _: &mut Output, _: &Tracks) -> io::Result<()> {
        Ok(())
    }

    fn put(&mut self, out: &mut Output, sample: Sample) -> io::Result<()> {
        let start = *self.start.get_or_insert(sample.at);
        let at = sample.at.saturating_sub(start);
        let at = (at.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000) as u64;
        if self.position > 0 {
            self.bridge(out, at, &sample.encoded)?;
        }
        // A damaged packet is as long as the one before, and silent.
        let step = self.decoder.last_samples();
        self.take(step, |decoder| decoder.decode(&sample.encoded).ok());
        let bytes = FRAGMENT.as_millis() as usize * SAMPLE_RATE as usize / 1000 * 2;
        if self.pending.len() >= bytes * usize::from(self.channels) {
            self.flush(out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Output) -> io::Result<()> {
        self.flush(out)
    }

    /// Sizes are stated in 32 bits, and what is next may be a second long.
    fn capacity(&self) -> u64 {
        u64::from(u32::MAX) - (1 << 20)
    }
}

fn head(channels: u8, bytes: u32) -> [u8; HEAD as usize] {
    let mut head =
        *b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0data\0\0\0\0";
    let block = u16::from(channels) * 2;
    head[4..8].copy_from_slice(&bytes.saturating_add(36).to_le_bytes());
    head[22..24].copy_from_slice(&u16::from(channels).to_le_bytes());
    head[24..28].copy_from_slice(&SAMPLE_RATE.to_le_bytes());
    head[28..32].copy_from_slice(&(SAMPLE_RATE * u32::from(block)).to_le_bytes());
    head[32..34].copy_from_slice(&block.to_le_bytes());
    head[40..44].copy_from_slice(&bytes.to_le_bytes());
    head
}
