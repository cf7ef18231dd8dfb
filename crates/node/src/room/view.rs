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

/// Returns a duration in ticks of the RTP clock.
pub(super) fn ticks(duration: Duration) -> u32 {
    // Far below 2^32 in practice; a longer pause wraps like the timestamp itself (RFC 3550 §5.1).
    (duration.as_micros() * CLOCK_RATE / 1_000_000) as u32
}

#[cfg(test)]
mod tests;
