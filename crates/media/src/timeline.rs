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
    /// Until stopped or replaced.
    Forever,
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
        if self.next < self.track.frames.len() {
            return true;
        }
        self.base += self.track.duration;
        self.next = 0;
        self.repeat == Repeat::Forever
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
        (repeat == Repeat::Once).then(|| self.start + begin + track.duration)
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
mod tests {
    use super::*;
    use crate::track::tests::{audio, video};

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A timeline and the moment it starts.
    fn timeline(idle: Track) -> (Timeline, Instant) {
        let start = Instant::now();
        (Timeline::new(Arc::new(idle), start), start)
    }

    fn drain(timeline: &mut Timeline, now: Instant) -> Vec<Due> {
        std::iter::from_fn(|| timeline.poll(now)).collect()
    }

    /// Polls exactly when told to, until `end`.
    fn run(timeline: &mut Timeline, end: Instant) -> Vec<Due> {
        let mut all = Vec::new();
        while timeline.next_due() <= end {
            let now = timeline.next_due();
            let due = drain(timeline, now);
            assert!(!due.is_empty(), "next_due() promised a frame");
            all.extend(due);
        }
        all
    }

    fn boundaries(due: &[Due]) -> Vec<(u128, Boundary)> {
        due.iter()
            .filter_map(|d| Some((d.stream_time.as_millis(), d.boundary?)))
            .collect()
    }

    fn assert_rises(due: &[Due]) {
        for pair in due.windows(2) {
            assert!(pair[0].stream_time < pair[1].stream_time);
        }
    }

    #[test]
    fn nothing_before_the_start() {
        let start = Instant::now() + ms(100);
        let mut line = Timeline::new(Arc::new(audio(1)), start);
        assert!(line.poll(start - ms(1)).is_none());
        assert_eq!(line.poll(start).unwrap().stream_time, ms(0));
    }

    #[test]
    fn sound_and_picture_start_together() {
        let (mut sound, start) = timeline(audio(50));
        let mut picture = Timeline::new(Arc::new(video(4, ms(250), 4)), start);
        drain(&mut sound, start + ms(1010));
        drain(&mut picture, start + ms(1010));
        let at = start + ms(1033);
        sound.play(Arc::new(audio(3)), at, Repeat::Once);
        picture.play(Arc::new(video(2, ms(33), 2)), at, Repeat::Once);
        let heard = run(&mut sound, start + ms(1400));
        let seen = run(&mut picture, start + ms(1400));
        use Boundary::{Finished, Started};
        assert_eq!(boundaries(&heard), [(1040, Started), (1100, Finished)]);
        assert_eq!(boundaries(&seen), [(1040, Started), (1106, Finished)]);
        assert_rises(&heard);
        assert_rises(&seen);
    }

    #[test]
    fn twelve_hours_of_loops_do_not_drift() {
        // 30 pictures a second, rounded to nanoseconds: 999.99999 ms against a second of sound.
        let (mut sound, start) = timeline(audio(1));
        let mut picture = Timeline::new(Arc::new(video(1, ms(1000), 1)), start);
        let clip = crate::Clip::new(
            "loop",
            Some(Arc::new(audio(50))),
            Some(Arc::new(video(30, Duration::from_nanos(33_333_333), 30))),
        );
        sound.play(clip.audio.unwrap(), start, Repeat::Forever);
        picture.play(clip.video.unwrap(), start, Repeat::Forever);
        let end = start + Duration::from_secs(12 * 3600);
        // Polled by a coarse and late clock.
        let mut now = start;
        let (mut packets, mut pictures) = (0u64, 0u64);
        let (mut last_sound, mut last_picture) = (Duration::ZERO, Duration::ZERO);
        loop {
            while let Some(due) = sound.poll(now) {
                assert_eq!(due.stream_time, ms(20) * u32::try_from(packets).unwrap());
                packets += 1;
                last_sound = due.stream_time;
            }
            while let Some(due) = picture.poll(now) {
                pictures += 1;
                last_picture = due.stream_time;
            }
            if now == end {
                break;
            }
            now = end.min(now + ms(47));
        }
        assert_eq!(packets, 12 * 3600 * 50 + 1);
        assert_eq!(pictures, 12 * 3600 * 30 + 1);
        assert_eq!(last_sound, last_picture);
    }

    #[test]
    fn a_late_poll_skips_no_frame_of_a_clip() {
        let (mut line, start) = timeline(audio(1));
        line.play(Arc::new(audio(100)), start, Repeat::Once);
        assert_eq!(drain(&mut line, start).len(), 1);
        // A whole second passes unseen.
        let due = drain(&mut line, start + ms(1000));
        assert_eq!(due.len(), 50);
        assert_eq!(due[0].stream_time, ms(20));
        assert_eq!(due[49].frame.media_time, ms(1000));
    }

