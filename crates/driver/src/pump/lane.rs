//! One of a pump's two streams.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Boundary, Frame, Kind, Live, Made, Repeat, Timeline, Track};
use peer::{MediaSender, ReceiverReport};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::debug;

use crate::Gauge;
use crate::sources::Part;

/// The least step between two frames where a live source takes over, so that time rises.
const STEP: Duration = Duration::from_millis(1);

/// A live source that gives nothing for so long is away: until it is back, the idle track plays.
const SOUND_PATIENCE: Duration = Duration::from_millis(200);
const PICTURE_PATIENCE: Duration = Duration::from_secs(1);

/// So much before a clip goes on in another encoding, the frame that it begins with is asked for.
const AHEAD: Duration = Duration::from_millis(400);

/// Where frames go.
pub(crate) trait Sink {
    /// Sends a frame at RTP time `timestamp`; never waits.
    fn send(&self, frame: &Frame, timestamp: u32);
    /// Sequence number of the next packet, extended by its cycles.
    fn next_sequence_number(&self) -> u32;
}

impl Sink for MediaSender {
    fn send(&self, frame: &Frame, timestamp: u32) {
        // What cannot be sent is lost, as on any network; the call's own state tells the rest.
        if let Err(error) = Self::send(self, frame, timestamp) {
            debug!(kind = %self.kind(), %error, "frame not sent");
        }
    }

    fn next_sequence_number(&self) -> u32 {
        Self::next_sequence_number(self)
    }
}

/// One stream: idle until started, then what it has to play, then idle again.
pub(crate) struct Lane<S> {
    sink: S,
    clock_rate: u32,
    /// RTP timestamp of stream time zero; random, as RFC 3550 §5.1 asks for.
    base: u32,
    timeline: Timeline,
    part: Option<Part>,
    exchange: Option<Exchange>,
    forwarding: Option<Forwarding>,
    last: Option<Duration>,
    clip: ClipAccount,
    /// Whether a frame was not there when it was due, so that those after it cannot be decoded.
    lacks_one: bool,
}

/// A live source being forwarded.
struct Forwarding {
    live: Arc<Live>,
    frames: broadcast::Receiver<Arc<Frame>>,
    /// Whether frames are left out until a key frame comes.
    wants_key: bool,
    /// Until when it sets the pace, from its first frame on.
    leads_until: Option<Instant>,
}

/// Another encoding of the clip that plays, for as long as its beginning is not there.
struct Exchange {
    track: Arc<Track>,
    /// The key frame with which it begins.
    begin: Option<usize>,
}

/// Which packets were the clip's, and what became of them.
#[derive(Debug, Default)]
struct ClipAccount {
    first: Option<u32>,
    end: Option<u32>,
    /// Packets lost before the clip, as the last report before it said.
    lost_before: u32,
    /// Packets lost, as the last report said.
    reported_lost: u32,
    lost: u32,
    complete: bool,
}

impl Forwarding {
    fn of(live: &Arc<Live>, leads_until: Option<Instant>) -> Self {
        Self {
            live: Arc::clone(live),
            frames: live.subscribe(),
            wants_key: true,
            leads_until,
        }
    }
}

impl<S: Sink> Lane<S> {
    /// A stream that sends `idle` from `now` on and `part` once started.
    pub(crate) fn new(
        sink: S,
        idle: Arc<Track>,
        part: Option<Part>,
        base: u32,
        now: Instant,
    ) -> Self {
        Self {
            sink,
            clock_rate: idle.codec.clock_rate(),
            base,
            timeline: Timeline::new(idle, now),
            part,
            exchange: None,
            forwarding: None,
            last: None,
            clip: ClipAccount::default(),
            lacks_one: false,
        }
    }

    /// Says whether there is anything to play at all.
    pub(super) fn has_program(&self) -> bool {
        self.part.is_some()
    }

    /// Says whether what it plays has an end.
    pub(super) fn has_clip(&self) -> bool {
        matches!(self.part, Some(Part::Clip(_)))
    }

