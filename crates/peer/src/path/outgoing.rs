//! One stream we send: its numbers, its clock, and what it can send again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use media::Kind;

use super::header::Outline;

/// Packets kept for retransmission: some four seconds of video.
const HISTORY: usize = 512;

/// A stream of one kind that this peer sends.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) clock_rate: u32,
    /// Sequence number of the next packet, extended by its cycles; never used twice, whatever is
    /// negotiated anew.
    pub(super) next: u64,
    /// Cycles that keys of before have seen.
    cycles: u64,
    pub(super) has_begun: bool,
    pub(super) packets: u64,
    /// Of payload.
    pub(super) bytes: u64,
    /// When the last frame was sent, and its RTP time.
    pub(super) clock: Option<(Instant, u32)>,
    /// How old media is when it is sent.
    pub(super) age: Duration,
    /// How much the last sender report covered.
    pub(super) reported: u64,
    /// How packets are sent again; `None` where the far end does not ask.
    pub(super) repair: Option<Repair>,
    history: VecDeque<Sent>,
    pub(super) retransmitted: u64,
    /// What the far end asked for: retransmissions, and key frames.
    pub(super) nack_count: u64,
    pub(super) pli_count: u64,
    /// Whose request for a full intra frame came last, and its number.
    full_intra: Option<(u32, u8)>,
}

/// How packets are sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repair {
    /// As they were.
    Same,
    /// In a stream of its own (RFC 4588).
    Stream {
        ssrc: u32,
        payload_type: u8,
        next: u64,
    },
}

/// A packet that can be sent again.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) payload: Bytes,
    pub(super) outline: Outline,
}

impl Outgoing {
    pub(super) fn new(kind: Kind, ssrc: u32) -> Self {
        Self {
            ssrc,
            payload_type: 0,
            clock_rate: super::clock_rate(kind),
            // Random (RFC 3550 §5.1), and far from the first wrap, which SRTP receivers may miss
            // if they lose it (RFC 3711 §3.3.1).
            next: u64::from(fastrand::u16(..0x8000)),
            cycles: 0,
            has_begun: false,
            packets: 0,
            bytes: 0,
            clock: None,
            age: Duration::ZERO,
            reported: 0,
            repair: None,
            history: VecDeque::new(),
            retransmitted: 0,
            nack_count: 0,
            pli_count: 0,
            full_intra: None,
        }
    }

    /// Takes note of a request for a full intra frame; false if it is one that came before.
    pub(super) fn is_new_request(&mut self, sender: u32, number: u8) -> bool {
        self.full_intra.replace((sender, number)) != Some((sender, number))
    }

    /// The number of the next packet, as SRTP counts with the present keys.
    pub(super) fn index(&self) -> u64 {
        self.next - self.cycles
    }

    /// There are new keys.
    pub(super) fn rekey(&mut self) {
        self.cycles = self.next & !0xffff;
        if let Some(Repair::Stream { next, .. }) = &mut self.repair {
            *next &= 0xffff;
        }
    }

    /// Keeps a packet, the newest, if it may be asked for.
    pub(super) fn keep(&mut self, payload: &Bytes, outline: Outline) {
        if self.repair.is_none() {
            return;
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Sent {
            payload: payload.clone(),
            outline,
        });
    }

    /// Sets how packets are sent again; what was sent before cannot be, if nothing was kept.
    pub(super) fn set_repair(&mut self, repair: Option<Repair>) {
        match (&self.repair, &repair) {
            // Its numbers go on.
            (
                Some(Repair::Stream { next, .. }),
                Some(Repair::Stream {
                    ssrc, payload_type, ..
                }),
            ) => {
                self.repair = Some(Repair::Stream {
                    ssrc: *ssrc,
                    payload_type: *payload_type,
                    next: *next,
                });
            }
            (Some(_), Some(_)) => self.repair = repair,
            _ => {
                self.history.clear();
                self.repair = repair;
            }
        }
    }

    /// The packet of this sequence number, if it is still there, and its number as SRTP counts.
    pub(super) fn sent(&self, sequence_number: u16) -> Option<(u64, Sent)> {
        let newest = self.next.checked_sub(1)?;
        let back = usize::from((newest as u16).wrapping_sub(sequence_number));
        let at = self.history.len().checked_sub(back + 1)?;
        let index = (newest - back as u64).checked_sub(self.cycles)?;
        Some((index, self.history[at].clone()))
    }

    /// RTP time of what is captured at `now`, by the last frame: what will be sent when it is as old
    /// as all that is sent here.
    pub(super) fn timestamp(&self, now: Instant) -> Option<u32> {
        let (at, timestamp) = self.clock?;
        let since = (now.saturating_duration_since(at) + self.age).as_secs_f64();
        Some(timestamp.wrapping_add((since * f64::from(self.clock_rate)) as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_packets_can_be_sent_again_and_no_others() {
        let mut stream = Outgoing::new(Kind::Video, 1);
        stream.next = 65_000;
        stream.set_repair(Some(Repair::Same));
        for number in 0..1000_u32 {
            let outline = Outline {
                marker: false,
                payload_type: 96,
                sequence_number: stream.next as u16,
                timestamp: number,
                ssrc: 1,
                transport_wide: None,
            };
            stream.keep(&Bytes::from(number.to_be_bytes().to_vec()), outline);
            stream.next += 1;
        }
        assert_eq!(stream.next, 66_000);
        let (index, sent) = stream
            .sent((65_999_u32 & 0xffff) as u16)
            .expect("the newest");
        assert_eq!((index, sent.outline.timestamp), (65_999, 999));
        let (index, sent) = stream.sent(65_500).expect("before the wrap");
        assert_eq!((index, sent.outline.timestamp), (65_500, 500));
        assert!(stream.sent(65_487).is_none(), "513 packets ago");
        assert!(stream.sent(66_000_u32 as u16).is_none(), "not sent yet");
    }

    #[test]
    fn the_clock_runs_ahead_by_the_age_of_what_is_sent() {
        let now = Instant::now();
        let mut stream = Outgoing::new(Kind::Audio, 1);
        assert_eq!(stream.timestamp(now), None, "nothing has been sent");
        stream.clock_rate = 48_000;
        stream.clock = Some((now, u32::MAX));
        let later = now + Duration::from_millis(20);
        assert_eq!(stream.timestamp(later), Some(959));
        stream.age = Duration::from_millis(40);
        assert_eq!(stream.timestamp(later), Some(959 + 1920));
    }
}
