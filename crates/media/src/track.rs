//! Whole tracks in memory, and clips of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::codec::{Codec, Kind};
use crate::error::MediaError;
use crate::frame::Frame;
use crate::timeline::Repeat;

/// A whole track, in memory: the unit of "encode once".
///
/// Never empty; media times rise strictly. The first may be later than zero: the track then
/// begins with nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Track {
    /// The codec of every frame.
    pub codec: Codec,
    /// All frames, in order.
    pub frames: Vec<Arc<Frame>>,
    /// How long it plays; the period when it is looped.
    pub duration: Duration,
    /// The longest time between two key frames, the way around the loop included.
    pub longest_key_interval: Duration,
    /// How much of its end is played only if it begins again afterwards.
    pub pause: Duration,
}

impl Track {
    /// Above this a receiver that lost a packet looks at a broken picture for too long: two seconds.
    /// A twentieth is allowed for rates such as 29.97, whose seconds are a bit longer.
    pub const LONGEST_GOOD_KEY_INTERVAL: Duration = Duration::from_millis(2050);

    /// Makes a track of frames, which end when the last one has played.
    ///
    /// # Errors
    ///
    /// Fails if there are no frames or they are of several codecs.
    pub fn new(frames: Vec<Frame>) -> Result<Self, MediaError> {
        let codec = frames.first().ok_or(MediaError::NoFrames)?.codec;
        if frames.iter().any(|frame| frame.codec != codec) {
            return Err(MediaError::NoFrames);
        }
        // One tick of the RTP clock, rounded up: no two frames may share an RTP timestamp.
        let tick = Duration::from_nanos(1_000_000_000u64.div_ceil(codec.clock_rate().into()));
        let mut earliest = Duration::ZERO;
        let frames: Vec<Arc<Frame>> = frames
            .into_iter()
            .map(|mut frame| {
                frame.media_time = frame.media_time.max(earliest);
                earliest = frame.media_time + tick;
                Arc::new(frame)
            })
            .collect();
        let last = frames.last().ok_or(MediaError::NoFrames)?;
        let duration = last.media_time + last.duration.max(tick);
        Ok(Self {
            longest_key_interval: longest_key_interval(&frames, duration),
            codec,
            frames,
            duration,
            pause: Duration::ZERO,
        })
    }

    /// Makes a track of frames that lasts `duration`, though its last frame may end before or after.
    ///
    /// # Errors
    ///
    /// Fails as [`Track::new`] does.
    pub(crate) fn lasting(frames: Vec<Frame>, duration: Duration) -> Result<Self, MediaError> {
        let mut track = Self::new(frames)?;
        if let Some(last) = track.frames.last() {
            track.duration = duration.max(last.media_time + Duration::from_millis(1));
        }
        track.longest_key_interval = longest_key_interval(&track.frames, track.duration);
        Ok(track)
    }

    /// Returns this track with so much silence, or so long a last picture, before it begins again.
    pub(crate) fn pausing(self: Arc<Self>, pause: Duration) -> Arc<Self> {
        if pause.is_zero() {
            return self;
        }
        let end = self.duration;
        // Whole packets, so that sound and picture pause for the same time.
        let packets = pause.as_nanos().div_ceil(SILENT_FRAME.as_nanos());
        let pause = SILENT_FRAME * u32::try_from(packets).unwrap_or(u32::MAX);
        let mut track = Self::clone(&self.stretched(end + pause));
        track.pause = track.duration - end;
        Arc::new(track)
    }

    /// Returns a plain-language warning if key frames are more than two seconds apart.
    pub fn key_frame_warning(&self) -> Option<String> {
        (self.longest_key_interval > Self::LONGEST_GOOD_KEY_INTERVAL).then(|| {
            format!(
                "key frames are up to {:.1} s apart: whoever joins or loses a packet waits that long \
                 for a picture; encode with one every second (for ffmpeg: `-g 30` at 30 frames a second)",
                self.longest_key_interval.as_secs_f64()
            )
        })
    }

    /// Returns how much of it one packet carries, on average over the frames that are made; nothing if
    /// none is.
    pub fn packet_time(&self) -> Option<Duration> {
        let known = self.frames.iter().filter_map(Frame::known);
        let (frames, packets) = known.fold((0u64, 0u64), |(frames, packets), frame| {
            (frames + 1, packets + frame.payloads.len() as u64)
        });
        let share = frames as f64 / self.frames.len() as f64;
        (packets > 0).then(|| self.duration.mul_f64(share / packets as f64))
    }

    /// Returns the frame that plays at `media_time`: the last one that has begun.
    pub fn frame_at(&self, media_time: Duration) -> &Arc<Frame> {
        let after = self.frames.partition_point(|f| f.media_time <= media_time);
        &self.frames[after.saturating_sub(1)]
    }

    /// Returns this track lasting `duration` at least: video holds its last frame, audio falls silent.
    pub(crate) fn stretched(self: Arc<Self>, duration: Duration) -> Arc<Self> {
        if self.duration >= duration {
            return self;
        }
        let mut track = Self::clone(&self);
        match track.codec.kind() {
            Kind::Video => track.duration = duration,
            Kind::Audio => {
                while track.duration < duration {
                    track.frames.push(Arc::new(silent_frame(track.duration)));
                    track.duration += SILENT_FRAME;
                }
            }
        }
        track.longest_key_interval = longest_key_interval(&track.frames, track.duration);
        Arc::new(track)
    }
}

