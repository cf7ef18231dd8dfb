//! Places what several streams bring on one timeline, for a recording.

use std::time::{Duration, Instant};

/// Puts frames of audio and video on one timeline.
///
/// Until a stream's first sender report its frames stand where their first packet arrived; after
/// it, where the sender's common clock puts them (RFC 3550 §5.1: the clocks of RTP streams are
/// unrelated, sender reports relate them). The stream that reports first keeps its place and
/// fixes the clock for the other. No track ever goes back.
#[derive(Debug)]
pub(crate) struct Placement {
    start: Instant,
    /// Sender's NTP time at `start`, in nanoseconds since 1900.
    ntp_at_start: Option<i128>,
    streams: [Option<Stream>; 2],
}

#[derive(Debug)]
struct Stream {
    clock_rate: u32,
    ssrc: u32,
    /// The timestamp seen last, unwrapped to 64 bits.
    timestamp: i64,
    /// Where timestamp 0 stands, in nanoseconds from `start`.
    origin: i128,
    last: Option<Duration>,
}

/// A frame that is to stand further than this from where it arrived has a timestamp of another
/// timeline.
const FARTHEST: i128 = 10_000_000_000;

impl Stream {
    /// Tells whether a timestamp stands near a moment, in nanoseconds from the start.
    fn is_near(&self, timestamp: u32, here: i128) -> bool {
        let step = timestamp.wrapping_sub(self.timestamp as u32) as i32;
        let stands = self.origin + self.nanoseconds(self.timestamp + i64::from(step));
        (stands - here).abs() <= FARTHEST
    }

    fn unwrap(&mut self, timestamp: u32) -> i64 {
        let step = timestamp.wrapping_sub(self.timestamp as u32) as i32;
        self.timestamp += i64::from(step);
        self.timestamp
    }

    fn nanoseconds(&self, timestamp: i64) -> i128 {
        i128::from(timestamp) * 1_000_000_000 / i128::from(self.clock_rate)
    }
}

