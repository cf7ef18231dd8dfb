//! This crate's callers: N offering peers on two shards.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use media::Kind;
use peer::{Peer, PeerConfig, PeerEvent, Shards};

use crate::{
    measure::{self, Outcome},
    node::Node,
    pump::{Material, Schedule},
};

pub(crate) fn run(callers: usize, seconds: u64, transport_cc: bool) -> io::Result<Outcome> {
    let node = Arc::new(Mutex::new(Node::start()?));
    let shards = Shards::new(2)?;
    let main = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut joins = Vec::new();
    let mut peers = Vec::new();
    for at in 0..callers {
        let shard = shards.next();
        let node = node.clone();
        let joined = shard
            .clone()
            .spawn(async move { join(&shard, node, transport_cc).await });
        peers.push(joined);
        // Fifty joins a second.
        if at + 1 < callers {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let mut connected = Vec::new();
    for peer in peers {
        let (peer, took) = main
            .block_on(peer)
            .map_err(io::Error::other)?
            .map_err(io::Error::other)?;
        joins.push(took.as_secs_f64() * 1000.0);
        connected.push(peer);
    }
    let begin = Instant::now() + Duration::from_millis(200);
    let end = begin + Duration::from_secs(seconds);
    let material = Arc::new(Material::new());
    let before = lock(&node).received()?;
    let mut pumps = Vec::new();
    let handles: Vec<_> = (0..callers).map(|_| shards.next()).collect();
    for (peer, shard) in connected.iter().cloned().zip(handles) {
        let material = material.clone();
        pumps.push(shard.spawn(async move { pump(&peer, &material, begin, end).await }));
    }
    std::thread::sleep(begin.saturating_duration_since(Instant::now()));
    let (wall, cpu) = (Instant::now(), measure::cpu_time()?);
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    let (wall, cpu) = (wall.elapsed(), measure::cpu_time()? - cpu);
    let rss_mb = measure::rss_mb();
    let mut late = Vec::new();
    let mut sent = 0;
    for pump in pumps {
        let (packets, mut times) = main.block_on(pump).map_err(io::Error::other)?;
        sent += packets;
        late.append(&mut times);
    }
    std::thread::sleep(Duration::from_millis(300));
    let received = lock(&node).received()? - before;
    Ok(Outcome {
        core_percent: measure::core_percent(cpu, wall, callers),
        rss_mb,
        join_p50_ms: measure::percentile(&mut joins, 0.5),
        join_p95_ms: measure::percentile(&mut joins, 0.95),
        late_p99_ms: measure::percentile(&mut late, 0.99),
        lost_percent: 100.0 * (1.0 - received as f64 / sent as f64),
    })
}

fn lock(node: &Mutex<Node>) -> std::sync::MutexGuard<'_, Node> {
    node.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn join(
    shard: &peer::Shard,
    node: Arc<Mutex<Node>>,
    transport_cc: bool,
) -> Result<(Peer, Duration), Box<dyn std::error::Error + Send + Sync>> {
    let begun = Instant::now();
    let config = PeerConfig {
        addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        transport_cc,
        ..PeerConfig::default()
    };
    let (peer, mut events) = Peer::offerer(shard, config).await?;
    let offer = peer.gathered_offer().await?;
    let answer = tokio::task::spawn_blocking(move || lock(&node).answer(&offer)).await??;
    peer.set_answer(&answer).await?;
    while let Some(event) = events.recv().await {
        if let PeerEvent::DtlsConnected = event {
            break;
        }
    }
    let took = begun.elapsed();
    shard.spawn(async move { while events.recv().await.is_some() {} });
    Ok((peer, took))
}

async fn pump(peer: &Peer, material: &Material, begin: Instant, end: Instant) -> (u64, Vec<f64>) {
    let (Some(audio), Some(video)) = (peer.sender(Kind::Audio), peer.sender(Kind::Video)) else {
        return (0, Vec::new());
    };
    let mut schedule = Schedule::new(begin);
    let mut late = Vec::new();
    let mut sent = 0;
    loop {
        let (when, due) = schedule.next();
        if when >= end {
            return (sent, late);
        }
        tokio::time::sleep_until(when.into()).await;
        late.push(when.elapsed().as_secs_f64() * 1000.0);
        let (frame, timestamp) = material.frame(due);
        let sender = match frame.codec.kind() {
            Kind::Audio => &audio,
            Kind::Video => &video,
        };
        if sender.send(frame, timestamp).is_ok() {
            sent += frame.payloads.len() as u64;
        }
    }
}
