//! What cannot be less: each packet protected, each sent by one `sendto`.

use std::{
    collections::BinaryHeap,
    io,
    net::UdpSocket,
    time::{Duration, Instant},
};

use bytes::{BufMut, BytesMut};
use rtc::{
    crypto,
    srtp::{context::Context, protection_profile::ProtectionProfile},
};

use crate::{
    measure::{self, Outcome},
    node::Node,
    pump::{Due, Material, Schedule},
};

struct Caller {
    socket: UdpSocket,
    srtp: Context,
    schedule: Schedule,
    sequence_numbers: [u16; 2],
}

pub(crate) fn run(callers: usize, seconds: u64) -> io::Result<Outcome> {
    let mut node = Node::start()?;
    let provider = crypto::default_provider().map_err(io::Error::other)?;
    let begin = Instant::now() + Duration::from_millis(100);
    let mut all = Vec::new();
    for _ in 0..callers {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(node.sink()?)?;
        let srtp = Context::new(
            &[7; 16],
            &[9; 12],
            ProtectionProfile::AeadAes128Gcm,
            None,
            None,
            provider.crypto(),
        )
        .map_err(io::Error::other)?;
        all.push(Caller {
            socket,
            srtp,
            schedule: Schedule::new(begin),
            sequence_numbers: [0; 2],
        });
    }
    let mut due = BinaryHeap::new();
    let mut next: Vec<Due> = Vec::new();
    for (at, caller) in all.iter_mut().enumerate() {
        let (when, what) = caller.schedule.next();
        due.push((std::cmp::Reverse(when), at));
        next.push(what);
    }
    let material = Material::new();
    let end = begin + Duration::from_secs(seconds);
    let mut late = Vec::new();
    let mut sent = 0;
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    let (wall, cpu) = (Instant::now(), measure::cpu_time()?);
    while let Some((std::cmp::Reverse(when), at)) = due.pop() {
        if when >= end {
            break;
        }
        std::thread::sleep(when.saturating_duration_since(Instant::now()));
        late.push(when.elapsed().as_secs_f64() * 1000.0);
        sent += all[at].send(next[at], &material)?;
        let (when, what) = all[at].schedule.next();
        next[at] = what;
        due.push((std::cmp::Reverse(when), at));
    }
    let (wall, cpu) = (wall.elapsed(), measure::cpu_time()? - cpu);
    std::thread::sleep(Duration::from_millis(200));
    let received = node.received()?;
    Ok(Outcome {
        core_percent: measure::core_percent(cpu, wall, callers),
        rss_mb: measure::rss_mb(),
        join_p50_ms: 0.0,
        join_p95_ms: 0.0,
        late_p99_ms: measure::percentile(&mut late, 0.99),
        lost_percent: 100.0 * (1.0 - received as f64 / sent as f64),
    })
}

impl Caller {
    fn send(&mut self, due: Due, material: &Material) -> io::Result<u64> {
        let (frame, timestamp) = material.frame(due);
        let (kind, payload_type, ssrc) = match due {
            Due::Audio { .. } => (0, 111, 1_u32),
            Due::Video { .. } => (1, 96, 2),
        };
        for payload in &frame.payloads {
            self.sequence_numbers[kind] = self.sequence_numbers[kind].wrapping_add(1);
            let mut packet = BytesMut::with_capacity(12 + payload.len());
            packet.put_u8(0x80);
            packet.put_u8(payload_type);
            packet.put_u16(self.sequence_numbers[kind]);
            packet.put_u32(timestamp);
            packet.put_u32(ssrc);
            packet.put_slice(payload);
            let protected = self.srtp.encrypt_rtp(&packet).map_err(io::Error::other)?;
            // A full buffer loses the packet, as the network would.
            let _ = self.socket.send(&protected);
        }
        Ok(frame.payloads.len() as u64)
    }
}
