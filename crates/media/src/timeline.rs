//! The pacer: which frame is due when. Pure: it is told the time.
//!
//! ```text
//! stream time  0    20   40   60   80   100  120  140
//! idle         I0   I1   I2                  I0   I1     loops, restarts after a clip
//! clip                        C0   C1   C2               played at 45 ms, once
//! boundary                    Started        Finished
//! ```
//!
//! Every frame's moment is `base + loops × duration + media time`, from one start: nothing is
//! added up from measured times, so nothing drifts, and a poll that comes late changes no moment.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codec::Kind;
use crate::frame::Frame;
use crate::track::Track;

/// Clips start on this grid since the stream's start, audio and video alike: the length of an
/// audio packet, so that a clip's sound and picture start at the same stream time.
const GRID: Duration = Duration::from_millis(20);

/// How late an idle frame may be before newer ones replace it.
const IDLE_PATIENCE: Duration = Duration::from_millis(200);

/// The least time between two frames of video where one track takes over from another.
const SWITCH_STEP: Duration = Duration::from_millis(1);

/// How often a track plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// To its end.
    Once,
    /// So many times.
    Times(u32),
    /// Until stopped or replaced.
    Forever,
}

impl Repeat {
    /// Returns how often it is still played after this time; nothing if this is the last one.
    fn afterwards(self) -> Option<Self> {
        match self {
            Self::Once | Self::Times(0 | 1) => None,
            Self::Times(rounds) => Some(Self::Times(rounds - 1)),
            Self::Forever => Some(Self::Forever),
        }
    }

    /// Returns how often a track is played; nothing if it never ends.
    pub fn rounds(self) -> Option<u32> {
        match self {
            Self::Once => Some(1),
            Self::Times(rounds) => Some(rounds.max(1)),
            Self::Forever => None,
        }
    }
}

/// What a frame has to do with the clip that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The first frame of a clip. If another was playing, that one ended here.
    Started,
    /// The first idle frame after a clip: everything sent before it belongs to the clip.
    Finished,
}

/// A frame whose time has come.
#[derive(Debug, Clone)]
pub struct Due {
    /// What to send.
    pub frame: Arc<Frame>,
    /// Its time since the stream's start; rises strictly, and makes the RTP timestamp.
    pub stream_time: Duration,
    /// Whether a clip starts here or ended before.
    pub boundary: Option<Boundary>,
}

/// Says which frame of a track is due: an idle track until a clip is played, then the clip.
#[derive(Debug)]
pub struct Timeline {
    start: Instant,
    idle: Arc<Track>,
    current: Segment,
    pending: VecDeque<Switch>,
    /// Stream time of the last frame.
    last: Option<Duration>,
}

/// A track being played.
#[derive(Debug)]
struct Segment {
    track: Arc<Track>,
    /// Stream time of the track's media time zero, in this round of the loop.
    base: Duration,
    next: usize,
    repeat: Repeat,
    is_clip: bool,
    /// What the next frame is to be marked with.
    boundary: Option<Boundary>,
}

#[derive(Debug)]
struct Switch {
    at: Duration,
    to: Option<(Arc<Track>, Repeat)>,
}

impl Segment {
    fn due(&self) -> Duration {
        // `next` is below the number of frames, and tracks are never empty.
        self.base + self.track.frames[self.next].media_time
    }

    /// Moves on to the next frame; `false` if there is none.
    fn advance(&mut self) -> bool {
        self.next += 1;
        let afterwards = self.repeat.afterwards();
        let end = match afterwards {
            Some(_) => self.track.duration,
            None => self.track.duration.saturating_sub(self.track.pause),
        };
        let frame = self.track.frames.get(self.next);
        if frame.is_some_and(|frame| frame.media_time < end) {
            return true;
        }
        self.base += end;
        self.next = 0;
        self.repeat = afterwards.unwrap_or(self.repeat);
        afterwards.is_some()
    }
}

impl Timeline {
    /// Starts a stream at `start` with `idle`, which loops whenever nothing else plays.
    pub fn new(idle: Arc<Track>, start: Instant) -> Self {
        Self {
            start,
            current: Segment::idle(&idle, Duration::ZERO, None),
            idle,
            pending: VecDeque::new(),
            last: None,
        }
    }

    /// Returns the moment of stream time zero.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Plays `track` from `at` on; what was planned for then or later is dropped. Sound and picture
    /// given the same `at` start together if it is not in the past (else each as soon as it can). A track of another codec than the idle one is not looked at:
    /// the caller has negotiated one.
    pub fn play(&mut self, track: Arc<Track>, at: Instant, repeat: Repeat) {
        self.plan(at, Some((track, repeat)));
    }

    /// Returns to the idle track at `at`, or as soon as possible; what was planned for then or later is dropped.
    pub fn stop(&mut self, at: Instant) {
        self.plan(at, None);
    }

    /// Returns the media time of the frame of the clip that is due next; nothing while none plays, or something else
    /// is planned.
    pub fn clip_position(&self) -> Option<Duration> {
        let plays = self.current.is_clip && self.pending.is_empty();
        plays.then(|| self.current.track.frames[self.current.next].media_time)
    }

