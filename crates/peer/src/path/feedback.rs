//! What the far end says of arrivals under transport-wide numbers, read without a copy
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::transport_wide::{LARGE, REFERENCE, SMALL, UNIT};

/// Tells `take` of each number of a report whether it arrived, and when, in µs of the far end's clock. What
/// is malformed ends there.
pub(super) fn read(report: &[u8], mut take: impl FnMut(u16, Option<i64>)) -> Option<()> {
    let base = number(report, 12)?;
    let count = number(report, 14)?;
    let &[a, b, c] = report.get(16..19)?.first_chunk()?;
    // A signed number of 24 bits.
    let reference = i32::from_be_bytes([a, b, c, 0]) >> 8;
    let mut at = i64::from(reference) * REFERENCE;
    let mut chunks = Statuses::new(report.get(20..)?);
    // Arrival times follow the chunks.
    for _ in 0..count {
        chunks.next()?;
    }
    let mut deltas = chunks.rest;
    for (n, status) in (0..count).zip(Statuses::new(report.get(20..)?)) {
        let delta = match status {
            SMALL => {
                let (delta, rest) = deltas.split_first()?;
                deltas = rest;
                Some(i64::from(*delta))
            }
            LARGE => {
                let (delta, rest) = deltas.split_first_chunk()?;
                deltas = rest;
                Some(i64::from(i16::from_be_bytes(*delta)))
            }
            _ => None,
        };
        let arrival = delta.map(|delta| {
            at += delta * UNIT;
            at
        });
        take(base.wrapping_add(n), arrival);
    }
    Some(())
}

fn number(report: &[u8], at: usize) -> Option<u16> {
    let bytes = report.get(at..at + 2)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// The statuses that chunks stand for.
struct Statuses<'a> {
    rest: &'a [u8],
    chunk: u16,
    /// How many are left in the chunk.
    left: u16,
}

impl<'a> Statuses<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self {
            rest,
            chunk: 0,
            left: 0,
        }
    }
}

impl Iterator for Statuses<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        while self.left == 0 {
            let (chunk, rest) = self.rest.split_first_chunk()?;
            self.rest = rest;
            self.chunk = u16::from_be_bytes(*chunk);
            self.left = match self.chunk >> 14 {
                0b11 => 7,
                0b10 => 14,
                _ => self.chunk & 0x1fff,
            };
        }
        self.left -= 1;
        let status = match self.chunk >> 14 {
            0b11 => self.chunk >> (2 * self.left) & 3,
            0b10 => self.chunk >> self.left & 1,
            _ => self.chunk >> 13 & 3,
        };
        Some(status as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::transport_wide::Arrivals;
    use super::*;

    fn told(report: &[u8]) -> Vec<(u16, Option<i64>)> {
        let mut told = Vec::new();
        read(report, |number, arrival| told.push((number, arrival)));
        told
    }

    #[test]
    fn what_our_own_reports_say_is_read() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        let mut expected = Vec::new();
        for n in 0..40_u16 {
            let number = 65_530_u16.wrapping_add(n);
            let is_lost = n % 5 == 3 || (12..25).contains(&n);
            let at = Duration::from_millis(100 + 9 * u64::from(n) + u64::from(n / 30) * 900);
            if !is_lost {
                arrivals.arrived(epoch + at, 9, number);
            }
            expected.push((number, (!is_lost).then_some(at.as_micros() as i64)));
        }
        expected.truncate(39);
        let mut report = Vec::new();
        arrivals.report(1, &mut report);
        let read = told(&report);
        assert_eq!(read.len(), 40 - usize::from(39 % 5 == 3));
        assert_eq!(read[..39], expected);
    }

    #[test]
    fn chunks_of_single_bits_are_read() {
        let mut report = vec![0x8f, 205, 0, 6];
        report.extend([0; 8]);
        report.extend([0, 7, 0, 4, 0xff, 0xff, 0xff, 0]);
        // Of four: the first and the last, 2 and 3 units after one reference before the epoch.
        report.extend([0b1010_0100, 0, 2, 3]);
        let expected = [
            (7, Some(500 - 64_000)),
            (8, None),
            (9, None),
            (10, Some(1250 - 64_000)),
        ];
        assert_eq!(told(&report), expected);
        // The control: cut off anywhere, it tells nothing that is not so, and does not panic.
        for length in 0..report.len() {
            let read = told(&report[..length]);
            assert!(expected.starts_with(&read), "{length}: {read:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for _ in 0..50_000 {
            let length = fastrand::usize(..80);
            let bytes: Vec<u8> = (0..length).map(|_| fastrand::u8(..)).collect();
            let mut count = 0_u32;
            read(&bytes, |_, _| count += 1);
            assert!(count <= 65_535);
        }
    }
}
