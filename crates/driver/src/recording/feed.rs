//! Gives a recorder what comes in, each frame at its place.

use std::time::{Duration, Instant};

use media::{Kind, MediaError, RecordNews, Recorder};
use tracing::debug;

use super::queue::Recordable;
use crate::arrived::ArrivedFrame;
use crate::placement::Placement;

/// After so long without a frame a stream makes way for another one of its kind.
const SILENCE: Duration = Duration::from_secs(1);

/// Puts the streams of a call on one timeline, one of each kind, and records them.
#[derive(Debug)]
pub(crate) struct Feed {
    recorder: Recorder,
    placement: Placement,
    lanes: [Lane; 2],
}

impl Feed {
    /// Makes one whose time zero is `start`.
    pub(crate) fn new(recorder: Recorder, start: Instant) -> Self {
        Self {
            recorder,
            placement: Placement::new(start),
            lanes: [Lane::default(), Lane::default()],
        }
    }

    /// Takes what has come; returns what has happened to the recording.
    pub(crate) fn take(&mut self, recordable: Recordable) -> Vec<RecordNews> {
        match recordable {
            Recordable::SenderReport {
                kind,
                ssrc,
                ntp,
                rtp_timestamp,
            } => {
                let lane = lane(kind);
                if self.lanes[lane].ssrc == Some(ssrc) {
                    self.placement.sender_report(lane, ntp, rtp_timestamp);
                }
            }
            Recordable::Frame(arrived) => {
                let lane = lane(arrived.kind);
                if self.lanes[lane].takes(arrived.ssrc, arrived.arrival)
                    && let Some(at) = self.place(lane, &arrived)
                    && let Err(error) = self.recorder.write(arrived.kind, at, &arrived.frame)
                {
                    debug!(%error, "left out of the recording");
                }
            }
        }
        self.recorder.news()
    }

    /// Tells whether the recording goes on with the next key frame.
    pub(crate) fn wants_key_frame(&self) -> bool {
        self.recorder.wants_key_frame()
    }

    /// Tells whether nothing can be written any more.
    pub(crate) fn is_over(&self) -> bool {
        self.recorder.is_over()
    }

    /// Completes what is recorded; returns what came of it.
    pub(crate) fn finish(mut self) -> (Vec<RecordNews>, Result<(), MediaError>) {
        self.recorder.close();
        (self.recorder.news(), self.recorder.finish().map(drop))
    }

    fn place(&mut self, lane: usize, arrived: &ArrivedFrame) -> Option<Duration> {
        self.placement.arrived(
            lane,
            arrived.ssrc,
            arrived.frame.codec.clock_rate(),
            arrived.rtp_timestamp,
            arrived.arrival,
        );
        self.placement.place(lane, arrived.rtp_timestamp)
    }
}

/// Of several streams of a kind the one that is recorded: the one that began last, and when it is
/// silent, whichever is not.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    ssrc: Option<u32>,
    last: Option<Instant>,
    /// Streams that were recorded before.
    former: Vec<u32>,
}

impl Lane {
    /// Tells whether a frame of this stream, which came at this moment, is taken.
    pub(crate) fn takes(&mut self, ssrc: u32, arrival: Instant) -> bool {
        if self.ssrc != Some(ssrc) {
            let is_silent = self
                .last
                .is_none_or(|last| arrival.saturating_duration_since(last) > SILENCE);
            if self.former.contains(&ssrc) && !is_silent {
                return false;
            }
            self.former.retain(|former| *former != ssrc);
            self.former.extend(self.ssrc.replace(ssrc));
        }
        self.last = Some(arrival);
        true
    }
}

fn lane(kind: Kind) -> usize {
    match kind {
        Kind::Audio => 0,
        Kind::Video => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_that_began_last_is_recorded_until_it_is_silent() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut lane = Lane::default();
        assert!(lane.takes(1, at(0)) && lane.takes(1, at(40)));
        assert!(lane.takes(2, at(50)), "a new one");
        assert!(
            !lane.takes(1, at(80)),
            "the former one, while the new one goes on"
        );
        assert!(lane.takes(2, at(90)));
        assert!(lane.takes(1, at(1200)), "the new one is silent");
        assert!(!lane.takes(2, at(1210)));
        assert!(lane.takes(3, at(1220)));
    }
}