fn longest_key_interval(frames: &[Arc<Frame>], duration: Duration) -> Duration {
    let keys: Vec<Duration> = frames
        .iter()
        .filter(|frame| frame.is_key)
        .map(|frame| frame.media_time)
        .collect();
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return duration;
    };
    let between = keys.windows(2).map(|pair| pair[1] - pair[0]).max();
    let around = (duration + *first).saturating_sub(*last);
    between.unwrap_or_default().max(around)
}

const SILENT_FRAME: Duration = Duration::from_millis(20);

/// Returns 20 ms of digital silence: the Opus packet that Chromium and others send for a muted track.
pub(crate) fn silent_frame(media_time: Duration) -> Frame {
    Frame {
        codec: Codec::Opus,
        payloads: vec![Bytes::from_static(&[0xf8, 0xff, 0xfe])],
        media_time,
        duration: SILENT_FRAME,
        is_key: true,
        promise: None,
    }
}

/// Sound, picture or both, which start together and loop together.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Clip {
    /// What it is called, for people.
    pub name: String,
    /// Its sound.
    pub audio: Option<Arc<Track>>,
    /// Its picture.
    pub video: Option<Arc<Track>>,
    /// How long it plays: the longer of its tracks.
    pub duration: Duration,
}

impl Clip {
    /// Makes a clip; the shorter track is filled up with silence or its last picture, so that
    /// both have one period and stay together however often they loop.
    pub fn new(
        name: impl Into<String>,
        audio: Option<Arc<Track>>,
        video: Option<Arc<Track>>,
    ) -> Self {
        let of = |track: &Option<Arc<Track>>| track.as_ref().map_or(Duration::ZERO, |t| t.duration);
        let audio = audio.map(|track| track.stretched(of(&video)));
        // Audio ends on whole packets, so it may now outlast the video by a part of one.
        let video = video.map(|track| track.stretched(of(&audio)));
        Self {
            name: name.into(),
            duration: of(&audio).max(of(&video)),
            audio,
            video,
        }
    }

    /// Returns this clip with so long a pause before it begins again.
    pub fn pausing(mut self, pause: Duration) -> Self {
        self.audio = self.audio.map(|track| track.pausing(pause));
        self.video = self.video.map(|track| track.pausing(pause));
        let track = self.audio.as_ref().or(self.video.as_ref());
        self.duration = track.map_or(Duration::ZERO, |track| track.duration);
        self
    }

    /// Returns another encoding of one of its tracks with the period of this clip.
    pub fn fitted(&self, track: Arc<Track>) -> Arc<Track> {
        let pause = self.pause();
        track.stretched(self.duration - pause).pausing(pause)
    }

    /// Returns how long it takes to play it; nothing if it never ends.
    pub fn length(&self, repeat: Repeat) -> Option<Duration> {
        let rounds = repeat.rounds()?;
        Some(
            self.duration
                .saturating_mul(rounds)
                .saturating_sub(self.pause()),
        )
    }

    fn pause(&self) -> Duration {
        let track = self.audio.as_ref().or(self.video.as_ref());
        track.map_or(Duration::ZERO, |track| track.pause)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A video track of `count` frames, `step` apart, with a key frame every `key_every`.
    pub(crate) fn video(count: u32, step: Duration, key_every: u32) -> Track {
        let frame = |n: u32| Frame {
            codec: Codec::Vp8,
            payloads: vec![Bytes::copy_from_slice(&n.to_be_bytes())],
            media_time: step * n,
            duration: step,
            is_key: n.is_multiple_of(key_every),
            promise: None,
        };
        Track::new((0..count).map(frame).collect()).unwrap()
    }

    /// An audio track of `count` packets of 20 ms.
    pub(crate) fn audio(count: u32) -> Track {
        Track::new((0..count).map(|n| silent_frame(SILENT_FRAME * n)).collect()).unwrap()
    }

    #[test]
    fn both_tracks_of_a_clip_have_one_period() {
        let picture = Arc::new(video(7, Duration::from_nanos(33_333_333), 7));
        let clip = Clip::new("x", Some(Arc::new(audio(5))), Some(picture));
        let (audio, video) = (clip.audio.unwrap(), clip.video.unwrap());
        assert_eq!(audio.duration, Duration::from_millis(240));
        assert_eq!(video.duration, audio.duration);
        assert_eq!(audio.frames.len(), 12);
        assert_eq!(video.frames.len(), 7);
    }

    #[test]
    fn far_apart_key_frames_are_reported() {
        let step = Duration::from_millis(100);
        assert!(video(40, step, 20).key_frame_warning().is_none());
        let sparse = video(40, step, 25);
        assert_eq!(sparse.longest_key_interval, Duration::from_millis(2500));
        assert!(sparse.key_frame_warning().unwrap().contains("2.5 s"));
        // One key frame: the interval is the way around the loop.
        assert_eq!(
            video(40, step, 99).longest_key_interval,
            Duration::from_secs(4)
        );
    }

    #[test]
    fn times_are_made_to_rise() {
        let mut frames = vec![silent_frame(Duration::ZERO); 3];
        frames[2].media_time = Duration::from_millis(20);
        let track = Track::new(frames).unwrap();
        assert!(track.frames[1].media_time > track.frames[0].media_time);
        assert_eq!(track.duration, Duration::from_millis(40));
        assert!(Track::new(vec![]).is_err());
    }
}
