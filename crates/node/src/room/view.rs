//! What one receiver sees: someone else's video, or a picture of the room's own.
//!
//! Pure: it is told the time. Frames are passed on unchanged; what it decides is which ones, and
//! the RTP timestamps they bear, which go on evenly across every change of source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Frame, Timeline, Track};

/// RTP clock rate of video (RFC 3551 §4.1).
const CLOCK_RATE: u128 = 90_000;

/// A source that sends no frame for so long is covered by the splash picture.
const DROP_OUT: Duration = Duration::from_millis(1_500);

/// A source's timestamps may run so far off the time that passes before they are set right.
const LONGEST_DRIFT: u32 = 90_000 * 3;

/// One frame to send.
#[derive(Debug)]
pub(super) struct Shown {
    /// The frame.
    pub frame: Arc<Frame>,
    /// Its RTP timestamp, towards this receiver.
    pub timestamp: u32,
}

/// What one receiver sees. `K` names the sources.
pub(super) struct View<K> {
    splash: Arc<Track>,
    /// What is shown in place of any source, when the room has that fault.
    replacement: Option<Arc<Track>>,
    showing: Showing<K>,
    wanted: Option<K>,
    clock: Clock,
}

enum Showing<K> {
    /// A picture of the room's own, played from its beginning.
    Own {
        timeline: Timeline,
        start: Instant,
        is_replacement: bool,
    },
    /// A participant's video; `last` is when its last frame came.
    Source { key: K, last: Instant },
}

/// The RTP timestamps towards one receiver.
struct Clock {
    /// The last timestamp given, and when.
    last: Option<(u32, Instant)>,
    /// What to add to a source's timestamps.
    offset: u32,
}

impl<K: Clone + PartialEq> View<K> {
    /// Begins with the splash picture.
    pub(super) fn new(now: Instant, splash: Arc<Track>, replacement: Option<Arc<Track>>) -> Self {
        Self {
            showing: own(&splash, now, false),
            splash,
            replacement,
            wanted: None,
            clock: Clock {
                last: None,
                offset: 0,
            },
        }
    }

    /// Shows another splash picture from now on, such as when someone is let in.
    pub(super) fn set_splash(&mut self, now: Instant, splash: Arc<Track>) {
        self.splash = splash;
        if let Showing::Own {
            is_replacement: false,
            ..
        } = self.showing
        {
            self.showing = own(&self.splash, now, false);
        }
    }

    /// Says whose video is to be seen. The switch itself waits for a key frame; only when nobody's
    /// is to be seen does the splash picture take over at once.
    pub(super) fn want(&mut self, now: Instant, source: Option<&K>) {
        if self.wanted.as_ref() == source {
            return;
        }
        self.wanted = source.cloned();
        match (&self.wanted, &self.replacement) {
            (Some(_), Some(replacement)) => {
                if !matches!(
                    self.showing,
                    Showing::Own {
                        is_replacement: true,
                        ..
                    }
                ) {
                    self.showing = own(replacement, now, true);
                }
            }
            (Some(_), None) => {}
            (None, _) => self.showing = own(&self.splash, now, false),
        }
    }

    /// Returns whose key frame this view waits for.
    pub(super) fn awaits(&self) -> Option<&K> {
        match (&self.showing, &self.wanted) {
            (Showing::Source { key, .. }, Some(wanted)) if key == wanted => None,
            (_, wanted) if self.replacement.is_none() => wanted.as_ref(),
            _ => None,
        }
    }

    /// Returns whose video is shown; `None` for a picture of the room's own.
    pub(super) fn shows(&self) -> Option<&K> {
        match &self.showing {
            Showing::Source { key, .. } => Some(key),
            Showing::Own { .. } => None,
        }
    }

    /// Starts the room's own picture again, with a key frame at once.
    /// Returns `false` when a source is shown, which must be asked instead.
    pub(super) fn restart_own(&mut self, now: Instant) -> bool {
        let Showing::Own { is_replacement, .. } = self.showing else {
            return false;
        };
        let track = if is_replacement {
            self.replacement.as_ref()
        } else {
            None
        };
        self.showing = own(track.unwrap_or(&self.splash), now, is_replacement);
        true
    }

