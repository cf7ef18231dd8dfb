//! A media leg: a tone and a grey picture go out, and what comes in is decoded and kept.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use media::{
    Assembled, Codec, Frame, FrameAssembler, Kind, OpusDecoder, OpusEncoder, OpusSettings, Picture,
    VideoDecoder, VideoEncoder, VideoSettings,
};
use peer::{Inbound, Peer, PeerConfig, PeerEvent, PeerEvents, TrackReceiver};
use tokio::task::JoinHandle;

use crate::row::{Stop, Told};
use crate::scene::{shard, within};

/// How much sound is looked at, in samples: 400 ms.
const WINDOW: usize = 19_200;

/// What a leg sends.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sends {
    /// A tone of so many Hz.
    pub(crate) tone: Option<u32>,
    /// A picture of this luma.
    pub(crate) luma: Option<u8>,
}

impl Sends {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self {
        tone: None,
        luma: None,
    };

    /// A tone, and no picture.
    pub(crate) const fn tone(hz: u32) -> Self {
        Self {
            tone: Some(hz),
            luma: None,
        }
    }

    /// A tone and a picture.
    pub(crate) const fn both(hz: u32, luma: u8) -> Self {
        Self {
            tone: Some(hz),
            luma: Some(luma),
        }
    }
}

#[derive(Default)]
struct Received {
    sound: Vec<f32>,
    luma: Option<u8>,
}

/// A media leg.
pub(crate) struct Leg {
    pub(crate) peer: Peer,
    /// Its first offer.
    pub(crate) offer: String,
    received: Arc<Mutex<Received>>,
    connected: Arc<AtomicBool>,
    /// What receives, and what sends.
    tasks: [JoinHandle<()>; 2],
}

/// A leg that went on sending would take the time of those that come after it.
impl Drop for Leg {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let peer = self.peer.clone();
        shard().spawn(async move { peer.close().await });
    }
}

impl Leg {
    /// Makes an offer with all candidates in it.
    pub(crate) async fn offer(sends: Sends) -> Self {
        let shard = shard();
        let config = PeerConfig {
            addresses: vec![Ipv4Addr::LOCALHOST.into()],
            ..PeerConfig::default()
        };
        let (peer, events) = Peer::offerer(&shard, config).await.expect("a peer");
        let offer = peer.gathered_offer().await.expect("an offer");
        let received = Arc::default();
        let key_wanted = Arc::new(AtomicBool::new(true));
        let connected = Arc::default();
        let receiving = shard.spawn(receive(
            events,
            Arc::clone(&received),
            Arc::clone(&key_wanted),
            Arc::clone(&connected),
        ));
        let sending = shard.spawn(send(peer.clone(), sends, key_wanted));
        Self {
            peer,
            offer,
            received,
            connected,
            tasks: [receiving, sending],
        }
    }

    /// Forgets what was heard.
    pub(crate) fn forget(&self) {
        let mut received = self.received.lock().expect("nobody panics with it");
        received.sound.clear();
    }

    /// Waits until media could flow.
    pub(crate) async fn is_connected(&self, patience: Duration) -> Told {
        let found = within(patience, async || {
            self.connected.load(Ordering::Relaxed).then_some(())
        });
        found
            .await
            .ok_or_else(|| Stop::Observed("the call does not connect".to_owned()))
    }

    /// Waits until any sound has come, silence included.
    pub(crate) async fn hears_something(&self, patience: Duration) -> Told {
        let found = within(patience, async || self.hears(440)).await;
        found
            .map(drop)
            .ok_or_else(|| Stop::Observed("the caller hears nothing".to_owned()))
    }

    /// Takes the node's answer.
    pub(crate) async fn take_answer(&self, answer: &str) -> Told {
        let taken = self.peer.set_answer(answer).await;
        taken
            .map(drop)
            .map_err(|error| Stop::Observed(format!("the answer cannot be used: {error}")))
    }

    /// Power of a tone in what was heard last, 1 for a full-scale one; nothing if little was heard.
    pub(crate) fn hears(&self, hz: u32) -> Option<f64> {
        let received = self.received.lock().expect("nobody panics with it");
        let start = received.sound.len().checked_sub(WINDOW)?;
        Some(power(&received.sound[start..], f64::from(hz)))
    }

    /// Mean luma of the last picture.
    pub(crate) fn sees(&self) -> Option<u8> {
        self.received.lock().expect("nobody panics with it").luma
    }
}

