//! Media both ways, feedback, retransmission, clocks.

use std::time::{Duration, Instant};

use media::{Codec, Kind};
use peer::{Inbound, MediaSender, PeerEvent};

use crate::harness::{DEADLINE, Side, config, connected_call, frame, packet};

/// Sends numbered frames until the track arrives at `to`, then `count` more; gives the track.
async fn begin(sender: &MediaSender, to: &mut Side, codec: Codec) -> peer::TrackReceiver {
    let track = to.track(codec.kind());
    tokio::pin!(track);
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let mut number = 0;
    loop {
        tokio::select! {
            track = &mut track => return track,
            _ = tick.tick() => {
                sender.send(&frame(codec, number, 1), number * 900).unwrap();
                number += 1;
            }
        }
    }
}

#[tokio::test]
async fn sound_and_picture_go_both_ways() {
    let mut call = connected_call(config(), config()).await;
    for codec in [Codec::Opus, Codec::Vp8] {
        let kind = codec.kind();
        for (from, to) in [(0, 1), (1, 0)] {
            let sides = [&mut call.caller, &mut call.node];
            let sender = sides[from].peer.sender(kind).unwrap();
            let mut track = begin(&sender, sides[to], codec).await;
            assert_eq!((track.kind(), track.codec()), (kind, codec));
            assert_eq!(track.ssrc(), sender.ssrc());
            // Whatever was sent to open the track, then frames of three packets.
            while tokio::time::timeout(Duration::from_millis(200), track.recv())
                .await
                .is_ok()
            {}
            let first = sender.next_sequence_number();
            for number in 0..5 {
                let payloads = if kind == Kind::Video { 3 } else { 1 };
                sender
                    .send(&frame(codec, 1000 + number, payloads), 5_000_000 + number)
                    .unwrap();
                for at in 0..payloads {
                    let packet = packet(&mut track).await;
                    assert_eq!(packet.payload[..4], (1000 + number).to_be_bytes());
                    assert_eq!(packet.payload[4], at as u8);
                    assert_eq!(packet.timestamp, 5_000_000 + number);
                    let expected = first as usize + number as usize * payloads + at;
                    assert_eq!(packet.sequence_number, expected as u16);
                    assert_eq!(packet.marker, kind == Kind::Video && at + 1 == payloads);
                }
            }
        }
    }
    let stats = call.caller.peer.stats().await;
    assert_eq!(stats.srtp_cipher.as_deref(), Some("SRTP_AEAD_AES_128_GCM"));
    assert!(stats.outbound_video.packets_sent >= 15, "{stats:?}");
    assert!(stats.inbound_video.packets_received >= 15, "{stats:?}");
    assert!(stats.inbound_audio.bytes_received > 0, "{stats:?}");
    assert_eq!(stats.inbound_video.packets_lost, 0);
    let pair = stats.selected_candidate_pair.unwrap();
    assert!(pair.local.ip().is_loopback() && pair.remote.ip().is_loopback());
}

#[tokio::test]
async fn a_frame_in_another_codec_is_refused() {
    let call = connected_call(config(), config()).await;
    let sender = call.caller.peer.sender(Kind::Video).unwrap();
    assert!(sender.send(&frame(Codec::Av1, 0, 1), 0).is_err());
    assert!(sender.send(&frame(Codec::Vp8, 0, 1), 0).is_ok());
}

#[tokio::test]
async fn a_key_frame_request_arrives_and_none_comes_unasked() {
    let mut call = connected_call(config(), config()).await;
    let sender = call.caller.peer.sender(Kind::Video).unwrap();
    let track = begin(&sender, &mut call.node, Codec::Vp8).await;
    // Reports keep arriving; a request must not be among what came until now.
    for _ in 0..3 {
        report(&mut call.caller, Kind::Video).await;
    }
    let asked = |event: &PeerEvent| matches!(event, PeerEvent::KeyFrameRequested { .. });
    assert!(!call.caller.seen.iter().any(asked));
    track.request_key_frame();
    let kind = call
        .caller
        .wait("key-frame request", |event| match event {
            PeerEvent::KeyFrameRequested { kind } => Ok(kind),
            other => Err(other),
        })
        .await;
    assert_eq!(kind, Kind::Video);
}

async fn report(side: &mut Side, of: Kind) -> peer::ReceiverReport {
    side.wait("receiver report", |event| match event {
        PeerEvent::ReceiverReport(report) if report.kind == of => Ok(report),
        other => Err(other),
    })
    .await
}

