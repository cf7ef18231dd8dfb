//! A participant's media leg without the rest of a participant: a tone and a coloured picture go
//! out, and what comes in is decoded and kept.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantUuid};
use media::{
    Assembled, Codec, Frame, FrameAssembler, Kind, OpusDecoder, OpusEncoder, OpusSettings, Picture,
    VideoDecoder, VideoEncoder, VideoSettings,
};
use node::room::{CallSettings, Room};
use peer::{Inbound, Peer, PeerConfig, PeerEvent, PeerEvents, Shard, TrackReceiver};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a tester sends.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sends {
    /// A tone of so many Hz.
    pub tone: Option<u32>,
    /// A picture of this luma.
    pub luma: Option<u8>,
}

/// What came in.
#[derive(Default)]
pub(crate) struct Received {
    /// All sound, from the first packet on.
    pub pcm: Vec<f32>,
    /// Opus packets.
    pub packets: Vec<Vec<u8>>,
    /// Mean luma of each decoded picture, whether it was a key frame, and its RTP timestamp.
    pub pictures: Vec<(u8, bool, u32)>,
    /// Pictures that the decoder did not take.
    pub undecodable: u32,
    /// When the first packet came that is not silence.
    pub loud_since: Option<Instant>,
}

/// A participant's media leg.
pub(crate) struct Tester {
    /// Who it is.
    pub participant: ParticipantUuid,
    /// Its call.
    pub call: CallUuid,
    /// Its connection.
    pub peer: Peer,
    /// What came in.
    pub received: Arc<Mutex<Received>>,
    /// Key frames that it was asked for.
    pub key_frames_asked: Arc<AtomicU32>,
    /// The answer it got.
    pub answer: String,
    sounding: Arc<AtomicBool>,
}

impl Tester {
    /// Calls and acknowledges.
    pub(crate) async fn join(room: &Room, shard: &Shard, name: &str, sends: Sends) -> Self {
        let tester = Self::call(room, shard, name, sends, PeerConfig::default()).await;
        room.ack(&tester.call);
        tester
    }

    /// Calls, and leaves it at that.
    pub(crate) async fn call(
        room: &Room,
        shard: &Shard,
        name: &str,
        sends: Sends,
        config: PeerConfig,
    ) -> Self {
        let config = PeerConfig {
            addresses: vec![LOOPBACK],
            ..config
        };
        let (peer, events) = Peer::offerer(shard, config).await.expect("a peer");
        let offer = peer.gathered_offer().await.expect("an offer");
        let (participant, call) = (
            ParticipantUuid::from(name),
            CallUuid::from(format!("call-{name}")),
        );
        let answer = room
            .call(&participant, &call, &offer, CallSettings::default())
            .await
            .expect("an answer");
        peer.set_answer(&answer).await.expect("a usable answer");
        let tester = Self {
            participant,
            call,
            peer: peer.clone(),
            received: Arc::default(),
            key_frames_asked: Arc::default(),
            answer,
            sounding: Arc::new(AtomicBool::new(true)),
        };
        let key_wanted = Arc::new(AtomicBool::new(true));
        shard.spawn(receive(
            events,
            Arc::clone(&tester.received),
            Arc::clone(&tester.key_frames_asked),
            Arc::clone(&key_wanted),
        ));
        shard.spawn(send(peer, sends, key_wanted, Arc::clone(&tester.sounding)));
        tester
    }

    /// Restarts ICE, as a client does whose network has changed.
    pub(crate) async fn restart_ice(&self, room: &Room) {
        self.peer.restart_ice();
        let offer = self.peer.create_offer().await.expect("an offer");
        let answer = room.update(&self.call, &offer).await.expect("an answer");
        self.peer
            .set_answer(&answer)
            .await
            .expect("a usable answer");
        room.ack(&self.call);
    }

    /// Makes the tone sound, or silences it.
    pub(crate) fn sound(&self, sounds: bool) {
        self.sounding.store(sounds, Ordering::Relaxed);
    }

    /// Energy of `frequency` in the last 400 ms heard, relative to a full-scale tone; 0 if less was heard.
    pub(crate) fn hears(&self, frequency: u32) -> f64 {
        let received = self.received.lock().expect("no test panics holding it");
        let Some(start) = received.pcm.len().checked_sub(19_200) else {
            return 0.0;
        };
        goertzel(&received.pcm[start..], f64::from(frequency))
    }

