//! Datagrams of one frame, or of one turn of webrtc's driver, joined into as few system calls as
//! possible.

use std::net::SocketAddr;

/// The kernel takes 64 segments and 64 KiB at once; a run is smaller, so that the receive buffer
/// of a peer that coalesces again need not be that large.
const MAX_SEGMENTS: usize = 32;
const MAX_RUN_BYTES: usize = 48 * 1024;

/// What may wait for a socket that is not writable; more is dropped.
const MAX_WAITING_BYTES: usize = 512 * 1024;

/// A queue of datagrams, in runs of equal size to one destination.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// The first run that has not been sent.
    next: usize,
}

/// Datagrams that one `sendmsg` with UDP_SEGMENT sends: all of one size, the last may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) destination: SocketAddr,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) segment: usize,
}

impl Run {
    /// How many datagrams it holds.
    pub(crate) fn segments(&self) -> usize {
        (self.end - self.start).div_ceil(self.segment.max(1))
    }

    fn takes(&self, destination: SocketAddr, length: usize, max_segments: usize) -> bool {
        self.destination == destination
            && length > 0
            && length <= self.segment
            // A shorter datagram ends a run.
            && (self.end - self.start).is_multiple_of(self.segment)
            && self.segments() < max_segments.min(MAX_SEGMENTS)
            && self.end - self.start + length <= MAX_RUN_BYTES
    }
}

impl Outbox {
    /// Adds a datagram; false if there is no room.
    pub(crate) fn push(
        &mut self,
        destination: SocketAddr,
        datagram: &[u8],
        max_segments: usize,
    ) -> bool {
        if !self.has_room(datagram.len()) {
            return false;
        }
        self.write(destination, max_segments, |bytes| {
            bytes.extend_from_slice(datagram);
            true
        });
        true
    }

    /// Adds the datagram that `write` appends, or nothing where it says false.
    pub(crate) fn write(
        &mut self,
        destination: SocketAddr,
        max_segments: usize,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) {
        let start = self.bytes.len();
        if !write(&mut self.bytes) {
            self.bytes.truncate(start);
            return;
        }
        let end = self.bytes.len();
        // Only a run that has not been begun may still grow.
        match self.runs[self.next..].last_mut() {
            Some(run) if run.takes(destination, end - start, max_segments) => run.end = end,
            _ => self.runs.push(Run {
                destination,
                start,
                end,
                segment: end - start,
            }),
        }
    }

    /// Whether nothing is to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.next == self.runs.len()
    }

    /// Whether so many bytes more find room.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.bytes.len() + bytes <= MAX_WAITING_BYTES
    }

    /// Moves what is left of another behind it; returns how many datagrams found no room.
    pub(crate) fn append(&mut self, other: &mut Self) -> u64 {
        let mut lost = 0;
        while let Some((run, bytes)) = other.front() {
            if self.has_room(bytes.len()) {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                let end = self.bytes.len();
                self.runs.push(Run { start, end, ..run });
            } else {
                lost += run.segments() as u64;
            }
            other.pop();
        }
        lost
    }

    /// Forgets what is left.
    pub(crate) fn clear(&mut self) {
        self.next = 0;
        self.runs.clear();
        self.bytes.clear();
    }

    /// The next run to send, and its bytes.
    pub(crate) fn front(&self) -> Option<(Run, &[u8])> {
        let run = self.runs.get(self.next)?;
        Some((*run, &self.bytes[run.start..run.end]))
    }

    /// Takes the front run off.
    pub(crate) fn pop(&mut self) {
        self.next += 1;
        if self.is_empty() {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn segments(outbox: &mut Outbox) -> Vec<(u16, usize)> {
        let mut runs = Vec::new();
        while let Some((run, _)) = outbox.front() {
            runs.push((run.destination.port(), run.segments()));
            outbox.pop();
        }
        runs
    }

    #[test]
    fn equal_datagrams_to_one_destination_are_one_run_and_a_shorter_one_ends_it() {
        let mut outbox = Outbox::default();
        for length in [1000, 1000, 400, 1000, 1200] {
            assert!(outbox.push(to(1), &vec![0; length], 64));
        }
        assert!(outbox.push(to(2), &[0; 1200], 64));
        assert_eq!(segments(&mut outbox), [(1, 3), (1, 1), (1, 1), (2, 1)]);
        assert!(outbox.front().is_none() && outbox.bytes.is_empty());
    }

    #[test]
    fn without_segmentation_every_datagram_is_its_own_run() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            outbox.push(to(1), &[0; 100], 1);
        }
        assert_eq!(segments(&mut outbox), [(1, 1), (1, 1), (1, 1)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut outbox = Outbox::default();
        while outbox.push(to(1), &[0; 1200], 64) {}
        assert!(outbox.bytes.len() <= MAX_WAITING_BYTES);
        while outbox.front().is_some() {
            outbox.pop();
        }
        assert!(outbox.push(to(1), &[0; 1200], 64));
    }
}
