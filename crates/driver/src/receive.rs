//! Receives what comes in: accounts for every packet, records it where that is wanted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media::{Assembled, FrameAssembler, Kind};
use participant::PeerId;
use peer::{Inbound, RtpPacket, Shard, TrackReceiver};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::account::StreamAccount;
use crate::arrived::{Arrivals, Taker};
use crate::run::{PeerNews, Wakeup};
use crate::statistics::Pictures;
use crate::{ArrivedFrame, Received, ReceivedMedia};

/// How long a missing packet is waited for: a retransmission comes within a round trip.
const REORDER_WAIT: Duration = Duration::from_millis(250);

/// The least time between two requests for a key frame.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// How many streams are received in one call; a node that makes up more is left alone with them.
const MOST_STREAMS: usize = 64;

/// The first packet of a kind came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPacket {
    pub(crate) kind: Kind,
    pub(crate) at: Instant,
}

/// All that comes in over one call.
#[derive(Debug, Default)]
pub(crate) struct Inflow {
    pub(crate) pictures: Arc<Pictures>,
    streams: Vec<(Kind, Arc<Mutex<StreamAccount>>)>,
}

impl Inflow {
    /// Receives `track` on `shard` until it ends, and tells of its first packet.
    pub(crate) fn receive(
        &mut self,
        shard: &Shard,
        track: TrackReceiver,
        takers: Vec<Taker>,
        peer: PeerId,
        wakeups: mpsc::Sender<Wakeup>,
    ) {
        if self.streams.len() >= MOST_STREAMS {
            debug!(ssrc = track.ssrc(), "one stream too many; left aside");
            return;
        }
        let account = Arc::new(Mutex::new(StreamAccount::new(track.codec())));
        self.streams.push((track.kind(), Arc::clone(&account)));
        let pictures = Arc::clone(&self.pictures);
        shard.spawn(receive(track, account, pictures, takers, peer, wakeups));
    }

    /// Returns when the last packet came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.streams
            .iter()
            .filter_map(|(_, account)| lock(account).last())
            .max()
    }

    /// Returns the sums so far.
    pub(crate) fn received(&self) -> ReceivedMedia {
        let mut sums = ReceivedMedia::default();
        for (kind, account) in &self.streams {
            let received: Received = lock(account).received();
            match kind {
                Kind::Audio => sums.audio.add(&received),
                Kind::Video => sums.video.add(&received),
            }
        }
        sums
    }
}

fn lock(account: &Mutex<StreamAccount>) -> MutexGuard<'_, StreamAccount> {
    // Sums stay sums whatever happened to whoever added to them last.
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(
    mut track: TrackReceiver,
    account: Arc<Mutex<StreamAccount>>,
    pictures: Arc<Pictures>,
    takers: Vec<Taker>,
    peer: PeerId,
    wakeups: mpsc::Sender<Wakeup>,
) {
    let mut tap = (!takers.is_empty()).then(|| Tap::new(&track, takers));
    loop {
        let due = tap.as_ref().and_then(Tap::next_due);
        let inbound = tokio::select! {
            inbound = track.recv() => match inbound {
                Some(inbound) => inbound,
                None => return,
            },
            () = until(due) => {
                if let Some(tap) = &mut tap {
                    tap.poll(Instant::now());
                    tap.ask_for_key_frame(&track);
                }
                continue;
            }
        };
        match inbound {
            Inbound::Packet(packet) => {
                if track.kind() == Kind::Video {
                    if packet.marker {
                        pictures.passed();
                    }
                    if let Some(size) = track.codec().payload_dimensions(&packet.payload) {
                        pictures.sized(size);
                    }
                }
                let is_first = {
                    let mut account = lock(&account);
                    let is_first = account.packet(
                        packet.arrival,
                        packet.sequence_number,
                        packet.timestamp,
                        packet.payload.len(),
                    );
                    account.part_of_frame(packet.arrival, packet.marker, &packet.payload);
                    is_first
                };
                if is_first {
                    let told = FirstPacket {
                        kind: track.kind(),
                        at: packet.arrival,
                    };
                    // Whoever does not listen any more is on the way out.
                    let _ = wakeups
                        .send(Wakeup::Peer(peer, PeerNews::First(told)))
                        .await;
                }
                if let Some(tap) = &mut tap {
                    tap.packet(packet);
                    tap.ask_for_key_frame(&track);
                }
            }
            Inbound::SenderReport { ntp, rtp_timestamp } => {
                if let Some(tap) = &mut tap {
                    tap.sender_report(ntp, rtp_timestamp);
                }
            }
            other => debug!(?other, "left aside"),
        }
    }
}

