//! When a clip may start, so that none of its first words is lost.

use std::time::{Duration, Instant};

use media::Kind;

/// How long the clip waits for reports once media could flow.
pub(crate) const REPORT_WAIT: Duration = Duration::from_secs(2);

/// Holds the clip until the far end is known to receive us.
///
/// ```text
///  media could flow          report names audio   … and video
///  |--- silence and slate ---|--------------------|=== clip ===
///  |------------- at most REPORT_WAIT, then ============ clip === (said so)
/// ```
///
/// It opens when all three hold: somebody released it (we are in the conference, and whoever
/// holds the clip back has let it go), media flows, and every stream we send was reported on or
/// [`REPORT_WAIT`] is over, counted from when media could flow.
#[derive(Debug)]
pub(crate) struct StartGate {
    released: Option<Instant>,
    flowing: Option<Instant>,
    audio: Stream,
    video: Stream,
    open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    NotSent,
    Unreported,
    Reported,
}

/// The gate opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Whether every stream we send had been reported on.
    pub(crate) reported: bool,
    /// How long was waited for reports.
    pub(crate) waited: Duration,
}

impl StartGate {
    /// A gate for a clip that is sent as `audio`, `video` or both.
    pub(crate) fn new(audio: bool, video: bool) -> Self {
        let stream = |sent| {
            if sent {
                Stream::Unreported
            } else {
                Stream::NotSent
            }
        };
        Self {
            released: None,
            flowing: None,
            audio: stream(audio),
            video: stream(video),
            open: false,
        }
    }

    /// The clip may start as far as the conference is concerned.
    pub(crate) fn release(&mut self, now: Instant) {
        self.released.get_or_insert(now);
    }

    /// Media can flow from now on.
    pub(crate) fn media_flows(&mut self, now: Instant) {
        self.flowing.get_or_insert(now);
    }

    /// A receiver report named our SSRC of this kind.
    pub(crate) fn reported(&mut self, kind: Kind) {
        let stream = match kind {
            Kind::Audio => &mut self.audio,
            Kind::Video => &mut self.video,
        };
        if *stream == Stream::Unreported {
            *stream = Stream::Reported;
        }
    }

    /// Returns, once, that the gate has opened.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Opened> {
        self.released?;
        let since = self.flowing?;
        let reported = self.all_reported();
        if self.open || !(reported || now >= since + REPORT_WAIT) {
            return None;
        }
        self.open = true;
        Some(Opened {
            reported,
            waited: now.saturating_duration_since(since),
        })
    }

    /// Returns when the gate opens at the latest, if that is known and it is still shut.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let released = self.released?;
        if self.open {
            None
        } else {
            Some(released.max(self.flowing? + REPORT_WAIT))
        }
    }

    /// Says whether every stream we send was reported on.
    pub(crate) fn all_reported(&self) -> bool {
        self.audio != Stream::Unreported && self.video != Stream::Unreported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: f32) -> Duration {
        Duration::from_secs_f32(n)
    }

    #[test]
    fn opens_when_both_streams_are_reported_and_not_before() {
        let t = Instant::now();
        let mut gate = StartGate::new(true, true);
        gate.release(t);
        gate.media_flows(t);
        assert_eq!(gate.poll(t), None);
        gate.reported(Kind::Audio);
        assert_eq!(
            gate.poll(t + secs(0.5)),
            None,
            "the picture is not received yet"
        );
        gate.reported(Kind::Video);
        let opened = gate.poll(t + secs(0.6)).expect("both are reported");
        assert!(opened.reported);
        assert_eq!(gate.poll(t + secs(0.7)), None, "it opens once");
        assert_eq!(gate.next_due(), None);
    }

    #[test]
    fn waits_for_audio_alone_where_there_is_no_video() {
        let t = Instant::now();
        let mut gate = StartGate::new(true, false);
        gate.release(t);
        gate.media_flows(t);
        gate.reported(Kind::Video);
        assert_eq!(gate.poll(t), None);
        gate.reported(Kind::Audio);
        assert!(gate.poll(t).is_some());
    }

    #[test]
    fn opens_after_two_seconds_without_reports_and_says_so() {
        let t = Instant::now();
        let mut gate = StartGate::new(true, true);
        gate.release(t);
        gate.media_flows(t + secs(1.0));
        assert_eq!(gate.next_due(), Some(t + secs(3.0)));
        assert_eq!(gate.poll(t + secs(2.99)), None);
        let opened = gate.poll(t + secs(3.0)).expect("the wait is over");
        assert_eq!(
            opened,
            Opened {
                reported: false,
                waited: secs(2.0)
            }
        );
    }

    #[test]
    fn a_waiting_room_keeps_it_shut_however_long_media_flows() {
        let t = Instant::now();
        let mut gate = StartGate::new(true, false);
        gate.media_flows(t);
        gate.reported(Kind::Audio);
        assert_eq!(gate.poll(t + secs(3600.0)), None);
        assert_eq!(gate.next_due(), None);
        gate.release(t + secs(3600.0));
        assert!(
            gate.poll(t + secs(3600.0))
                .is_some_and(|opened| opened.reported)
        );
    }

    #[test]
    fn whoever_was_never_reported_in_the_waiting_room_starts_at_once_and_says_so() {
        let t = Instant::now();
        let mut gate = StartGate::new(true, false);
        gate.media_flows(t);
        gate.release(t + secs(60.0));
        assert_eq!(gate.next_due(), Some(t + secs(60.0)));
        assert!(
            gate.poll(t + secs(60.0))
                .is_some_and(|opened| !opened.reported)
        );
    }
}