    pub(super) fn start(&mut self, now: Instant, repeat: Repeat) {
        self.exchange = None;
        match &self.part {
            Some(Part::Clip(track)) => self.timeline.play(Arc::clone(track), now, repeat),
            Some(Part::Endless(track)) => {
                self.timeline.play(Arc::clone(track), now, Repeat::Forever);
            }
            Some(Part::Live(live)) => {
                self.forwarding = Some(Forwarding::of(live, None));
            }
            None => {}
        }
    }

    /// Goes on with what it plays in another encoding, where that can be decoded from.
    pub(super) fn go_on_in(&mut self, part: Part) {
        match (&self.part, &part) {
            (Some(Part::Clip(before)), Part::Clip(track)) => {
                let is_same = Arc::ptr_eq(&before.frames[0], &track.frames[0]);
                self.exchange = (!is_same).then(|| Exchange {
                    track: Arc::clone(track),
                    begin: None,
                });
            }
            (_, Part::Live(live)) => {
                if let Some(forwarding) = &mut self.forwarding
                    && !Arc::ptr_eq(&forwarding.live, live)
                {
                    *forwarding = Forwarding::of(live, forwarding.leads_until);
                }
            }
            _ => {}
        }
        self.part = Some(part);
    }

    /// Returns the moment of the last frame, which may be yet to come where a live source gave it.
    pub(super) fn last_moment(&self) -> Option<Instant> {
        Some(self.timeline.start() + self.last?)
    }

    /// Has something else to play, once started; returns to silence until then.
    pub(super) fn change(&mut self, now: Instant, part: Option<Part>) {
        self.stop(now);
        self.part = part;
        self.clip = ClipAccount {
            lost_before: self.clip.reported_lost,
            reported_lost: self.clip.reported_lost,
            ..ClipAccount::default()
        };
    }

    /// Returns to silence.
    pub(super) fn stop(&mut self, now: Instant) {
        self.exchange = None;
        self.forwarding = None;
        self.timeline.stop(now);
    }

    pub(super) fn send_due(&mut self, now: Instant, gauge: Option<&dyn Gauge>) {
        if self.is_forwarding(now) {
            return;
        }
        loop {
            self.exchange();
            let Some(due) = self.timeline.poll(now) else {
                return;
            };
            match due.boundary {
                Some(Boundary::Started) => self.clip.first = Some(self.sink.next_sequence_number()),
                // It is another's end where ours has not begun.
                Some(Boundary::Finished) if self.clip.first.is_none() => {}
                Some(Boundary::Finished) => self.clip.end = Some(self.sink.next_sequence_number()),
                None => {}
            }
            // What a live source has been playing since is in the past.
            if self.last.is_some_and(|last| due.stream_time <= last) {
                continue;
            }
            let Some(frame) = self.made(due.frame) else {
                continue;
            };
            self.send(&frame, due.stream_time);
            if let Some(gauge) = gauge {
                let due = self.timeline.start() + due.stream_time;
                gauge.sent(now.saturating_duration_since(due));
                gauge.played(&frame, due);
            }
        }
    }

    /// Takes the other encoding where its key frame is due, if that was made in time; else looks for a later one.
    fn exchange(&mut self) {
        let (Some(exchange), Some(at)) = (&mut self.exchange, self.timeline.clip_position()) else {
            return;
        };
        let frames = &exchange.track.frames;
        if let Some(begin) = exchange.begin {
            // Where the clip has begun again it is far ahead.
            let far = at + Track::LONGEST_GOOD_KEY_INTERVAL + AHEAD;
            let frame = &frames[begin];
            if at < frame.media_time && frame.media_time <= far {
                return;
            }
            if frame.media_time <= at && frame.known().is_some() {
                self.timeline.go_on_in(Arc::clone(&exchange.track), begin);
                self.lacks_one = false;
                self.exchange = None;
                return;
            }
        }
        let is_next = |frame: &Arc<Frame>| frame.is_key && frame.media_time >= at + AHEAD;
        exchange.begin = frames.iter().position(is_next);
        if let Some(begin) = exchange.begin {
            frames[begin].ask();
        }
    }

    /// Returns the frame itself, or the one that was promised, if a far end can decode it.
    fn made(&mut self, frame: Arc<Frame>) -> Option<Arc<Frame>> {
        if frame.promise.is_none() {
            return Some(frame);
        }
        match frame.made() {
            Made::Frame(frame) if frame.is_key || !self.lacks_one => {
                self.lacks_one = false;
                Some(frame)
            }
            Made::Frame(_) | Made::LeftOut => None,
            Made::NotYet => {
                self.lacks_one = true;
                None
            }
        }
    }