    /// Takes a source's frame, and returns it with its timestamp if this receiver is to get it.
    pub(super) fn forward(
        &mut self,
        now: Instant,
        from: &K,
        frame: &Arc<Frame>,
        rtp_timestamp: u32,
    ) -> Option<Shown> {
        let continues = self.shows() == Some(from);
        let begins = !continues && frame.is_key && self.awaits() == Some(from);
        if !continues && !begins {
            return None;
        }
        self.showing = Showing::Source {
            key: from.clone(),
            last: now,
        };
        let timestamp = self.clock.of_source(now, rtp_timestamp, begins);
        Some(Shown {
            frame: Arc::clone(frame),
            timestamp,
        })
    }

    /// Returns the next frame of the room's own picture that is due. Call until `None`.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Shown> {
        if let Showing::Source { last, .. } = self.showing
            && now.saturating_duration_since(last) > DROP_OUT
        {
            self.showing = own(&self.splash, now, false);
        }
        let Showing::Own {
            timeline, start, ..
        } = &mut self.showing
        else {
            return None;
        };
        let due = timeline.poll(now)?;
        let timestamp = self.clock.at(*start + due.stream_time);
        Some(Shown {
            frame: due.frame,
            timestamp,
        })
    }

    /// Forgets a source that is gone: the splash picture takes over at once.
    pub(super) fn forget(&mut self, now: Instant, source: &K) {
        if self.shows() == Some(source) {
            self.showing = own(&self.splash, now, false);
        }
        if self.wanted.as_ref() == Some(source) {
            self.wanted = None;
        }
    }
}

fn own<K>(track: &Arc<Track>, start: Instant, is_replacement: bool) -> Showing<K> {
    Showing::Own {
        timeline: Timeline::new(Arc::clone(track), start),
        start,
        is_replacement,
    }
}

impl Clock {
    /// The timestamp of a frame that plays at `at`, one after the last at least.
    fn at(&mut self, at: Instant) -> u32 {
        let timestamp = match self.last {
            None => 0,
            Some((last, when)) => {
                last.wrapping_add(ticks(at.saturating_duration_since(when)).max(1))
            }
        };
        self.last = Some((timestamp, at));
        timestamp
    }

    /// The timestamp of a source's frame: its own, moved by what joins it to the last one sent.
    fn of_source(&mut self, now: Instant, rtp_timestamp: u32, begins: bool) -> u32 {
        let moved = rtp_timestamp.wrapping_add(self.offset);
        let by_time = self.last.map_or(0, |(last, when)| {
            last.wrapping_add(ticks(now.saturating_duration_since(when)).max(1))
        });
        let follows = self.last.is_some_and(|(last, _)| {
            moved != last
                && moved.wrapping_sub(last) < 1 << 31
                && moved.abs_diff(by_time) < LONGEST_DRIFT
        });
        let timestamp = if begins || !follows { by_time } else { moved };
        self.offset = timestamp.wrapping_sub(rtp_timestamp);
        // Where a source's clock runs off against ours, the next change of source takes ours up again.
        self.last = Some((timestamp, now));
        timestamp
    }
}

