//! One stream we receive: what of it has arrived, what is missing, and its jitter.

use std::time::{Duration, Instant};

use rtc::rtcp::reception_report::ReceptionReport;

use crate::srtp::Window;

/// Packets that are asked for, at most so far behind the newest.
const REACH: u64 = 512;
/// How many times one is asked for.
const MOST_ASKED: u8 = 10;

/// What has arrived of a stream (RFC 3550 §6.4.1, appendix A).
#[derive(Debug, Default)]
pub(super) struct Reception {
    clock_rate: u32,
    first: u64,
    arrived: Window,
    received: u64,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// Arrival of the last packet, and its RTP time.
    transit: Option<(Instant, u32)>,
    jitter: f64,
    /// The middle of the last sender report's NTP time, and when it came.
    sender_report: Option<(u32, Instant)>,
    missing: Vec<Missing>,
    asks: bool,
}

#[derive(Debug)]
struct Missing {
    number: u64,
    asked: u8,
}

impl Reception {
    /// Of a stream of this clock; `asks` for what is missing, if the far end repeats it.
    pub(super) fn new(clock_rate: u32, asks: bool) -> Self {
        Self {
            clock_rate,
            asks,
            ..Self::default()
        }
    }

    /// Takes note of a packet by its extended number; false if it was there before, or is too late.
    pub(super) fn arrived(&mut self, number: u64) -> bool {
        if !self.arrived.is_new(number) {
            return false;
        }
        match self.arrived.highest() {
            None => self.first = number,
            Some(highest) if number > highest => {
                if self.asks && number - highest <= REACH {
                    let gap = (highest + 1..number).map(|number| Missing { number, asked: 0 });
                    self.missing.extend(gap);
                }
            }
            Some(_) => {
                self.first = self.first.min(number);
                self.missing.retain(|missing| missing.number != number);
            }
        }
        self.arrived.mark(number);
        self.received += 1;
        true
    }

    /// The highest number so far.
    pub(super) fn highest(&self) -> Option<u64> {
        self.arrived.highest()
    }

    /// Takes the time of a packet that came in its turn (appendix A.8).
    pub(super) fn clocked(&mut self, now: Instant, timestamp: u32) {
        if let Some((before, earlier)) = self.transit.replace((now, timestamp)) {
            let took = now.saturating_duration_since(before).as_secs_f64();
            let apart = f64::from(timestamp.wrapping_sub(earlier) as i32);
            let difference = (took * f64::from(self.clock_rate) - apart).abs();
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }

    /// Takes note of a sender report.
    pub(super) fn sender_report(&mut self, now: Instant, ntp: u64) {
        self.sender_report = Some(((ntp >> 16) as u32, now));
    }

    fn expected(&self) -> u64 {
        let highest = self.arrived.highest();
        highest.map_or(0, |highest| highest - self.first + 1)
    }

    /// Packets that never came.
    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    pub(super) fn jitter(&self) -> Duration {
        let seconds = self.jitter / f64::from(self.clock_rate.max(1));
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// What is told to the sender, since the last time.
    pub(super) fn report(&mut self, now: Instant, ssrc: u32) -> ReceptionReport {
        let (expected, received) = (self.expected(), self.received);
        let (expected_before, received_before) =
            std::mem::replace(&mut self.reported, (expected, received));
        let due = expected - expected_before;
        let lost = due.saturating_sub(received - received_before);
        let (last_sender_report, delay) = match self.sender_report {
            Some((middle, at)) => {
                let since = now.saturating_duration_since(at);
                (middle, (since.as_secs_f64() * 65536.0) as u32)
            }
            None => (0, 0),
        };
        ReceptionReport {
            ssrc,
            fraction_lost: (lost * 256).checked_div(due).unwrap_or(0).min(255) as u8,
            // A signed number of 24 bits.
            total_lost: (self.lost().clamp(-0x80_0000, 0x7f_ffff) & 0xff_ffff) as u32,
            last_sequence_number: self.arrived.highest().unwrap_or(0) as u32,
            jitter: self.jitter as u32,
            last_sender_report,
            delay,
        }
    }

    /// The sequence numbers to ask for, each at most ten times.
    pub(super) fn ask(&mut self, into: &mut Vec<u16>) {
        into.clear();
        let highest = self.arrived.highest().unwrap_or(0);
        self.missing.retain_mut(|missing| {
            let is_worth_it = missing.asked < MOST_ASKED && highest - missing.number < REACH;
            if is_worth_it {
                missing.asked += 1;
                into.push(missing.number as u16);
            }
            is_worth_it
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(reception: &mut Reception) -> Vec<u16> {
        let mut numbers = Vec::new();
        reception.ask(&mut numbers);
        numbers
    }

    #[test]
    fn what_is_missing_is_asked_for_until_it_comes_or_ten_times() {
        let mut reception = Reception::new(90_000, true);
        for number in [65_534, 65_535, 65_538] {
            assert!(reception.arrived(number));
        }
        assert_eq!(asked(&mut reception), [0, 1]);
        assert!(reception.arrived(65_536) && !reception.arrived(65_536));
        for _ in 1..MOST_ASKED {
            assert_eq!(asked(&mut reception), [1]);
        }
        assert!(asked(&mut reception).is_empty());
        assert_eq!(reception.lost(), 1);
        let mut indifferent = Reception::new(48_000, false);
        assert!(indifferent.arrived(1) && indifferent.arrived(5));
        assert!(asked(&mut indifferent).is_empty());
    }

    #[test]
    fn what_is_far_behind_is_given_up() {
        let mut reception = Reception::new(90_000, true);
        reception.arrived(10);
        reception.arrived(12);
        assert_eq!(asked(&mut reception), [11]);
        for number in 13..12 + REACH {
            reception.arrived(number);
        }
        assert!(asked(&mut reception).is_empty());
    }

    #[test]
    fn a_report_tells_loss_since_the_last_one_and_in_all() {
        let start = Instant::now();
        let mut reception = Reception::new(8_000, false);
        for number in (100..200).filter(|number| number % 4 != 0 || *number == 100) {
            reception.arrived(number);
        }
        let report = reception.report(start, 7);
        assert_eq!((report.ssrc, report.total_lost), (7, 24));
        assert_eq!(report.fraction_lost, 61, "24 of 100, in 256ths");
        assert_eq!(report.last_sequence_number, 199);
        assert_eq!((report.last_sender_report, report.delay), (0, 0));
        for number in 200..300 {
            reception.arrived(number);
        }
        reception.sender_report(start, 0x0001_0203_0405_0607);
        let report = reception.report(start + Duration::from_millis(500), 7);
        assert_eq!((report.fraction_lost, report.total_lost), (0, 24));
        assert_eq!(report.last_sender_report, 0x0203_0405);
        assert_eq!(report.delay, 32_768);
    }

    #[test]
    fn jitter_is_that_of_the_transit_times() {
        let start = Instant::now();
        let mut even = Reception::new(8_000, false);
        let mut uneven = Reception::new(8_000, false);
        for number in 0..500_u32 {
            let due = start + Duration::from_millis(20) * number;
            even.clocked(due, number * 160);
            let late = Duration::from_millis(u64::from(number % 2) * 4);
            uneven.clocked(due + late, number * 160);
        }
        assert!(even.jitter() < Duration::from_micros(10));
        // Four milliseconds from one to the next, each way.
        let jitter = uneven.jitter().as_secs_f64();
        assert!((jitter - 0.004).abs() < 0.000_1, "{jitter}");
    }
}