    #[test]
    fn a_late_poll_does_not_make_up_for_idle_time() {
        let (mut line, start) = timeline(audio(50));
        drain(&mut line, start);
        let due = drain(&mut line, start + ms(60_000));
        assert!(due.len() <= 11, "{}", due.len());
        assert_eq!(due.last().unwrap().stream_time, ms(60_000));
        // Video is taken up at a key frame.
        let (mut line, start) = timeline(video(4, ms(250), 4));
        drain(&mut line, start);
        let due = drain(&mut line, start + ms(60_600));
        assert_eq!(due[0].stream_time, ms(60_000));
        assert!(due[0].frame.is_key);
        assert_rises(&due);
    }

    #[test]
    fn a_clip_asked_for_in_a_pause_is_whole() {
        let (mut line, start) = timeline(audio(50));
        drain(&mut line, start);
        line.play(Arc::new(audio(5)), start + ms(5_000), Repeat::Once);
        let due = drain(&mut line, start + ms(9_000));
        let from = due
            .iter()
            .position(|d| d.boundary == Some(Boundary::Started))
            .unwrap();
        assert_eq!(due[from].stream_time, ms(5_000));
        assert_eq!(due[from + 4].frame.media_time, ms(80));
        assert_eq!(due[from + 5].boundary, Some(Boundary::Finished));
        assert_rises(&due);
    }

    #[test]
    fn stops_at_a_packets_end_and_says_so() {
        let (mut line, start) = timeline(audio(1));
        line.play(Arc::new(audio(1)), start + ms(40), Repeat::Forever);
        line.stop(start + ms(95));
        let due = run(&mut line, start + ms(200));
        use Boundary::{Finished, Started};
        assert_eq!(boundaries(&due), [(40, Started), (100, Finished)]);
        assert_eq!(due.len(), 11);
        // Stopping what does not play changes nothing.
        line.stop(start + ms(250));
        assert!(boundaries(&run(&mut line, start + ms(400))).is_empty());
    }

    #[test]
    fn clips_follow_each_other_without_a_gap() {
        let (mut line, start) = timeline(audio(1));
        line.play(Arc::new(audio(2)), start, Repeat::Once);
        let end = line.clip_end().unwrap();
        assert_eq!(end, start + ms(40));
        line.play(Arc::new(audio(3)), end, Repeat::Once);
        assert_eq!(line.clip_end(), Some(start + ms(100)));
        let due = run(&mut line, start + ms(120));
        use Boundary::{Finished, Started};
        assert_eq!(
            boundaries(&due),
            [(0, Started), (40, Started), (100, Finished)]
        );
        assert_eq!(line.clip_end(), None);
    }

    #[test]
    fn a_picture_asked_for_too_late_still_rises() {
        let (mut line, start) = timeline(video(4, ms(250), 4));
        drain(&mut line, start + ms(500));
        line.play(Arc::new(video(3, ms(40), 3)), start + ms(300), Repeat::Once);
        let due = drain(&mut line, start + ms(900));
        assert_eq!(due[0].stream_time, ms(501));
        assert_eq!(due[0].boundary, Some(Boundary::Started));
        assert_rises(&due);
    }

    #[test]
    fn random_use_keeps_its_promises() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let idle = if random.bool() {
                audio(50)
            } else {
                video(4, ms(250), 4)
            };
            let is_audio = idle.codec.kind() == Kind::Audio;
            let (mut line, start) = timeline(idle);
            let mut now = start;
            let mut last = None;
            for _ in 0..400 {
                now += ms(random.u64(0..120));
                let at = now + ms(random.u64(0..300)) - ms(random.u64(0..100));
                let repeat = if random.bool() {
                    Repeat::Once
                } else {
                    Repeat::Forever
                };
                match random.u8(0..20) {
                    0 if is_audio => line.play(Arc::new(audio(random.u32(1..9))), at, repeat),
                    0 => line.play(Arc::new(video(random.u32(1..9), ms(33), 3)), at, repeat),
                    1 => line.stop(at),
                    _ => {}
                }
                while let Some(due) = line.poll(now) {
                    assert!(Some(due.stream_time) > last, "seed {seed}");
                    assert!(start + due.stream_time <= now, "seed {seed}");
                    last = Some(due.stream_time);
                }
                assert!(line.next_due() > now, "seed {seed}");
            }
        }
    }
}
