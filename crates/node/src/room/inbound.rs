//! What comes in by a call: its peer's events, its packets. One task a call, and one a track.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use media::{Assembled, Codec, FrameAssembler, Kind};
use peer::{Inbound, PeerEvent, PeerEvents, TrackReceiver};
use tokio::task::JoinSet;

use super::Shared;
use super::call::{CallKey, Inflow};
use super::hearing::Ear;

/// A missing packet of video is waited for so long: a retransmission takes a round trip.
const VIDEO_PATIENCE: Duration = Duration::from_millis(150);

/// Serves a call until its connection ends. Tracks end with it.
pub(super) async fn serve(
    room: Weak<Shared>,
    key: CallKey,
    mut events: PeerEvents,
    ear: Ear,
    inflow: Arc<Inflow>,
) {
    let mut tracks = JoinSet::new();
    while let Some(event) = events.recv().await {
        if let PeerEvent::Track(track) = event {
            match track.kind() {
                Kind::Audio => tracks.spawn(hear(track, ear.clone(), Arc::clone(&inflow))),
                Kind::Video => tracks.spawn(see(track, room.clone(), key, Arc::clone(&inflow))),
            };
            continue;
        }
        let Some(room) = room.upgrade() else { return };
        room.lock().peer_event(Instant::now(), key, &event);
    }
    if let Some(room) = room.upgrade() {
        room.lock().peer_ended(key);
    }
}

/// Puts a track's packets into the jitter buffer, which is bounded.
async fn hear(mut track: TrackReceiver, ear: Ear, inflow: Arc<Inflow>) {
    if track.codec() != Codec::Opus {
        return;
    }
    while let Some(inbound) = track.recv().await {
        if let Inbound::Packet(packet) = inbound {
            inflow.arrived(Kind::Audio, packet.arrival);
            ear.push(packet.arrival, packet.timestamp, packet.payload);
        }
    }
}

/// Puts a track's packets together and passes whole frames on at once.
async fn see(mut track: TrackReceiver, room: Weak<Shared>, key: CallKey, inflow: Arc<Inflow>) {
    let mut assembler = FrameAssembler::new(track.codec(), VIDEO_PATIENCE);
    loop {
        let due = assembler.next_due();
        let missing = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            inbound = track.recv() => match inbound {
                Some(Inbound::Packet(packet)) => {
                    inflow.arrived(Kind::Video, packet.arrival);
                    assembler.push(packet.arrival, packet.sequence_number, packet.timestamp, packet.marker, packet.payload);
                }
                Some(_) => continue,
                None => return,
            },
            () = inflow.key_frame_wanted.notified() => track.request_key_frame(),
            () = missing => {}
        }
        while let Some(assembled) = assembler.poll(Instant::now()) {
            match assembled {
                Assembled::Frame {
                    frame,
                    rtp_timestamp,
                } => {
                    let Some(room) = room.upgrade() else { return };
                    room.lock()
                        .forward(Instant::now(), key, &frame, rtp_timestamp);
                }
                Assembled::Lost { packets } => {
                    tracing::debug!(packets, "video packets lost, waiting for a key frame")
                }
            }
        }
        inflow
            .awaits_key_frame
            .store(assembler.awaits_key_frame(), Ordering::Relaxed);
    }
}