#[tokio::test]
async fn receiver_reports_cover_the_last_packet_and_know_the_round_trip() {
    let mut call = connected_call(config(), config()).await;
    let sender = call.caller.peer.sender(Kind::Audio).unwrap();
    let _track = begin(&sender, &mut call.node, Codec::Opus).await;
    let last = sender.next_sequence_number() - 1;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let report = report(&mut call.caller, Kind::Audio).await;
        assert_eq!(report.packets_lost, 0);
        assert!(report.highest_sequence_number <= last);
        if report.highest_sequence_number == last
            && let Some(rtt) = report.round_trip_time
        {
            assert!(rtt < Duration::from_millis(500), "{rtt:?}");
            break;
        }
        assert!(Instant::now() < deadline, "{report:?} never covers {last}");
    }
}

#[tokio::test]
async fn lost_packets_come_again_in_their_place() {
    let lossy = peer::PeerConfig {
        drop_one_in: Some(10),
        ..config()
    };
    let mut call = connected_call(lossy, config()).await;
    let sender = call.caller.peer.sender(Kind::Video).unwrap();
    let mut track = begin(&sender, &mut call.node, Codec::Vp8).await;
    let first = sender.next_sequence_number();
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    for number in 0..100 {
        tick.tick().await;
        sender
            .send(&frame(Codec::Vp8, 5000 + number, 2), number * 3000)
            .unwrap();
    }
    // Ten in a hundred are lost, of retransmissions too; each gap is asked for again.
    let mut numbers = std::collections::BTreeSet::new();
    while numbers.len() < 190 {
        let packet = packet(&mut track).await;
        let number = u32::from_be_bytes(packet.payload[..4].try_into().unwrap());
        if number >= 5000 {
            let offset = packet.sequence_number.wrapping_sub(first as u16);
            assert_eq!(
                u32::from(offset),
                (number - 5000) * 2 + u32::from(packet.payload[4])
            );
            numbers.insert(offset);
        }
    }
    let stats = call.caller.peer.stats().await;
    assert!(stats.outbound_video.nack_count > 0, "{stats:?}");
    assert!(
        stats.outbound_video.retransmitted_packets_sent > 0,
        "{stats:?}"
    );
}

#[tokio::test]
async fn without_loss_nothing_is_sent_again() {
    let mut call = connected_call(config(), config()).await;
    let sender = call.caller.peer.sender(Kind::Video).unwrap();
    let mut track = begin(&sender, &mut call.node, Codec::Vp8).await;
    for number in 0..50 {
        sender
            .send(&frame(Codec::Vp8, 5000 + number, 2), number * 3000)
            .unwrap();
        packet(&mut track).await;
    }
    report(&mut call.caller, Kind::Video).await;
    let stats = call.caller.peer.stats().await;
    assert_eq!(
        stats.outbound_video.retransmitted_packets_sent, 0,
        "{stats:?}"
    );
}

/// Sound and picture begin at the same moment of media time, so their reports must say the same
/// wall-clock time of it.
#[tokio::test]
async fn sender_reports_share_a_clock() {
    let mut call = connected_call(config(), config()).await;
    let audio = call.caller.peer.sender(Kind::Audio).unwrap();
    let video = call.caller.peer.sender(Kind::Video).unwrap();
    let pump = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let start = Instant::now();
        for number in 0.. {
            tick.tick().await;
            let at = start.elapsed().as_secs_f64();
            audio
                .send(&frame(Codec::Opus, number, 1), (at * 48_000.0) as u32)
                .unwrap();
            video
                .send(&frame(Codec::Vp8, number, 3), (at * 90_000.0) as u32)
                .unwrap();
        }
    });
    let mut begins = Vec::new();
    for kind in [Kind::Audio, Kind::Video] {
        let mut track = call.node.track(kind).await;
        let clock = f64::from(track.codec().clock_rate());
        let begin = loop {
            let inbound = tokio::time::timeout(DEADLINE, track.recv()).await;
            if let Inbound::SenderReport { ntp, rtp_timestamp } = inbound.unwrap().unwrap() {
                break (ntp as f64 / 2_f64.powi(32)) - f64::from(rtp_timestamp) / clock;
            }
        };
        begins.push(begin);
    }
    pump.abort();
    let apart = (begins[0] - begins[1]).abs();
    assert!(apart < 0.02, "the clocks are {apart} s apart");
}