    /// Returns when the next frame is due, or when a live source will have been away for too long.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let leads_until = self.forwarding.as_ref().and_then(|live| live.leads_until);
        Some(leads_until.unwrap_or(self.timeline.next_due()))
    }

    /// Says whether a live source sets the pace; one that has been away begins anew, with a key frame.
    fn is_forwarding(&mut self, now: Instant) -> bool {
        let Some(forwarding) = &mut self.forwarding else {
            return false;
        };
        match forwarding.leads_until {
            Some(until) if now < until => true,
            Some(_) => {
                debug!("a live source is away");
                forwarding.leads_until = None;
                forwarding.wants_key = true;
                forwarding.live.request_key_frame();
                false
            }
            None => false,
        }
    }

    fn send(&mut self, frame: &Frame, stream_time: Duration) {
        self.last = Some(stream_time);
        let ticks = stream_time.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        // The RTP clock wraps around (RFC 3550 §5.1).
        self.sink.send(frame, self.base.wrapping_add(ticks as u32));
    }

    pub(super) fn live_frame(&mut self, now: Instant, frame: &Frame) {
        let Some(forwarding) = &mut self.forwarding else {
            return;
        };
        if forwarding.wants_key && !frame.is_key {
            return;
        }
        forwarding.wants_key = false;
        forwarding.leads_until = Some(match frame.codec.kind() {
            Kind::Audio => now + SOUND_PATIENCE + frame.duration,
            Kind::Video => now + PICTURE_PATIENCE,
        });
        // All live sources share the machine's clock, so that sound and picture stay together.
        let at = forwarding.live.epoch() + frame.media_time;
        let stream_time = at.saturating_duration_since(self.timeline.start());
        let floor = self.last.map_or(Duration::ZERO, |last| last + STEP);
        self.send(frame, stream_time.max(floor));
    }

    pub(super) fn request_key_frame(&self) {
        if let Some(forwarding) = &self.forwarding {
            forwarding.live.request_key_frame();
        }
    }

    /// Waits for the next frame of the live source; for ever without one.
    pub(super) async fn next_live(&mut self) -> Arc<Frame> {
        loop {
            let Some(forwarding) = &mut self.forwarding else {
                return std::future::pending().await;
            };
            match forwarding.frames.recv().await {
                Ok(frame) => return frame,
                Err(RecvError::Lagged(frames)) => {
                    debug!(frames, "a live source went ahead of us");
                    // Audio frames are all key frames, so sound goes on at once.
                    forwarding.wants_key = true;
                    forwarding.live.request_key_frame();
                }
                Err(RecvError::Closed) => {
                    debug!("a live source ended");
                    self.forwarding = None;
                }
            }
        }
    }

    /// Says whether its part of the clip was sent to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.clip.end.is_some()
    }

    pub(super) fn clip_packets(&self) -> u64 {
        match (self.clip.first, self.clip.end) {
            (Some(first), end) => {
                let end = end.unwrap_or_else(|| self.sink.next_sequence_number());
                u64::from(end.wrapping_sub(first))
            }
            (None, _) => 0,
        }
    }

    /// Takes note of a report. Returns how many packets of the clip it reaches and how many were
    /// lost since the clip started.
    pub(super) fn report(&mut self, report: &ReceiverReport) -> (u64, u64) {
        let sent = self.clip_packets();
        let clip = &mut self.clip;
        clip.reported_lost = report.packets_lost;
        let ahead = |first| report.highest_sequence_number.wrapping_sub(first) as i32;
        let Some(first) = clip.first.filter(|first| ahead(*first) >= 0) else {
            clip.lost_before = report.packets_lost;
            return (0, 0);
        };
        let reached = (u64::from(ahead(first).unsigned_abs()) + 1).min(sent);
        if !clip.complete {
            clip.lost = report.packets_lost.saturating_sub(clip.lost_before);
            clip.complete = clip.end.is_some() && reached == sent;
        }
        (reached, u64::from(clip.lost))
    }
}
