//! Whether a picture that nobody here decodes could be decoded, from its packets alone.
//!
//! A decoder asks for a key frame when a packet is lost for good, since all that follows builds on
//! it. A participant that decodes nothing owes its node the same: without such requests a node under
//! load has less to do than among people.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Codec;

/// How long a missing packet is waited for: a retransmission comes within a round trip.
pub(crate) const REORDER_WAIT: Duration = Duration::from_millis(250);

/// The least time between two requests for a key frame.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// When more packets than this are missing at once, nobody waits for them.
const MOST_MISSING: usize = 256;

/// A jump in sequence numbers that is no loss any more (RFC 3550 §A.1, `MAX_DROPOUT`).
const RESTART: u16 = 3000;

/// When to ask for a key frame.
#[derive(Debug)]
pub(crate) struct KeyFrameRequests {
    /// A picture cannot be decoded until a key frame comes.
    is_needed: bool,
    asked: Option<Instant>,
}

impl KeyFrameRequests {
    /// What `is_needed` from the beginning is asked for when the first packet comes and is none.
    pub(crate) fn new(is_needed: bool) -> Self {
        Self {
            is_needed,
            asked: None,
        }
    }

    /// Packets are lost for good.
    pub(crate) fn broken(&mut self) {
        self.is_needed = true;
    }

    /// A key frame came.
    pub(crate) fn whole(&mut self) {
        self.is_needed = false;
    }

    /// Says whether to ask now.
    pub(crate) fn are_due(&mut self, now: Instant) -> bool {
        let is_soon = |asked| now < asked + KEY_FRAME_INTERVAL;
        if !self.is_needed || self.asked.is_some_and(is_soon) {
            return false;
        }
        self.asked = Some(now);
        true
    }
}

/// A received picture as its packets tell of it.
#[derive(Debug)]
pub(crate) struct Picture {
    codec: Codec,
    highest: Option<u16>,
    /// Packets that have not come, and until when each is waited for.
    missing: VecDeque<(u16, Instant)>,
    pub(crate) requests: KeyFrameRequests,
}

impl Picture {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            highest: None,
            missing: VecDeque::new(),
            requests: KeyFrameRequests::new(true),
        }
    }

    /// Takes note of a packet, in order or not.
    pub(crate) fn packet(&mut self, arrival: Instant, number: u16, payload: &[u8]) {
        let highest = *self.highest.get_or_insert(number);
        let ahead = number.wrapping_sub(highest);
        let behind = highest.wrapping_sub(number);
        if (1..RESTART).contains(&ahead) {
            let until = arrival + REORDER_WAIT;
            for between in 1..ahead {
                self.missing
                    .push_back((highest.wrapping_add(between), until));
            }
            self.highest = Some(number);
        } else if behind < RESTART {
            self.missing.retain(|(missing, _)| *missing != number);
        } else {
            // A stream that started over begins like any other.
            self.missing.clear();
            self.highest = Some(number);
            self.requests.broken();
        }
        if self.codec.begins_key_frame(payload) {
            self.requests.whole();
            // What was before it does not matter any more.
            let is_later = |missing: u16| missing.wrapping_sub(number) < RESTART;
            self.missing.retain(|(missing, _)| is_later(*missing));
        }
        if self.missing.len() > MOST_MISSING {
            self.missing.clear();
            self.requests.broken();
        }
        self.poll(arrival);
    }

    /// Gives up what was waited for long enough.
    pub(crate) fn poll(&mut self, now: Instant) {
        while self.next_due().is_some_and(|due| due <= now) {
            self.missing.pop_front();
            self.requests.broken();
        }
    }

    /// Returns when [`Picture::poll`] has something to do.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.missing.front().map(|(_, until)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A VP8 payload: descriptor of a frame's start, then the tag of a key frame or another one.
    fn vp8(is_key: bool) -> [u8; 2] {
        [0x10, u8::from(!is_key)]
    }

    /// A picture that began well.
    fn began(start: Instant, number: u16) -> Picture {
        let mut picture = Picture::new(Codec::Vp8);
        picture.packet(start, number, &vp8(true));
        assert!(!picture.requests.are_due(start));
        picture
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn what_does_not_begin_with_a_key_frame_is_asked_for_one() {
        let start = Instant::now();
        let mut picture = Picture::new(Codec::Vp8);
        picture.packet(start, 7, &vp8(false));
        assert!(picture.requests.are_due(start));
        assert!(
            !picture.requests.are_due(start + ms(499)),
            "not again so soon"
        );
        assert!(picture.requests.are_due(start + ms(500)));
        picture.packet(start + ms(510), 8, &vp8(true));
        assert!(!picture.requests.are_due(start + ms(2000)));
    }

    #[test]
    fn what_is_lost_for_good_is_a_reason_and_what_comes_late_is_not() {
        let start = Instant::now();
        let mut picture = began(start, 65_535);
        picture.packet(start + ms(33), 2, &vp8(false));
        assert_eq!(picture.next_due(), Some(start + ms(283)));
        // One comes again in time, the other does not.
        picture.packet(start + ms(90), 0, &vp8(false));
        picture.poll(start + ms(282));
        assert!(!picture.requests.are_due(start + ms(282)));
        picture.poll(start + ms(283));
        assert!(picture.requests.are_due(start + ms(283)));

        let mut picture = began(start, 10);
        picture.packet(start + ms(33), 12, &vp8(false));
        picture.packet(start + ms(90), 11, &vp8(false));
        assert_eq!(picture.next_due(), None);
        picture.packet(start + ms(900), 13, &vp8(false));
        assert!(!picture.requests.are_due(start + ms(900)));
    }

    #[test]
    fn a_key_frame_mends_what_was_before_it_and_not_what_is_missing_of_itself() {
        let start = Instant::now();
        let mut picture = began(start, 10);
        picture.packet(start + ms(33), 13, &vp8(true));
        assert_eq!(picture.next_due(), None);
        picture.packet(start + ms(34), 15, &[0x00, 1]);
        picture.poll(start + ms(400));
        assert!(
            picture.requests.are_due(start + ms(400)),
            "14 was of the key frame"
        );
    }

    #[test]
    fn a_stream_that_starts_over_begins_anew_and_a_great_hole_is_not_waited_for() {
        let start = Instant::now();
        let mut picture = began(start, 10);
        picture.packet(start + ms(33), 40_000, &vp8(false));
        assert!(picture.requests.are_due(start + ms(33)));
        let mut picture = began(start, 10);
        picture.packet(start + ms(33), 400, &vp8(false));
        assert!(picture.requests.are_due(start + ms(33)));
        assert!(picture.missing.is_empty());
    }
}