/// Power of one frequency (Goertzel), 1 for a full-scale tone.
fn power(samples: &[f32], hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / 48_000.0;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let phase = step * n as f64;
        re += f64::from(*sample) * phase.cos();
        im += f64::from(*sample) * phase.sin();
    }
    let amplitude = 2.0 * re.hypot(im) / samples.len() as f64;
    amplitude * amplitude
}

async fn receive(
    mut events: PeerEvents,
    received: Arc<Mutex<Received>>,
    key_wanted: Arc<AtomicBool>,
    connected: Arc<AtomicBool>,
) {
    while let Some(event) = events.recv().await {
        match event {
            PeerEvent::Track(track) if track.kind() == Kind::Audio => {
                tokio::spawn(hear(track, Arc::clone(&received)));
            }
            PeerEvent::Track(track) => {
                tokio::spawn(see(track, Arc::clone(&received)));
            }
            PeerEvent::KeyFrameRequested { kind: Kind::Video } => {
                key_wanted.store(true, Ordering::Relaxed);
            }
            PeerEvent::DtlsConnected => connected.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
}

async fn hear(mut track: TrackReceiver, received: Arc<Mutex<Received>>) {
    let mut decoder = OpusDecoder::new(1).expect("a decoder");
    while let Some(inbound) = track.recv().await {
        if let Inbound::Packet(packet) = inbound
            && let Ok(samples) = decoder.decode(&packet.payload)
        {
            let mut received = received.lock().expect("nobody panics with it");
            received.sound.extend_from_slice(samples);
        }
    }
}

async fn see(mut track: TrackReceiver, received: Arc<Mutex<Received>>) {
    let mut assembler = FrameAssembler::new(track.codec(), Duration::from_millis(200));
    let mut decoder = VideoDecoder::new(track.codec()).expect("a decoder");
    while let Some(inbound) = track.recv().await {
        let Inbound::Packet(packet) = inbound else {
            continue;
        };
        let now = packet.arrival;
        assembler.push(
            now,
            packet.sequence_number,
            packet.timestamp,
            packet.marker,
            packet.payload,
        );
        while let Some(assembled) = assembler.poll(now) {
            let Assembled::Frame { frame, .. } = assembled else {
                track.request_key_frame();
                continue;
            };
            if let Ok(encoded) = frame.encoded()
                && let Ok(Some(picture)) = decoder.decode(&encoded)
            {
                let luma = picture.luma();
                let sum: u64 = luma.iter().map(|luma| u64::from(*luma)).sum();
                let mean = u8::try_from(sum / luma.len() as u64).ok();
                received.lock().expect("nobody panics with it").luma = mean;
            }
        }
    }
}

/// Sends 50 packets of sound and 12.5 pictures a second.
async fn send(peer: Peer, sends: Sends, key_wanted: Arc<AtomicBool>) {
    const PACKET: Duration = Duration::from_millis(20);
    let mut opus = OpusEncoder::new(OpusSettings::default()).expect("an encoder");
    let settings = VideoSettings {
        width: 160,
        height: 90,
        frame_rate: 12,
        bit_rate: 100_000,
        key_interval: 10_000,
    };
    let mut vp8 = VideoEncoder::new(Codec::Vp8, settings).expect("an encoder");
    let mut ticks = tokio::time::interval(PACKET);
    for n in 0_u32.. {
        ticks.tick().await;
        let at = PACKET * n;
        if let (Some(audio), Some(tone)) = (peer.sender(Kind::Audio), sends.tone) {
            let phase = |i: u32| f64::from(n * 960 + i) * f64::from(tone) / 48_000.0;
            let samples: Vec<f32> = (0..960)
                .map(|i| (phase(i) * std::f64::consts::TAU).sin() as f32 * 0.3)
                .collect();
            let packet = opus.encode(&samples).expect("960 samples");
            let frame = Frame::packetize(Codec::Opus, packet, at, PACKET, true);
            // A call that has ended takes no more.
            let _ = audio.send(&frame.expect("a whole packet"), n * 960);
        }
        if let (Some(video), Some(luma), 0) = (peer.sender(Kind::Video), sends.luma, n % 4) {
            let picture = Picture::filled(160, 90, [luma, 128, 128]);
            let is_key = key_wanted.swap(false, Ordering::Relaxed);
            let encoded = vp8
                .encode(&picture, at, is_key)
                .expect("a picture")
                .remove(0);
            let frame = Frame::packetize(Codec::Vp8, encoded.bytes, at, PACKET * 4, encoded.is_key);
            let _ = video.send(&frame.expect("a whole frame"), n * 1_800);
        }
    }
}
