//! Media of the far end: what it sends to callers.

use std::{
    collections::BinaryHeap,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{BufMut, BytesMut};
use media::{Frame, Kind};
use rtc::srtp::context::Context;

use super::answer::PAYLOAD_TYPES;
use crate::workload::{Material, Schedule, Streams};

/// One caller as a destination.
pub(super) struct Destination {
    pub(super) address: SocketAddr,
    pub(super) srtp: Context,
    pub(super) sources: [u32; 2],
    pub(super) sequence_numbers: [u16; 2],
}

/// All callers as destinations.
#[derive(Default)]
pub(super) struct Destinations {
    all: Mutex<Vec<Destination>>,
    pub(super) sent: AtomicU64,
}

impl Destination {
    /// Sends one packet.
    pub(super) fn send(
        &mut self,
        socket: &UdpSocket,
        kind: Kind,
        timestamp: u32,
        payload: &[u8],
        marker: bool,
    ) {
        let at = kind as usize;
        self.sequence_numbers[at] = self.sequence_numbers[at].wrapping_add(1);
        let mut packet = BytesMut::with_capacity(12 + payload.len());
        packet.put_u8(0x80);
        packet.put_u8(PAYLOAD_TYPES[at] | if marker { 0x80 } else { 0 });
        packet.put_u16(self.sequence_numbers[at]);
        packet.put_u32(timestamp);
        packet.put_u32(self.sources[at]);
        packet.put_slice(payload);
        if let Ok(protected) = self.srtp.encrypt_rtp(&packet) {
            // A full buffer loses the packet, as the network would; the caller will miss it.
            let _ = socket.send_to(&protected, self.address);
        }
    }

    fn send_frame(&mut self, socket: &UdpSocket, frame: &Frame, timestamp: u32) -> u64 {
        let count = frame.payloads.len();
        let kind = frame.codec.kind();
        for (at, payload) in frame.payloads.iter().enumerate() {
            let marker = kind == Kind::Video && at + 1 == count;
            self.send(socket, kind, timestamp, payload, marker);
        }
        count as u64
    }
}

impl Destinations {
    pub(super) fn add(&self, destination: Destination) {
        self.lock().push(destination);
    }

    /// Answers a packet from `address` with one of the same payload.
    pub(super) fn mirror(&self, socket: &UdpSocket, address: SocketAddr, packet: &[u8]) {
        // Header and tag are about what the answer gets of its own.
        let payload = packet.len().saturating_sub(28);
        let kind = if packet[1] & 0x7f == PAYLOAD_TYPES[0] {
            Kind::Audio
        } else {
            Kind::Video
        };
        let timestamp = packet.get(4..8).and_then(|t| t.try_into().ok());
        let mut all = self.lock();
        if let Some(destination) = all.iter_mut().find(|d| d.address == address) {
            let timestamp = u32::from_be_bytes(timestamp.unwrap_or_default());
            let payload = [0x5a; 1500].get(..payload).unwrap_or_default().to_vec();
            destination.send(socket, kind, timestamp, &payload, packet[1] & 0x80 != 0);
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends the workload to all, for so long.
    pub(super) fn send_for(self: Arc<Self>, socket: &UdpSocket, streams: Streams, time: Duration) {
        let mut all = std::mem::take(&mut *self.lock());
        let begin = Instant::now();
        let mut schedules: Vec<Schedule> =
            all.iter().map(|_| Schedule::new(begin, streams)).collect();
        let mut due = BinaryHeap::new();
        let mut next = Vec::new();
        for (at, schedule) in schedules.iter_mut().enumerate() {
            let (when, what) = schedule.next();
            due.push((std::cmp::Reverse(when), at));
            next.push(what);
        }
        let material = Material::new();
        while let Some((std::cmp::Reverse(when), at)) = due.pop() {
            if when >= begin + time {
                continue;
            }
            std::thread::sleep(when.saturating_duration_since(Instant::now()));
            let (frame, timestamp) = material.frame(next[at]);
            let sent = all[at].send_frame(socket, frame, timestamp);
            self.sent.fetch_add(sent, Ordering::Relaxed);
            let (when, what) = schedules[at].next();
            next[at] = what;
            due.push((std::cmp::Reverse(when), at));
        }
        self.lock().append(&mut all);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Destination>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