fn ticks(duration: Duration) -> u32 {
    // Far below 2^32 in practice; a longer pause wraps like the timestamp itself (RFC 3550 §5.1).
    (duration.as_micros() * CLOCK_RATE / 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Codec;

    use super::*;

    fn frame(n: u8, is_key: bool) -> Arc<Frame> {
        Arc::new(Frame {
            codec: Codec::Vp8,
            payloads: vec![Bytes::copy_from_slice(&[n])],
            media_time: Duration::ZERO,
            duration: ms(100),
            is_key,
        })
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// A picture of the room's own: ten frames a second, told apart by `n`.
    fn track(n: u8) -> Arc<Track> {
        let frames = (0..10_u32).map(|i| Frame {
            media_time: ms(100) * i,
            ..(*frame(n, i == 0)).clone()
        });
        Arc::new(Track::new(frames.collect()).expect("frames of one codec"))
    }

    const SPLASH: u8 = 200;
    const OTHER: u8 = 201;

    struct Bench {
        view: View<char>,
        now: Instant,
        sent: Vec<(u8, u32)>,
    }

    impl Bench {
        fn new(replacement: Option<Arc<Track>>) -> Self {
            let now = Instant::now();
            Self {
                view: View::new(now, track(SPLASH), replacement),
                now,
                sent: Vec::new(),
            }
        }
        fn note(&mut self, shown: Option<Shown>) -> bool {
            let Some(shown) = shown else { return false };
            self.sent
                .push((shown.frame.payloads[0][0], shown.timestamp));
            true
        }
        fn forward(&mut self, from: char, n: u8, is_key: bool, timestamp: u32) -> bool {
            let shown = self
                .view
                .forward(self.now, &from, &frame(n, is_key), timestamp);
            self.note(shown)
        }
        fn wait(&mut self, time: Duration) {
            self.now += time;
            while let Some(shown) = self.view.poll(self.now) {
                self.note(Some(shown));
            }
        }
    }

    #[test]
    fn shows_the_splash_picture_while_nobody_is_wanted() {
        let mut b = Bench::new(None);
        b.wait(ms(250));
        assert_eq!(b.sent, [(SPLASH, 0), (SPLASH, 9_000), (SPLASH, 18_000)]);
        assert!(!b.forward('a', 1, true, 5));
    }

    #[test]
    fn switches_at_a_key_frame_and_timestamps_go_on() {
        let mut b = Bench::new(None);
        b.wait(ms(0));
        b.view.want(b.now, Some(&'a'));
        assert_eq!(b.view.awaits(), Some(&'a'));
        assert!(!b.forward('a', 1, false, 70_000));
        b.now += ms(50);
        assert!(b.forward('a', 2, true, 73_000));
        assert_eq!(b.view.awaits(), None);
        b.now += ms(33);
        assert!(b.forward('a', 3, false, 76_000));
        assert_eq!(b.sent, [(SPLASH, 0), (2, 4_500), (3, 7_500)]);
        b.view.want(b.now, Some(&'b'));
        b.now += ms(33);
        assert!(
            b.forward('a', 4, false, 79_000),
            "the old picture goes on until the new one comes"
        );
        b.now += ms(10);
        assert!(b.forward('b', 9, true, 4_000_000_000));
        assert!(!b.forward('a', 5, true, 82_000));
        assert_eq!(b.sent[3..], [(4, 10_500), (9, 11_400)]);
    }

    #[test]
    fn a_source_that_drops_out_is_covered_and_comes_back_at_a_key_frame() {
        let mut b = Bench::new(None);
        b.view.want(b.now, Some(&'a'));
        assert!(b.forward('a', 1, true, 0));
        b.wait(ms(1_400));
        assert_eq!(b.sent.len(), 1);
        b.wait(ms(200));
        assert_eq!(b.sent[1].0, SPLASH);
        assert_eq!(b.view.awaits(), Some(&'a'));
        assert!(!b.forward('a', 2, false, 0));
        assert!(b.forward('a', 3, true, 0));
    }

    #[test]
    fn a_source_that_leaves_is_covered_at_once() {
        let mut b = Bench::new(None);
        b.view.want(b.now, Some(&'a'));
        assert!(b.forward('a', 1, true, 0));
        b.view.forget(b.now, &'a');
        b.wait(ms(0));
        assert_eq!(b.sent[1].0, SPLASH);
        assert_eq!(b.view.awaits(), None);
    }

    #[test]
    fn timestamps_rise_whatever_a_source_does_with_its_own() {
        let mut b = Bench::new(None);
        b.view.want(b.now, Some(&'a'));
        for (n, timestamp) in [(1, 1_000), (2, 1_000), (3, 500), (4, 3_000_000_000), (5, 7)] {
            b.now += ms(33);
            assert!(b.forward('a', n, n == 1, timestamp));
        }
        let steps: Vec<u32> = b
            .sent
            .windows(2)
            .map(|pair| pair[1].1.wrapping_sub(pair[0].1))
            .collect();
        assert_eq!(steps, [2_970; 4]);
    }

    #[test]
    fn a_request_for_a_key_frame_starts_the_splash_picture_again() {
        let mut b = Bench::new(None);
        b.wait(ms(150));
        assert!(b.view.restart_own(b.now));
        let shown = b.view.poll(b.now).expect("a frame is due at once");
        assert!(shown.frame.is_key);
        assert_eq!(shown.timestamp, 13_500);
    }

    #[test]
    fn a_replacement_stands_where_a_source_would() {
        let mut b = Bench::new(Some(track(OTHER)));
        b.view.want(b.now, Some(&'a'));
        assert!(!b.forward('a', 1, true, 0));
        assert_eq!(b.view.awaits(), None);
        b.wait(ms(150));
        assert_eq!(b.sent, [(OTHER, 0), (OTHER, 9_000)]);
        b.view.want(b.now, None);
        b.wait(ms(0));
        assert_eq!(b.sent[2].0, SPLASH);
    }
}
