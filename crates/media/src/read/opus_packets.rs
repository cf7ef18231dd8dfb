//! Opus packets as containers hold them: stamped with times, or decoded to the sample.

use std::time::Duration;

use bytes::Bytes;

use super::File;
use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::opus::OpusDecoder;
use crate::payload;
use crate::sound::{CHANNELS, Flow, Sink, pour_silent_samples, samples};
use crate::track::Track;

/// Blocks of WebM are stamped in whole milliseconds: within this, sound that follows sound follows at
/// once.
const ROUNDING: Duration = Duration::from_millis(5);

/// Makes a track of packets with their times; `delay` is what a decoder needs to settle.
pub(super) fn track(
    file: &File<'_>,
    encoded: Vec<(Duration, Bytes)>,
    delay: Duration,
) -> Result<Track, MediaError> {
    let Some(first) = encoded.first().map(|(time, _)| *time) else {
        return Err(file.no_track(Kind::Audio, "its track is empty"));
    };
    let mut frames = Vec::with_capacity(encoded.len());
    let mut end = first;
    let mut settling = delay;
    let count = encoded.len();
    for (number, (time, packet)) in encoded.into_iter().enumerate() {
        let Some(duration) = payload::opus::duration(&packet) else {
            return Err(file.broken(0, format!("packet {number} is no Opus packet")));
        };
        // As in Ogg: packets that lie wholly in the codec delay are not to be heard.
        if let Some(left) = settling.checked_sub(duration)
            && number + 1 < count
        {
            settling = left;
            continue;
        }
        settling = Duration::ZERO;
        let begins = if time.abs_diff(end) <= ROUNDING {
            end
        } else {
            time.max(end)
        };
        end = begins + duration;
        let frame = Frame::packetize(Codec::Opus, packet, begins, duration, true)
            .map_err(|error| file.no_frame(0, number, &error))?;
        frames.push(frame);
    }
    file.track(frames)
}

/// Decodes packets, without what an encoder put before the sound and after it.
pub(super) struct Decoding {
    decoder: OpusDecoder,
    /// Samples on one channel still to be left out.
    left_out: u64,
    /// Samples on one channel that are heard.
    given: u64,
    /// How many there are at most, where the container says.
    most: Option<u64>,
}

impl Decoding {
    pub(super) fn new(most: Option<u64>) -> Result<Self, MediaError> {
        Ok(Self {
            decoder: OpusDecoder::new(CHANNELS as u8)?,
            left_out: 0,
            given: 0,
            most,
        })
    }

    /// Leaves out so many samples more.
    pub(super) fn leave_out(&mut self, samples: u64) {
        self.left_out = self.left_out.saturating_add(samples);
    }

    /// Hands on what is heard of a packet, which is stamped with `time` where its container does that;
    /// silence for one that cannot be decoded.
    pub(super) fn packet(
        &mut self,
        time: Option<Duration>,
        packet: &[u8],
        to: &mut dyn Sink,
    ) -> Result<Flow, MediaError> {
        let late = time.map_or(0, |time| samples(time).saturating_sub(self.given));
        if self.left_out == 0
            && late > samples(ROUNDING)
            && self.given > 0
            && self.silence(late, to)?.is_break()
        {
            return Ok(Flow::Break(()));
        }
        let Ok(sound) = self.decoder.decode(packet) else {
            let lasts = payload::opus::duration(packet).unwrap_or_default();
            return self.silence(samples(lasts), to);
        };
        let count = (sound.len() / CHANNELS) as u64;
        let skipped = self.left_out.min(count);
        self.left_out -= skipped;
        let left = self.most.map_or(u64::MAX, |most| most - self.given);
        let heard = (count - skipped).min(left);
        self.given += heard;
        let begin = skipped as usize * CHANNELS;
        let sound = &sound[begin..begin + heard as usize * CHANNELS];
        if sound.is_empty() {
            return Ok(Flow::Continue(()));
        }
        to.take(sound)
    }

    fn silence(&mut self, count: u64, to: &mut dyn Sink) -> Result<Flow, MediaError> {
        let left = self.most.map_or(u64::MAX, |most| most - self.given);
        let count = count.min(left);
        self.given += count;
        pour_silent_samples(count, to)
    }
}
