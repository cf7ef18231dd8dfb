//! Feedback on transport-wide numbers: which packets arrived when
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::time::Instant;

use crate::srtp::nearest;

/// Arrivals that one report covers; more are not reported.
const MOST: usize = 1024;
/// Numbers that one report may span.
const LONGEST: u64 = 4096;
/// Arrival times are told in this unit, in µs, and the first against this one.
pub(super) const UNIT: i64 = 250;
pub(super) const REFERENCE: i64 = 64_000;

/// What has arrived since the last report.
#[derive(Debug)]
pub(super) struct Arrivals {
    epoch: Instant,
    /// The source of the last packet; a report names one.
    ssrc: u32,
    highest: Option<u64>,
    /// Number behind the last one reported.
    next: u64,
    count: u8,
    /// Numbers and µs since the epoch.
    pending: Vec<(u64, i64)>,
    /// Parts of a report in the making, kept for the next one.
    statuses: Vec<u8>,
    deltas: Vec<u8>,
}

impl Arrivals {
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            ssrc: 0,
            highest: None,
            next: 0,
            count: 0,
            pending: Vec::new(),
            statuses: Vec::new(),
            deltas: Vec::new(),
        }
    }

    /// Takes note of a packet.
    pub(super) fn arrived(&mut self, now: Instant, ssrc: u32, number: u16) {
        let number = nearest(self.highest, number);
        if self.highest.is_none() {
            self.next = number;
        }
        self.highest = self.highest.max(Some(number));
        self.ssrc = ssrc;
        if self.pending.len() < MOST {
            let at = now.saturating_duration_since(self.epoch).as_micros() as i64;
            self.pending.push((number, at));
        }
    }

    /// Whether there is anything to report.
    pub(super) fn any(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Appends a report of all that arrived since the last; nothing if nothing did.
    pub(super) fn report(&mut self, sender: u32, bytes: &mut Vec<u8>) {
        self.pending.sort_unstable();
        self.pending.dedup_by_key(|(number, _)| *number);
        let Some(&(last, _)) = self.pending.last() else {
            return;
        };
        let earliest = self.pending[0].0;
        let mut base = self.next.min(earliest);
        if last - base >= LONGEST {
            base = earliest.max(last - LONGEST + 1);
        }
        self.pending.retain(|(number, _)| *number >= base);
        self.next = last + 1;
        let start = bytes.len();
        let (statuses, deltas) = (&mut self.statuses, &mut self.deltas);
        statuses.clear();
        deltas.clear();
        let reference = self.pending[0].1 / REFERENCE;
        let mut told = reference * REFERENCE;
        let mut covered = base;
        for (number, at) in self.pending.drain(..) {
            let apart = at - told;
            let delta = (apart + apart.signum() * UNIT / 2) / UNIT;
            // More than eight seconds apart: it goes untold.
            let Ok(delta) = i16::try_from(delta) else {
                continue;
            };
            told += i64::from(delta) * UNIT;
            statuses.resize(statuses.len() + (number - covered) as usize, LOST);
            if let Ok(small) = u8::try_from(delta) {
                statuses.push(SMALL);
                deltas.push(small);
            } else {
                statuses.push(LARGE);
                deltas.extend(delta.to_be_bytes());
            }
            covered = number + 1;
        }
        bytes.extend([0x8f, 205, 0, 0]);
        bytes.extend(sender.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend((base as u16).to_be_bytes());
        bytes.extend((statuses.len() as u16).to_be_bytes());
        bytes.extend(&(reference as u32).to_be_bytes()[1..]);
        bytes.push(self.count);
        self.count = self.count.wrapping_add(1);
        chunks(statuses, bytes);
        bytes.extend_from_slice(deltas);
        let length = bytes.len() - start;
        let padding = length.next_multiple_of(4) - length;
        if padding > 0 {
            bytes[start] |= 0x20;
            bytes.resize(bytes.len() + padding - 1, 0);
            bytes.push(padding as u8);
        }
        let words = ((bytes.len() - start) / 4 - 1) as u16;
        bytes[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

/// Statuses of packets: lost, or arrived with a delta of one byte or of two.
const LOST: u8 = 0;
pub(super) const SMALL: u8 = 1;
pub(super) const LARGE: u8 = 2;

/// Writes statuses as runs where they are long, and in sevens elsewhere.
fn chunks(mut statuses: &[u8], bytes: &mut Vec<u8>) {
    while let Some(first) = statuses.first() {
        let run = statuses.iter().take_while(|status| *status == first);
        let run = run.take(0x1fff).count();
        if run >= 7 || run == statuses.len() {
            let chunk = u16::from(*first) << 13 | run as u16;
            bytes.extend(chunk.to_be_bytes());
            statuses = &statuses[run..];
            continue;
        }
        let (seven, rest) = statuses.split_at(statuses.len().min(7));
        let mut chunk = 0b11 << 14;
        for (at, status) in seven.iter().enumerate() {
            chunk |= u16::from(*status) << (12 - 2 * at);
        }
        bytes.extend(chunk.to_be_bytes());
        statuses = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtc::{
        rtcp::transport_feedbacks::transport_layer_cc::{
            PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
        },
        shared::marshal::Unmarshal,
    };

    use super::*;

    /// What a report says by the library that browsers' reports are read with: numbers, and µs.
    fn read(mut bytes: &[u8]) -> Vec<(u16, Option<i64>)> {
        let report = TransportLayerCc::unmarshal(&mut bytes).expect("a report");
        let mut statuses = Vec::new();
        for chunk in &report.packet_chunks {
            match chunk {
                PacketStatusChunk::RunLengthChunk(run) => {
                    statuses.extend(vec![run.packet_status_symbol; run.run_length.into()]);
                }
                PacketStatusChunk::StatusVectorChunk(vector) => {
                    statuses.extend(vector.symbol_list.clone());
                }
            }
        }
        statuses.truncate(report.packet_status_count.into());
        let mut deltas = report.recv_deltas.iter();
        let mut at = i64::from(report.reference_time) * REFERENCE;
        statuses
            .iter()
            .zip(0_u16..)
            .map(|(status, number)| {
                let arrival = (*status != SymbolTypeTcc::PacketNotReceived).then(|| {
                    at += deltas.next().expect("a delta").delta;
                    at
                });
                (report.base_sequence_number.wrapping_add(number), arrival)
            })
            .collect()
    }

    fn report(arrivals: &mut Arrivals) -> Vec<(u16, Option<i64>)> {
        let mut bytes = Vec::new();
        arrivals.report(1, &mut bytes);
        assert_eq!(bytes.len() % 4, 0);
        read(&bytes)
    }

    #[test]
    fn reports_tell_what_arrived_when_and_what_did_not() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        let at = |ms: u64| epoch + Duration::from_millis(ms);
        for (number, ms) in [(65_534, 100), (65_535, 101), (1, 103), (0, 190)] {
            arrivals.arrived(at(ms), 9, number);
        }
        let expected = [
            (65_534, Some(100_000)),
            (65_535, Some(101_000)),
            (0, Some(190_000)),
            (1, Some(103_000)),
        ];
        assert_eq!(report(&mut arrivals), expected);
        // Two are lost, then many come.
        for number in 4..64 {
            arrivals.arrived(at(200 + u64::from(number)), 9, number);
        }
        let second = report(&mut arrivals);
        assert_eq!(second[..2], [(2, None), (3, None)]);
        let all: Vec<_> = (4..64_u16)
            .map(|number| (number, Some(200_000 + i64::from(number) * 1000)))
            .collect();
        assert_eq!(second[2..], all);
        let mut nothing = Vec::new();
        arrivals.report(1, &mut nothing);
        assert!(nothing.is_empty());
        // One that was told lost comes late.
        arrivals.arrived(at(300), 9, 3);
        assert_eq!(report(&mut arrivals), [(3, Some(300_000))]);
    }

    #[test]
    fn whatever_comes_the_report_can_be_read() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        let mut at = epoch;
        for _ in 0..300 {
            for _ in 0..fastrand::usize(1..40) {
                at += Duration::from_micros(fastrand::u64(..40_000_000) / fastrand::u64(1..9000));
                let number = if fastrand::u8(..) < 3 {
                    fastrand::u16(..)
                } else {
                    (arrivals.highest.unwrap_or(0) as u16).wrapping_add(fastrand::u16(..4))
                };
                arrivals.arrived(at, 1, number);
            }
            let reported = report(&mut arrivals);
            assert!(reported.len() as u64 <= LONGEST);
        }
    }
}
