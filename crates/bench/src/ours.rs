//! This project's callers: N offering peers on two shards.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use media::Kind;
use peer::{Inbound, Peer, PeerConfig, PeerEvent, PeerEvents, Shard, Shards};

use crate::{
    measure::Outcome,
    run::{Failure, Joined, Run, Sent, SharedFarEnd, measure},
    workload::{Material, Schedule, Streams},
};

/// Threads that callers live on.
const SHARDS: usize = 2;

/// A connected peer, held until the run ends.
pub(crate) struct Caller {
    pub(crate) peer: Peer,
}

pub(crate) fn run(run: &Run, transport_cc: bool) -> Result<Outcome, Failure> {
    let far_end = SharedFarEnd::start()?;
    let shards = Shards::new(SHARDS)?;
    let places: Vec<Shard> = (0..run.callers).map(|_| shards.next()).collect();
    let received = Arc::new(AtomicU64::new(0));
    let material = Arc::new(Material::new());
    let config = config(run.streams, transport_cc);
    measure(
        run,
        &far_end,
        &received,
        |at| {
            let (shard, far_end) = (places[at].clone(), far_end.clone());
            let (config, received) = (config.clone(), received.clone());
            let here = shard.clone();
            let joined = here.spawn(async move { join(&shard, &far_end, config, received).await });
            async { joined.await? }
        },
        |at, caller, begin, end| {
            let (material, streams) = (material.clone(), run.streams);
            let sent = places[at].spawn(async move {
                send(caller, &material, Schedule::new(begin, streams), end).await
            });
            async { Ok(sent.await?) }
        },
    )
}

/// The settings of a caller.
pub(crate) fn config(streams: Streams, transport_cc: bool) -> PeerConfig {
    let default = PeerConfig::default();
    PeerConfig {
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        transport_cc,
        video: default.video.filter(|_| streams == Streams::Both),
        ..default
    }
}

/// Connects a peer to the far end, and counts what it receives.
pub(crate) async fn join(
    shard: &Shard,
    far_end: &SharedFarEnd,
    config: PeerConfig,
    received: Arc<AtomicU64>,
) -> Result<Joined<Caller>, Failure> {
    let begun = Instant::now();
    let (peer, mut events) = Peer::offerer(shard, config).await?;
    let offer = peer.gathered_offer().await?;
    let answer = far_end.answer(offer).await?;
    peer.set_answer(&answer).await?;
    loop {
        match events.recv().await {
            Some(PeerEvent::DtlsConnected) => break,
            Some(_) => {}
            None => return Err("the peer ended before it was connected".into()),
        }
    }
    let took = begun.elapsed();
    shard.spawn(read(shard.clone(), events, received));
    Ok(Joined {
        caller: Caller { peer },
        took,
    })
}

async fn read(shard: Shard, mut events: PeerEvents, received: Arc<AtomicU64>) {
    while let Some(event) = events.recv().await {
        let PeerEvent::Track(mut track) = event else {
            continue;
        };
        let received = received.clone();
        shard.spawn(async move {
            while let Some(inbound) = track.recv().await {
                if let Inbound::Packet(_) = inbound {
                    received.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}

async fn send(
    caller: Caller,
    material: &Material,
    mut schedule: Schedule,
    end: Instant,
) -> Sent<Caller> {
    let senders = [Kind::Audio, Kind::Video].map(|kind| caller.peer.sender(kind));
    let (mut packets, mut late) = (0, Vec::new());
    while let Some(due) = schedule.wait(end, &mut late).await {
        let (frame, timestamp) = material.frame(due);
        let sender = senders[frame.codec.kind() as usize].as_ref();
        if sender.is_some_and(|sender| sender.send(frame, timestamp).is_ok()) {
            packets += frame.payloads.len() as u64;
        }
    }
    Sent {
        _caller: caller,
        packets,
        late,
    }
}
