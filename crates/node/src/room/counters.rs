//! What an operator may know of a room at any moment.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantUuid};
use peer::{IceConnectionState, Negotiated, PeerStats, ReceiverReport};

/// One call's figures.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallCounters {
    /// The call.
    pub call: CallUuid,
    /// Whose it is.
    pub participant: ParticipantUuid,
    /// When its offer was answered.
    pub answered: Instant,
    /// When the first `ack` came.
    pub acknowledged: Option<Instant>,
    /// How ICE stands.
    pub ice: IceConnectionState,
    /// Whether ICE and DTLS are done.
    pub connected: bool,
    /// What the peer has measured: packets, bytes, loss, jitter, round-trip time.
    pub stats: PeerStats,
    /// Bit rates since the snapshot before, or zero in the first.
    pub rates: BitRates,
    /// What offer and answer agreed on.
    pub negotiated: Negotiated,
    /// What the far end said last about our sound and our picture, and when.
    pub reported: [Option<(Instant, ReceiverReport)>; 2],
    /// Pictures, counted.
    pub video: VideoCounts,
    /// Whose picture it is shown; `None` for the room's own.
    pub sees: Option<ParticipantUuid>,
    /// Packets of sound that came too late to be heard.
    pub audio_late: u64,
    /// Packets of sound that were made up for.
    pub audio_concealed: u64,
    /// Packets of sound dropped to keep delay short.
    pub audio_dropped: u64,
    /// How much sound waits in the jitter buffer.
    pub audio_delay: Duration,
}

/// Bits a second of payload, seen from the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BitRates {
    /// Sound that comes in.
    pub audio_in: u64,
    /// Sound that goes out.
    pub audio_out: u64,
    /// Video that comes in.
    pub video_in: u64,
    /// Video that goes out.
    pub video_out: u64,
    /// Over which time; zero in the first snapshot.
    pub over: Duration,
}

/// Pictures of one call, and requests for those that stand alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VideoCounts {
    /// Whole pictures that came.
    pub frames_in: u64,
    /// Key frames among them.
    pub key_frames_in: u64,
    /// Key frames that the room asked of it.
    pub key_frames_asked: u64,
    /// Pictures sent to it.
    pub frames_out: u64,
    /// Key frames among them.
    pub key_frames_out: u64,
}

/// Bytes counted at the snapshot before, by call.
#[derive(Default)]
pub(super) struct Rates {
    before: BTreeMap<CallUuid, (Instant, [u64; 4])>,
}

impl Rates {
    /// Takes a call's counters, and returns its bit rates since the last time.
    pub(super) fn update(&mut self, now: Instant, call: &CallUuid, stats: &PeerStats) -> BitRates {
        let bytes = [
            stats.inbound_audio.bytes_received,
            stats.outbound_audio.bytes_sent,
            stats.inbound_video.bytes_received,
            stats.outbound_video.bytes_sent,
        ];
        let Some((since, before)) = self.before.insert(call.clone(), (now, bytes)) else {
            return BitRates::default();
        };
        let millis = now.saturating_duration_since(since).as_millis().max(1) as u64;
        let rate = |n: usize| bytes[n].saturating_sub(before[n]) * 8_000 / millis;
        BitRates {
            audio_in: rate(0),
            audio_out: rate(1),
            video_in: rate(2),
            video_out: rate(3),
            over: now.saturating_duration_since(since),
        }
    }

    /// Forgets calls that have ended.
    pub(super) fn keep(&mut self, calls: &[CallUuid]) {
        self.before.retain(|call, _| calls.contains(call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_counted_between_snapshots() {
        let mut rates = Rates::default();
        let (now, call) = (Instant::now(), CallUuid::from("c"));
        let mut stats = PeerStats::default();
        stats.inbound_audio.bytes_received = 1_000;
        assert_eq!(rates.update(now, &call, &stats), BitRates::default());
        stats.inbound_audio.bytes_received = 7_000;
        stats.outbound_video.bytes_sent = 50_000;
        let after = rates.update(now + Duration::from_secs(1), &call, &stats);
        assert_eq!((after.audio_in, after.video_out), (48_000, 400_000));
        rates.keep(&[]);
        assert_eq!(rates.update(now, &call, &stats), BitRates::default());
    }
}