impl Placement {
    /// A timeline that begins at `start`.
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            ntp_at_start: None,
            streams: [None, None],
        }
    }

    /// Takes note that the frame of `timestamp` on `lane` (0 or 1) arrived.
    ///
    /// A new SSRC starts over on the same track, and so does a timestamp that has nothing to do
    /// with when the frame came.
    pub(crate) fn arrived(
        &mut self,
        lane: usize,
        ssrc: u32,
        clock_rate: u32,
        timestamp: u32,
        arrival: Instant,
    ) {
        let here = arrival.saturating_duration_since(self.start).as_nanos() as i128;
        let stream = &mut self.streams[lane];
        if stream
            .as_ref()
            .is_some_and(|stream| stream.ssrc == ssrc && stream.is_near(timestamp, here))
        {
            return;
        }
        let last = stream.as_ref().and_then(|stream| stream.last);
        let mut new = Stream {
            clock_rate,
            ssrc,
            timestamp: i64::from(timestamp),
            origin: 0,
            last,
        };
        new.origin = here - new.nanoseconds(new.timestamp);
        *stream = Some(new);
    }

    /// Takes note of a sender report of the stream on `lane`.
    pub(crate) fn sender_report(&mut self, lane: usize, ntp: u64, timestamp: u32) {
        let Some(stream) = &mut self.streams[lane] else {
            return;
        };
        // 32.32 fixed point; exact enough in nanoseconds.
        let ntp = (i128::from(ntp) * 1_000_000_000) >> 32;
        let step = timestamp.wrapping_sub(stream.timestamp as u32) as i32;
        let offset = stream.nanoseconds(stream.timestamp + i64::from(step));
        match self.ntp_at_start {
            None => self.ntp_at_start = Some(ntp - (stream.origin + offset)),
            Some(ntp_at_start) => stream.origin = ntp - ntp_at_start - offset,
        }
    }

    /// Returns where the frame of `timestamp` on `lane` stands, counted from the beginning.
    pub(crate) fn place(&mut self, lane: usize, timestamp: u32) -> Option<Duration> {
        let stream = self.streams[lane].as_mut()?;
        let timestamp = stream.unwrap(timestamp);
        let at = stream.origin + stream.nanoseconds(timestamp);
        let at = Duration::from_nanos(u64::try_from(at).unwrap_or(0));
        // A millisecond is the unit of WebM; two frames must not share one.
        let at = stream
            .last
            .map_or(at, |last| at.max(last + Duration::from_millis(1)));
        stream.last = Some(at);
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIO: usize = 0;
    const VIDEO: usize = 1;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn ntp(n: Duration) -> u64 {
        (3_900_000_000u64 << 32) + ((n.as_nanos() << 32) / 1_000_000_000) as u64
    }

    #[test]
    fn before_any_report_frames_stand_where_they_arrived() {
        let start = Instant::now();
        let mut placement = Placement::new(start);
        placement.arrived(AUDIO, 1, 48_000, 5000, start + ms(300));
        assert_eq!(placement.place(AUDIO, 5000), Some(ms(300)));
        assert_eq!(placement.place(AUDIO, 5960), Some(ms(320)));
        assert_eq!(placement.place(VIDEO, 0), None, "no such stream yet");
    }

    #[test]
    fn reports_bring_sound_and_picture_together() {
        let start = Instant::now();
        let mut placement = Placement::new(start);
        placement.arrived(AUDIO, 1, 48_000, 48_000, start + ms(100));
        // The picture was on its way 250 ms longer than the sound of the same moment.
        placement.arrived(VIDEO, 2, 90_000, 900_000, start + ms(350));
        assert_eq!(placement.place(VIDEO, 900_000), Some(ms(350)));
        placement.sender_report(AUDIO, ntp(ms(1000)), 48_000 + 48_000);
        placement.sender_report(VIDEO, ntp(ms(1000)), 900_000 + 90_000);
        let audio = placement.place(AUDIO, 96_000 + 960).expect("known");
        let video = placement.place(VIDEO, 990_000 + 1800).expect("known");
        assert!(audio.abs_diff(video) <= ms(1), "{audio:?} {video:?}");
        assert!(
            audio.abs_diff(ms(1120)) <= ms(1),
            "the first to report keeps its place"
        );
    }

    #[test]
    fn a_track_never_goes_back() {
        let start = Instant::now();
        let mut placement = Placement::new(start);
        placement.arrived(AUDIO, 1, 48_000, 0, start);
        placement.arrived(VIDEO, 2, 90_000, 0, start + ms(500));
        assert_eq!(placement.place(VIDEO, 9000), Some(ms(600)));
        placement.sender_report(AUDIO, ntp(ms(0)), 0);
        placement.sender_report(VIDEO, ntp(ms(0)), 0);
        assert_eq!(placement.place(VIDEO, 12_600), Some(ms(601)));
        assert_eq!(placement.place(VIDEO, 90_000), Some(ms(1000)));
    }

    #[test]
    fn a_timestamp_from_nowhere_starts_over_where_it_came() {
        let start = Instant::now();
        let mut placement = Placement::new(start);
        placement.arrived(AUDIO, 1, 48_000, 1000, start);
        assert_eq!(placement.place(AUDIO, 1000), Some(ms(0)));
        placement.arrived(AUDIO, 1, 48_000, 2_000_000_000, start + ms(20));
        assert_eq!(placement.place(AUDIO, 2_000_000_000), Some(ms(20)));
        // Late by a few seconds is late, and no other timeline.
        placement.arrived(AUDIO, 1, 48_000, 2_000_000_960, start + ms(4000));
        assert_eq!(placement.place(AUDIO, 2_000_000_960), Some(ms(40)));
    }

    #[test]
    fn timestamps_wrap_and_a_new_ssrc_starts_over() {
        let start = Instant::now();
        let mut placement = Placement::new(start);
        placement.arrived(AUDIO, 1, 48_000, u32::MAX - 479, start);
        assert_eq!(placement.place(AUDIO, u32::MAX - 479), Some(ms(0)));
        assert_eq!(placement.place(AUDIO, 480), Some(ms(20)));
        placement.arrived(AUDIO, 9, 48_000, 77, start + ms(5000));
        assert_eq!(placement.place(AUDIO, 77), Some(ms(5000)));
    }
}
