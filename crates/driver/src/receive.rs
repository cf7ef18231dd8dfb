//! Receives what comes in: accounts for every packet, records it where that is wanted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use media::{Assembled, Codec, Frame, FrameAssembler, Heard, Kind};
use participant::PeerId;
use peer::{Inbound, RtpPacket, Shard, TrackReceiver};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::account::StreamAccount;
use crate::arrived::{Arrivals, Taker};
use crate::level::{Level, LevelMeter};
use crate::picture::{KeyFrameRequests, Picture, REORDER_WAIT};
use crate::run::{PeerNews, Wakeup};
use crate::statistics::Pictures;
use crate::{ArrivedFrame, Received, ReceivedMedia};

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
    level: Option<Level>,
    streams: Vec<(Kind, Arc<Mutex<StreamAccount>>)>,
}

impl Inflow {
    /// Measures how loud the sound is that comes from here on.
    pub(crate) fn measure_level(&mut self) {
        self.level.get_or_insert_default();
    }

    /// Returns what was heard so far, where that is measured.
    pub(crate) fn heard(&self) -> Option<Heard> {
        self.level.as_ref().map(Level::heard)
    }

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
        let level = self
            .level
            .as_ref()
            .filter(|_| track.kind() == Kind::Audio)
            .and_then(Level::meter);
        let tell = move |first| async move {
            // Whoever does not listen any more is on the way out.
            let _ = wakeups
                .send(Wakeup::Peer(peer, PeerNews::First(first)))
                .await;
        };
        shard.spawn(receive(track, account, pictures, level, takers, tell));
    }

    /// Returns when the last packet came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.streams
            .iter()
            .filter_map(|(_, account)| lock(account).last())
            .max()
    }

    /// Tells whether the picture stands still.
    pub(crate) fn is_frozen(&self, now: Instant) -> bool {
        let streams = self.streams.iter();
        let newest = streams
            .filter(|(kind, _)| *kind == Kind::Video)
            .max_by_key(|(_, account)| lock(account).last());
        newest.is_some_and(|(_, account)| lock(account).is_frozen(now))
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

async fn receive<Told: Future<Output = ()>>(
    mut track: TrackReceiver,
    account: Arc<Mutex<StreamAccount>>,
    pictures: Arc<Pictures>,
    mut level: Option<LevelMeter>,
    takers: Vec<Taker>,
    tell: impl FnOnce(FirstPacket) -> Told,
) {
    let mut tell = Some(tell);
    let mut tap = (!takers.is_empty()).then(|| Tap::new(track.codec(), track.ssrc(), takers));
    let is_watched = tap.is_none() && track.kind() == Kind::Video;
    let mut picture = is_watched.then(|| Picture::new(track.codec()));
    loop {
        let due = match &tap {
            Some(tap) => tap.next_due(),
            None => picture.as_ref().and_then(Picture::next_due),
        };
        let inbound = tokio::select! {
            inbound = track.recv() => match inbound {
                Some(inbound) => inbound,
                None => return,
            },
            () = until(due) => {
                let now = Instant::now();
                if let Some(tap) = &mut tap {
                    tap.poll(now);
                    ask(&track, &account, &mut tap.requests, now);
                }
                if let Some(picture) = &mut picture {
                    picture.poll(now);
                    ask(&track, &account, &mut picture.requests, now);
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
                if is_first && let Some(tell) = tell.take() {
                    tell(FirstPacket {
                        kind: track.kind(),
                        at: packet.arrival,
                    })
                    .await;
                }
                if let Some(level) = &mut level {
                    level.packet(&packet.payload);
                }
                let now = packet.arrival;
                if let Some(picture) = &mut picture {
                    picture.packet(now, packet.sequence_number, &packet.payload);
                    ask(&track, &account, &mut picture.requests, now);
                }
                if let Some(tap) = &mut tap {
                    tap.packet(packet);
                    ask(&track, &account, &mut tap.requests, now);
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

/// Asks for a key frame where one is needed, and not too often.
fn ask(
    track: &TrackReceiver,
    account: &Mutex<StreamAccount>,
    requests: &mut KeyFrameRequests,
    now: Instant,
) {
    if requests.are_due(now) {
        lock(account).asked_for_key_frame();
        track.request_key_frame();
    }
}

/// Sleeps until `due`; for ever without.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Puts frames together for a recording or whoever decodes them, and knows when they cannot be decoded
/// without a key frame. Where there is neither, [`Picture`] knows it from packets.
struct Tap {
    codec: Codec,
    kind: Kind,
    ssrc: u32,
    assembler: FrameAssembler,
    /// Who gets whole frames in order, and who gets packets of sound as they come.
    takers: Vec<Taker>,
    players: Vec<Taker>,
    arrivals: Arrivals,
    requests: KeyFrameRequests,
    left_out: u64,
}

impl Tap {
    fn new(codec: Codec, ssrc: u32, takers: Vec<Taker>) -> Self {
        let kind = codec.kind();
        let (players, takers) = takers
            .into_iter()
            .partition(|taker| kind == Kind::Audio && taker.plays());
        Self {
            codec,
            kind,
            ssrc,
            assembler: FrameAssembler::new(codec, REORDER_WAIT),
            takers,
            players,
            arrivals: Arrivals::default(),
            requests: KeyFrameRequests::new(kind == Kind::Video),
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
            self.play(&packet);
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

    fn play(&mut self, packet: &RtpPacket) {
        if self.players.is_empty() {
            return;
        }
        let payloads = vec![packet.payload.clone()];
        let Ok(frame) = Frame::from_payloads(self.codec, payloads, Duration::ZERO) else {
            return;
        };
        let arrived = ArrivedFrame {
            kind: self.kind,
            ssrc: self.ssrc,
            rtp_timestamp: packet.timestamp,
            arrival: packet.arrival,
            frame: Arc::new(frame),
        };
        hand_out(&self.players, &mut self.left_out, |taker| {
            taker.take(&arrived)
        });
    }

    fn poll(&mut self, now: Instant) {
        while let Some(assembled) = self.assembler.poll(now) {
            match assembled {
                Assembled::Frame {
                    frame,
                    rtp_timestamp,
                } => {
                    if frame.is_key {
                        self.requests.whole();
                    }
                    let arrived = ArrivedFrame {
                        kind: self.kind,
                        ssrc: self.ssrc,
                        rtp_timestamp,
                        arrival: self.arrivals.of(rtp_timestamp).unwrap_or(now),
                        frame,
                    };
                    hand_out(&self.takers, &mut self.left_out, |taker| {
                        taker.take(&arrived)
                    });
                }
                Assembled::Lost { packets } => {
                    debug!(kind = %self.kind, packets, "lost for good");
                    if self.kind == Kind::Video {
                        self.requests.broken();
                    }
                }
            }
        }
        // A recording begins its next file with a key frame alone.
        if self.kind == Kind::Video && self.takers.iter().any(Taker::wants_key_frame) {
            self.requests.broken();
        }
    }

    fn sender_report(&mut self, ntp: u64, rtp_timestamp: u32) {
        let (kind, ssrc) = (self.kind, self.ssrc);
        hand_out(&self.takers, &mut self.left_out, |taker| {
            taker.sender_report(kind, ssrc, ntp, rtp_timestamp)
        });
    }
}

/// Has everybody take something, and counts who has no room.
fn hand_out(takers: &[Taker], left_out: &mut u64, take: impl Fn(&Taker) -> bool) {
    for taker in takers.iter().filter(|taker| !take(taker)) {
        *left_out += 1;
        if left_out.is_power_of_two() {
            warn!(left_out, "{}", taker.when_full());
        }
    }
}

#[cfg(test)]
mod tests;
