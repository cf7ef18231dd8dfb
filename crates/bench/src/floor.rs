//! What cannot be less: each packet protected, each sent by one `sendto`; and where callers
//! receive too, each received by one `recvfrom`, and its protection taken off.

use std::{
    collections::BinaryHeap,
    io,
    net::UdpSocket,
    time::{Duration, Instant},
};

use bytes::{BufMut, BytesMut};
use rtc::{
    crypto,
    srtp::{
        context::Context, option::srtp_replay_protection, protection_profile::ProtectionProfile,
    },
};

use crate::{
    measure::{self, Outcome, Watch},
    run::{Run, Traffic},
    terminator::{FLOOR_KEY, FLOOR_SALT, Terminator, is_rtp},
    workload::{Due, Material, Schedule},
};

struct Caller {
    socket: UdpSocket,
    sending: Context,
    receiving: Context,
    schedule: Schedule,
    sequence_numbers: [u16; 2],
}

pub(crate) fn run(run: &Run) -> io::Result<Outcome> {
    let mut far_end = Terminator::start()?;
    let to = far_end.address()?;
    let rss_before = measure::rss_kb();
    let begin = Instant::now() + Duration::from_millis(200);
    let mut all = Vec::new();
    for _ in 0..run.callers {
        let caller = Caller::new(to, begin, run)?;
        far_end.add_floor(caller.socket.local_addr()?)?;
        all.push(caller);
    }
    let mut due = BinaryHeap::new();
    let mut next: Vec<Due> = Vec::new();
    for (at, caller) in all.iter_mut().enumerate() {
        let (when, what) = caller.schedule.next();
        due.push((std::cmp::Reverse(when), at));
        next.push(what);
    }
    let material = Material::new();
    let end = begin + run.time;
    let mut late = Vec::new();
    let mut traffic = Traffic::default();
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    if run.receives {
        far_end.send_for(run.streams, run.time)?;
    }
    let watch = Watch::begin()?;
    while let Some((std::cmp::Reverse(when), at)) = due.pop() {
        if when >= end {
            break;
        }
        std::thread::sleep(when.saturating_duration_since(Instant::now()));
        late.push(when.elapsed().as_secs_f64() * 1000.0);
        traffic.sent += all[at].send(next[at], &material)?;
        if run.receives {
            traffic.received += all[at].receive()?;
        }
        let (when, what) = all[at].schedule.next();
        next[at] = what;
        due.push((std::cmp::Reverse(when), at));
    }
    let mut outcome = Outcome::default();
    watch.end(run.callers, rss_before, &mut outcome)?;
    std::thread::sleep(Duration::from_millis(300));
    for caller in &mut all {
        traffic.received += caller.receive()?;
    }
    outcome.set_percentiles("late", &mut late);
    traffic.tell(far_end.counts()?, &mut outcome);
    Ok(outcome)
}

impl Caller {
    fn new(to: std::net::SocketAddr, begin: Instant, run: &Run) -> io::Result<Self> {
        let provider = crypto::default_provider().map_err(io::Error::other)?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(to)?;
        socket.set_nonblocking(true)?;
        let context = |replay| {
            Context::new(
                &FLOOR_KEY,
                &FLOOR_SALT,
                ProtectionProfile::AeadAes128Gcm,
                replay,
                None,
                provider.crypto(),
            )
            .map_err(io::Error::other)
        };
        Ok(Self {
            socket,
            sending: context(None)?,
            receiving: context(Some(srtp_replay_protection(64)))?,
            schedule: Schedule::new(begin, run.streams),
            sequence_numbers: [0; 2],
        })
    }

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
            let protected = self
                .sending
                .encrypt_rtp(&packet)
                .map_err(io::Error::other)?;
            // A full buffer loses the packet, as the network would.
            let _ = self.socket.send(&protected);
        }
        Ok(frame.payloads.len() as u64)
    }

    /// Takes what has come.
    fn receive(&mut self) -> io::Result<u64> {
        let mut buffer = [0; 2000];
        let mut count = 0;
        loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, _)) if is_rtp(&buffer[..length]) => {
                    self.receiving
                        .decrypt_rtp(&buffer[..length])
                        .map_err(io::Error::other)?;
                    count += 1;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) => return Err(error),
            }
        }
    }
}
