//! Sound as it is heard: 20 ms every 20 ms.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Frame, JitterCounts, Kind, Playout, SAMPLE_RATE};
use tokio::sync::mpsc::{Receiver, error::TryRecvError};

use super::program::Fed;
use crate::recording::{Lane, Recordable};

/// Whoever takes its sound later than this has missed what lies between.
const LATEST: Duration = Duration::from_millis(500);

/// Plays the sound that comes to `hear`, and hands pictures to `see`, until nothing comes any more
/// or `hear` takes no more.
pub(crate) fn play(
    taken: &mut Receiver<Recordable>,
    mut see: impl FnMut(Arc<Frame>),
    mut hear: impl FnMut(&[i16], JitterCounts) -> io::Result<()>,
) -> Fed {
    let Ok(mut playout) = Playout::new(1) else {
        return Fed::Broken;
    };
    let mut lane = Lane::default();
    let mut due = Instant::now();
    loop {
        loop {
            match taken.try_recv() {
                Ok(Recordable::Frame(arrived)) if arrived.kind == Kind::Audio => {
                    if let Some(packet) = arrived.frame.payloads.first()
                        && lane.takes(arrived.ssrc, arrived.arrival)
                    {
                        playout.push(arrived.arrival, arrived.rtp_timestamp, packet.clone());
                    }
                }
                Ok(Recordable::Frame(arrived)) => see(arrived.frame),
                Ok(Recordable::SenderReport { .. }) => {}
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Fed::All,
            }
        }
        let now = Instant::now();
        if now < due {
            std::thread::sleep(due - now);
            continue;
        }
        if now > due + LATEST {
            due = now;
        }
        due += Playout::TICK;
        let counts = playout.counts();
        if hear(playout.tick(now), counts).is_err() {
            return Fed::Broken;
        }
    }
}

/// Plays the sound that comes into `out`, as samples of 16 bits.
pub(super) fn write(mut out: impl Write, taken: &mut Receiver<Recordable>, with_head: bool) -> Fed {
    if with_head && out.write_all(&head()).is_err() {
        return Fed::Broken;
    }
    let mut bytes = Vec::new();
    let hear = |sound: &[i16], _| {
        bytes.clear();
        bytes.extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
        out.write_all(&bytes)?;
        out.flush()
    };
    play(taken, |_| {}, hear)
}

/// The head of a WAV file whose size nobody knows.
fn head() -> [u8; 44] {
    let mut head = *b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0data\xff\xff\xff\xff";
    head[24..28].copy_from_slice(&SAMPLE_RATE.to_le_bytes());
    head[28..32].copy_from_slice(&(SAMPLE_RATE * 2).to_le_bytes());
    head
}