    /// How much sound has come, in samples.
    pub(crate) fn heard(&self) -> usize {
        self.received
            .lock()
            .expect("no test panics holding it")
            .pcm
            .len()
    }

    /// Mean luma of the last picture.
    pub(crate) fn sees(&self) -> Option<u8> {
        self.received
            .lock()
            .expect("no test panics holding it")
            .pictures
            .last()
            .map(|picture| picture.0)
    }
}

/// Waits until `condition` holds, ten seconds at most.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Power of one frequency, 1 for a full-scale tone.
fn goertzel(samples: &[f32], frequency: f64) -> f64 {
    let step = std::f64::consts::TAU * frequency / 48_000.0;
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
    key_frames_asked: Arc<AtomicU32>,
    key_wanted: Arc<AtomicBool>,
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
                key_frames_asked.fetch_add(1, Ordering::Relaxed);
                key_wanted.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

async fn hear(mut track: TrackReceiver, received: Arc<Mutex<Received>>) {
    let mut decoder = OpusDecoder::new(1).expect("a decoder");
    while let Some(inbound) = track.recv().await {
        let Inbound::Packet(packet) = inbound else {
            continue;
        };
        let mut received = received.lock().expect("no test panics holding it");
        let samples = decoder
            .decode(&packet.payload)
            .expect("the room sends whole packets");
        if samples.iter().any(|sample| sample.abs() > 0.05) {
            received.loud_since.get_or_insert(packet.arrival);
        }
        received.pcm.extend_from_slice(samples);
        received.packets.push(packet.payload.to_vec());
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
            let Assembled::Frame {
                frame,
                rtp_timestamp,
            } = assembled
            else {
                track.request_key_frame();
                continue;
            };
            let encoded = frame.encoded().expect("a whole frame");
            let mut received = received.lock().expect("no test panics holding it");
            match decoder.decode(&encoded) {
                Ok(Some(picture)) => {
                    let sum: u64 = picture.luma().iter().map(|luma| u64::from(*luma)).sum();
                    let mean = (sum / picture.luma().len() as u64) as u8;
                    received.pictures.push((mean, frame.is_key, rtp_timestamp));
                }
                _ => received.undecodable += 1,
            }
        }
    }
}

/// Sends 50 packets of sound and 12.5 pictures a second, with a key frame only when asked for one.
async fn send(peer: Peer, sends: Sends, key_wanted: Arc<AtomicBool>, sounding: Arc<AtomicBool>) {
    let mut opus = OpusEncoder::new(OpusSettings::default()).expect("an encoder");
    let settings = VideoSettings {
        width: 320,
        height: 180,
        frame_rate: 12,
        bit_rate: 200_000,
        key_interval: 10_000,
    };
    let codec = peer
        .negotiated()
        .video
        .map_or(Codec::Vp8, |video| video.codec);
    let mut encoder = VideoEncoder::new(codec, settings).expect("an encoder");
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for n in 0_u32.. {
        ticks.tick().await;
        let at = Duration::from_millis(20) * n;
        if let (Some(audio), Some(tone)) = (peer.sender(Kind::Audio), sends.tone) {
            let amplitude = if sounding.load(Ordering::Relaxed) {
                0.3
            } else {
                0.0
            };
            let samples: Vec<f32> = (0..960_u32)
                .map(|i| {
                    f64::from(n * 960 + i) * f64::from(tone) * std::f64::consts::TAU / 48_000.0
                })
                .map(|phase| phase.sin() as f32 * amplitude)
                .collect();
            let packet = opus.encode(&samples).expect("960 samples");
            let frame = Frame::packetize(Codec::Opus, packet, at, Duration::from_millis(20), true);
            audio
                .send(&frame.expect("a whole packet"), n * 960)
                .expect("the codec agreed on");
        }
        if let (Some(video), Some(luma), 0) = (peer.sender(Kind::Video), sends.luma, n % 4) {
            let mut picture = Picture::filled(320, 180, [luma, 128, 128]);
            picture.fill(n as usize % 300, 80, 8, 8, [235, 128, 128]);
            let is_key = key_wanted.swap(false, Ordering::Relaxed);
            for encoded in encoder.encode(&picture, at, is_key).expect("a picture") {
                let timestamp = encoded.media_time.as_millis() as u32 * 90;
                let frame = encoded.packetize(codec, Duration::from_millis(80));
                video
                    .send(&frame.expect("a whole frame"), timestamp)
                    .expect("the codec agreed on");
            }
        }
    }
}
