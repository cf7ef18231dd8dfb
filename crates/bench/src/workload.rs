//! The workload: what is due when.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::{Codec, Frame};

/// Sound, 50 packets of 120 bytes a second.
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
/// Picture, 30 frames a second, 110 packets of 1150 bytes in 30 frames: 1 Mbit/s.
const VIDEO_INTERVAL: Duration = Duration::from_nanos(33_333_333);

/// Which of it a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    Audio,
    Both,
}

impl Streams {
    /// As written on a command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Both => "both",
        }
    }
}

/// One sound and one picture schedule, begun at a random phase so that callers do not march in step.
pub(crate) struct Schedule {
    start: Instant,
    streams: Streams,
    audio: u32,
    video: u32,
}

/// What is due.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    Audio { number: u32 },
    Video { number: u32, packets: usize },
}

impl Schedule {
    pub(crate) fn new(now: Instant, streams: Streams) -> Self {
        let phase = Duration::from_nanos(fastrand::u64(..VIDEO_INTERVAL.as_nanos() as u64));
        Self {
            start: now + phase,
            streams,
            audio: 0,
            video: 0,
        }
    }

    /// The next thing, and when.
    pub(crate) fn next(&mut self) -> (Instant, Due) {
        let audio = self.start + AUDIO_INTERVAL * self.audio;
        let video = self.start + VIDEO_INTERVAL * self.video;
        if audio <= video || self.streams == Streams::Audio {
            let number = self.audio;
            self.audio += 1;
            (audio, Due::Audio { number })
        } else {
            let number = self.video;
            self.video += 1;
            // Two frames of four packets and one of three make eleven in three.
            let packets = if number % 3 == 2 { 3 } else { 4 };
            (video, Due::Video { number, packets })
        }
    }

    /// Waits for the next thing and adds how late it is told, in ms; nothing if it is not due before `end`.
    pub(crate) async fn wait(&mut self, end: Instant, late: &mut Vec<f64>) -> Option<Due> {
        let (when, due) = self.next();
        if when >= end {
            return None;
        }
        tokio::time::sleep_until(when.into()).await;
        late.push(when.elapsed().as_secs_f64() * 1000.0);
        Some(due)
    }
}

/// Frames that all callers share, as they would share a file.
pub(crate) struct Material {
    audio: Frame,
    video: [Frame; 2],
}

impl Material {
    pub(crate) fn new() -> Self {
        let frame = |codec, size, count| Frame {
            codec,
            payloads: vec![Bytes::from(vec![0x5a_u8; size]); count],
            media_time: Duration::ZERO,
            duration: Duration::ZERO,
            is_key: true,
            promise: None,
        };
        Self {
            audio: frame(Codec::Opus, 120, 1),
            video: [frame(Codec::Vp8, 1150, 3), frame(Codec::Vp8, 1150, 4)],
        }
    }

    /// The frame and its RTP timestamp.
    pub(crate) fn frame(&self, due: Due) -> (&Frame, u32) {
        match due {
            Due::Audio { number } => (&self.audio, number * 960),
            Due::Video { number, packets } => (&self.video[packets - 3], number * 3000),
        }
    }
}