    /// Goes on with the clip that plays in another encoding of the same length, from its frame `next` on, which must
    /// be one that a decoder can start at.
    pub fn go_on_in(&mut self, track: Arc<Track>, next: usize) {
        if self.current.is_clip && next < track.frames.len() {
            self.current.track = track;
            self.current.next = next;
        }
    }

    /// Returns when the clip that plays, or the last one planned, will have ended by itself.
    pub fn clip_end(&self) -> Option<Instant> {
        let (begin, track, repeat) = match self.pending.back() {
            Some(Switch { at, to }) => {
                let (track, repeat) = to.as_ref()?;
                (*at, track, *repeat)
            }
            None if self.current.is_clip => {
                (self.current.base, &self.current.track, self.current.repeat)
            }
            None => return None,
        };
        let lasts = track.duration.saturating_mul(repeat.rounds()?);
        Some(self.start + begin + lasts.saturating_sub(track.pause))
    }

    /// Returns the next frame that is due at `now`; call again until `None`.
    ///
    /// After a late call every frame of a clip comes, at its own stream time; idle frames that
    /// are long past are left out, up to a key frame.
    pub fn poll(&mut self, now: Instant) -> Option<Due> {
        let now = now.checked_duration_since(self.start)?;
        while let Some(time) = self.pending.front().and_then(|s| self.switch_time(s)) {
            if time > now {
                return None;
            }
            self.switch(time);
        }
        self.skip_stale_idle(now);
        let stream_time = self.current.due();
        if stream_time > now {
            return None;
        }
        let frame = Arc::clone(&self.current.track.frames[self.current.next]);
        let boundary = self.current.boundary.take();
        self.last = Some(stream_time);
        if !self.current.advance() {
            self.current = Segment::idle(&self.idle, self.current.base, Some(Boundary::Finished));
        }
        Some(Due {
            frame,
            stream_time,
            boundary,
        })
    }

    /// Returns when the next frame is due.
    pub fn next_due(&self) -> Instant {
        self.start + self.next_stream_time()
    }

    fn next_stream_time(&self) -> Duration {
        let planned = self.pending.front().and_then(|s| self.switch_time(s));
        planned.unwrap_or(self.current.due())
    }

    fn plan(&mut self, at: Instant, to: Option<(Arc<Track>, Repeat)>) {
        let at = round_up(at.saturating_duration_since(self.start));
        self.pending.retain(|switch| switch.at < at);
        self.pending.push_back(Switch { at, to });
    }

    /// Returns the stream time at which the switch happens, if that is before the next frame.
    ///
    /// Audio switches where a packet ends: when the next one would be due. A picture has no
    /// length of its own, so it is cut short.
    fn switch_time(&self, switch: &Switch) -> Option<Duration> {
        let due = self.current.due();
        (switch.at <= due).then(|| match self.idle.codec.kind() {
            Kind::Audio => due,
            Kind::Video => match self.last {
                Some(last) => switch.at.max(last + SWITCH_STEP),
                None => switch.at,
            },
        })
    }

    fn switch(&mut self, time: Duration) {
        let Some(switch) = self.pending.pop_front() else {
            return;
        };
        match switch.to {
            Some((track, repeat)) => {
                self.current = Segment {
                    track,
                    base: time,
                    next: 0,
                    repeat,
                    is_clip: true,
                    boundary: Some(Boundary::Started),
                };
            }
            None if self.current.is_clip => {
                // A clip of which nothing was sent has not finished either.
                let was_sent = self.current.boundary.is_none();
                let boundary = was_sent.then_some(Boundary::Finished);
                self.current = Segment::idle(&self.idle, time, boundary);
            }
            None => {}
        }
    }

    fn skip_stale_idle(&mut self, now: Duration) {
        let Some(stale) = now.checked_sub(IDLE_PATIENCE) else {
            return;
        };
        if self.current.is_clip || self.current.due() >= stale {
            return;
        }
        // Whole rounds at once: after a long pause there may be many.
        let rounds = (stale - self.current.due()).as_nanos() / self.idle.duration.as_nanos();
        if rounds > 1 && self.pending.is_empty() {
            let rounds = u32::try_from(rounds - 1).unwrap_or(u32::MAX);
            self.current.base += self.idle.duration * rounds;
        }
        let mut ahead = (self.current.base, self.current.next);
        loop {
            self.current.advance();
            if self.current.due() > now
                || self
                    .pending
                    .front()
                    .is_some_and(|s| s.at <= self.current.due())
            {
                break;
            }
            if self.current.track.frames[self.current.next].is_key {
                ahead = (self.current.base, self.current.next);
                if self.current.due() >= stale {
                    break;
                }
            }
        }
        (self.current.base, self.current.next) = ahead;
    }
}

impl Segment {
    fn idle(track: &Arc<Track>, base: Duration, boundary: Option<Boundary>) -> Self {
        Self {
            track: Arc::clone(track),
            base,
            next: 0,
            repeat: Repeat::Forever,
            is_clip: false,
            boundary,
        }
    }
}

fn round_up(time: Duration) -> Duration {
    let grid = GRID.as_nanos();
    let nanos = time.as_nanos().div_ceil(grid) * grid;
    // Fits for 584 years.
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