/// Sleeps until `due`; for ever without.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Puts frames together for a recording or whoever decodes them, and asks for a key frame when they
/// cannot be decoded.
///
/// Without either nothing is decoded anywhere, and nothing needs to be asked for.
struct Tap {
    kind: Kind,
    ssrc: u32,
    assembler: FrameAssembler,
    takers: Vec<Taker>,
    arrivals: Arrivals,
    /// A picture cannot be decoded until a key frame comes.
    needs_key: bool,
    asked: Option<Instant>,
    left_out: u64,
}

impl Tap {
    fn new(track: &TrackReceiver, takers: Vec<Taker>) -> Self {
        Self {
            kind: track.kind(),
            ssrc: track.ssrc(),
            assembler: FrameAssembler::new(track.codec(), REORDER_WAIT),
            takers,
            arrivals: Arrivals::default(),
            needs_key: track.kind() == Kind::Video,
            asked: None,
            left_out: 0,
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.assembler.next_due()
    }

    fn packet(&mut self, packet: RtpPacket) {
        let arrival = packet.arrival;
        if self.kind == Kind::Audio {
            self.arrivals.note(packet.timestamp, arrival);
        }
        self.assembler.push(
            arrival,
            packet.sequence_number,
            packet.timestamp,
            packet.marker,
            packet.payload,
        );
        self.poll(arrival);
    }

    fn poll(&mut self, now: Instant) {
        while let Some(assembled) = self.assembler.poll(now) {
            match assembled {
                Assembled::Frame {
                    frame,
                    rtp_timestamp,
                } => {
                    if frame.is_key {
                        self.needs_key = false;
                    }
                    let arrived = ArrivedFrame {
                        kind: self.kind,
                        ssrc: self.ssrc,
                        rtp_timestamp,
                        arrival: self.arrivals.of(rtp_timestamp).unwrap_or(now),
                        frame,
                    };
                    self.hand_out(|taker| taker.take(&arrived));
                }
                Assembled::Lost { packets } => {
                    debug!(kind = %self.kind, packets, "lost for good");
                    self.needs_key = self.kind == Kind::Video;
                }
            }
        }
    }

    fn sender_report(&mut self, ntp: u64, rtp_timestamp: u32) {
        let kind = self.kind;
        self.hand_out(|taker| taker.sender_report(kind, ntp, rtp_timestamp));
    }

    fn hand_out(&mut self, take: impl Fn(&Taker) -> bool) {
        for taker in &self.takers {
            if take(taker) {
                continue;
            }
            self.left_out += 1;
            if self.left_out.is_power_of_two() {
                let left_out = self.left_out;
                match taker {
                    Taker::Recording(_) => {
                        warn!(kind = %self.kind, left_out, "the disk is too slow for the recording");
                    }
                    Taker::Frames(_) => {
                        warn!(kind = %self.kind, left_out, "decoding is too slow for what comes in");
                    }
                }
            }
        }
    }

    fn ask_for_key_frame(&mut self, track: &TrackReceiver) {
        let now = Instant::now();
        if !self.needs_key
            || self
                .asked
                .is_some_and(|asked| now < asked + KEY_FRAME_INTERVAL)
        {
            return;
        }
        self.asked = Some(now);
        track.request_key_frame();
    }
}
