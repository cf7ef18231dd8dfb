//! What a caller owes to whoever sends it a picture, over a real connection.

use std::time::Duration;

use bytes::Bytes;
use media::{Codec, Frame};
use peer::{Peer, PeerConfig, PeerEvent, PeerEvents};

use super::*;
use crate::recording::{Recordable, RecordingQueue};

const DEADLINE: Duration = Duration::from_secs(20);

/// Two ends that send each other pictures; the first loses one of so many packets that it sends, and
/// nobody asks for them again.
async fn connected(drop_one_in: Option<u32>) -> [(Peer, PeerEvents); 2] {
    let shard = Shard::current();
    let config = PeerConfig {
        addresses: vec![std::net::Ipv4Addr::LOCALHOST.into()],
        video_codecs: vec![Codec::Vp8],
        report_interval: Duration::from_millis(200),
        ..PeerConfig::default()
    };
    let sending = PeerConfig {
        drop_one_in,
        ..config.clone()
    };
    let (near, mut near_events) = Peer::offerer(&shard, config).await.expect("a peer");
    let offer = near.gathered_offer().await.expect("an offer");
    let answered = Peer::answerer(&shard, sending, &offer).await;
    let (far, mut far_events, answer) = answered.expect("an answer");
    let is_kept = |line: &&str| !line.trim_end().ends_with(" nack");
    let without_nack: String = answer.split_inclusive('\n').filter(is_kept).collect();
    assert_ne!(answer, without_nack);
    near.set_answer(&without_nack).await.expect("agreed");
    for events in [&mut near_events, &mut far_events] {
        until(events, |event| matches!(event, PeerEvent::DtlsConnected)).await;
    }
    [(far, far_events), (near, near_events)]
}

/// Waits for an event, and returns it.
async fn until(events: &mut PeerEvents, wanted: impl Fn(&PeerEvent) -> bool) -> PeerEvent {
    tokio::time::timeout(DEADLINE, async {
        loop {
            let event = events.recv().await.expect("the peer lives");
            if wanted(&event) {
                return event;
            }
        }
    })
    .await
    .expect("in time")
}

fn frame(is_key: bool) -> Frame {
    // A descriptor that begins a frame, and the frame's tag.
    let payload = Bytes::from(vec![0x10, u8::from(!is_key), 0, 0]);
    Frame {
        codec: Codec::Vp8,
        payloads: vec![payload],
        media_time: Duration::ZERO,
        duration: Duration::ZERO,
        is_key,
        promise: None,
    }
}

/// Sends a picture of ten packets to a caller that decodes nothing; returns whether the sender is asked
/// for a key frame before all that arrives has been reported on for a while.
async fn is_asked(drop_one_in: Option<u32>) -> bool {
    let [(far, mut far_events), (near, mut near_events)] = connected(drop_one_in).await;
    let sender = far.sender(Kind::Video).expect("agreed");
    for number in 0..10 {
        let sent = sender.send(&frame(number == 0), number * 3000);
        sent.expect("in the codec agreed on");
    }
    let last = sender.next_sequence_number() - 1;
    let PeerEvent::Track(track) = until(&mut near_events, |event| {
        matches!(event, PeerEvent::Track(_))
    })
    .await
    else {
        unreachable!("it is what was waited for");
    };
    let account = Arc::new(Mutex::new(StreamAccount::new(track.codec())));
    let receiving = tokio::spawn(receive(
        track,
        account,
        Arc::default(),
        None,
        Vec::new(),
        |_| std::future::ready(()),
    ));
    let mut reports = 0;
    let is_asked = tokio::time::timeout(DEADLINE, async {
        // Longer than a packet is waited for that might have been overtaken.
        while reports < 5 {
            match far_events.recv().await.expect("the peer lives") {
                PeerEvent::KeyFrameRequested { kind: Kind::Video } => return true,
                PeerEvent::ReceiverReport(report) if report.highest_sequence_number == last => {
                    reports += 1;
                }
                _ => {}
            }
        }
        false
    })
    .await
    .expect("in time");
    receiving.abort();
    far.close().await;
    near.close().await;
    is_asked
}

#[tokio::test]
async fn packets_that_are_lost_for_good_make_a_caller_that_decodes_nothing_ask_for_a_key_frame() {
    assert!(is_asked(Some(6)).await, "the sixth was lost");
    assert!(!is_asked(None).await, "nothing was lost");
}

#[test]
fn sound_that_is_played_waits_for_no_packet_and_sound_that_is_recorded_does() {
    let (playing, mut played) = RecordingQueue::playing("");
    let (recording, mut recorded) = RecordingQueue::new("");
    let takers = vec![Taker::Recording(playing), Taker::Recording(recording)];
    let mut tap = Tap::new(Codec::Opus, 7, takers);
    let start = Instant::now();
    for number in [1, 3, 4] {
        tap.packet(RtpPacket {
            arrival: start + Duration::from_millis(20) * u32::from(number),
            sequence_number: number,
            timestamp: u32::from(number) * 960,
            marker: false,
            // 20 ms of nothing, in the fullest band.
            payload: vec![0xf8, 0xff, 0xfe].into(),
        });
    }
    let timestamps = |queue: &mut mpsc::Receiver<Recordable>| {
        let taken = std::iter::from_fn(|| queue.try_recv().ok());
        taken
            .map(|recordable| match recordable {
                Recordable::Frame(arrived) => arrived.rtp_timestamp / 960,
                Recordable::SenderReport { .. } => panic!("there was none"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(timestamps(&mut played), [1, 3, 4]);
    assert_eq!(timestamps(&mut recorded), [1]);
    tap.poll(start + Duration::from_millis(60) + REORDER_WAIT);
    assert_eq!(timestamps(&mut recorded), [3, 4]);
    assert!(timestamps(&mut played).is_empty());
}
