//! One call: a participant's media leg, as the room keeps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantUuid};
use media::{Kind, MediaError};
use peer::{MediaSender, Peer, PeerStats};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::counters::{BitRates, CallCounters};
use super::encoding::MixEncoder;
use super::hearing::Hearing;
use super::view::View;
use super::voice::VoiceActivity;

/// A call's name within its room.
pub(super) type CallKey = u64;

/// Key frames are asked of a source, and granted to a receiver, no more often than this.
pub(super) const KEY_REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// So long after the last packet, media counts as flowing.
const FLOWS_FOR: Duration = Duration::from_millis(1_500);

/// So long after the last report, ours counts as received: browsers report on sound every five
/// seconds, give or take a half (RFC 3550 §6.3.1).
const RECEIVED_FOR: Duration = Duration::from_secs(10);

/// So long an ICE restart may take to come after ICE has failed.
const GRACE_AFTER_FAILURE: Duration = Duration::from_secs(15);

/// What comes in by one call: written by its tasks, read by the room. Never blocks either.
pub(super) struct Inflow {
    start: Instant,
    /// When the last packet of a kind came, in milliseconds since `start`, plus one; 0 for never.
    audio: AtomicU64,
    video: AtomicU64,
    /// Whether video comes that cannot be decoded before a key frame.
    pub awaits_key_frame: AtomicBool,
    /// Wakes the task that asks the source for a key frame.
    pub key_frame_wanted: Notify,
}

impl Inflow {
    fn new(start: Instant) -> Self {
        Self {
            start,
            audio: AtomicU64::new(0),
            video: AtomicU64::new(0),
            awaits_key_frame: AtomicBool::new(false),
            key_frame_wanted: Notify::new(),
        }
    }

    /// Notes that a packet has come.
    pub(super) fn arrived(&self, kind: Kind, now: Instant) {
        let since = now.saturating_duration_since(self.start).as_millis() as u64 + 1;
        self.of(kind).store(since, Ordering::Relaxed);
    }

    /// Returns whether packets have come lately.
    pub(super) fn flows(&self, kind: Kind, now: Instant) -> bool {
        match self.of(kind).load(Ordering::Relaxed) {
            0 => false,
            at => now.saturating_duration_since(self.start + Duration::from_millis(at)) < FLOWS_FOR,
        }
    }

    fn of(&self, kind: Kind) -> &AtomicU64 {
        match kind {
            Kind::Audio => &self.audio,
            Kind::Video => &self.video,
        }
    }
}

/// One call.
pub(super) struct Call {
    /// Its id in the API.
    pub uuid: CallUuid,
    /// Whose it is.
    pub participant: ParticipantUuid,
    /// Its connection.
    pub peer: Peer,
    /// What comes in.
    pub inflow: Arc<Inflow>,
    /// What is heard of it.
    pub hearing: Hearing,
    /// Whether it speaks.
    pub voice: VoiceActivity,
    /// What it sees.
    pub view: View<CallKey>,
    /// The encoder of its own mix, once it has spoken.
    pub own_mix: Option<MixEncoder>,
    /// Up to this tick it gets its own mix.
    pub own_mix_until: u64,
    /// Whether somebody needs a key frame of it.
    pub key_frame_wanted: bool,
    audio: Option<MediaSender>,
    video: Option<MediaSender>,
    acknowledged: bool,
    connected: bool,
    key_frame_requested: Option<Instant>,
    own_picture_restarted: Option<Instant>,
    reported_audio: Option<Instant>,
    reported_video: Option<Instant>,
    ice_failed: Option<Instant>,
    task: Option<AbortHandle>,
}

impl Call {
    /// A call that has just been answered.
    ///
    /// # Errors
    ///
    /// Fails if there is no decoder for it.
    pub(super) fn new(
        now: Instant,
        uuid: CallUuid,
        participant: ParticipantUuid,
        peer: Peer,
        view: View<CallKey>,
    ) -> Result<Self, MediaError> {
        let mut call = Self {
            uuid,
            participant,
            peer,
            inflow: Arc::new(Inflow::new(now)),
            hearing: Hearing::new()?,
            voice: VoiceActivity::default(),
            view,
            own_mix: None,
            own_mix_until: 0,
            key_frame_wanted: false,
            audio: None,
            video: None,
            acknowledged: false,
            connected: false,
            key_frame_requested: None,
            own_picture_restarted: None,
            reported_audio: None,
            reported_video: None,
            ice_failed: None,
            task: None,
        };
        call.renegotiated();
        Ok(call)
    }

    /// Keeps the task that serves this call, to end it with the call.
    pub(super) fn set_task(&mut self, task: AbortHandle) {
        self.task = Some(task);
    }

    /// Takes up the senders that offer and answer left us with.
    pub(super) fn renegotiated(&mut self) {
        self.audio = self.peer.sender(Kind::Audio);
        self.video = self.peer.sender(Kind::Video);
    }

    /// The client is ready for media, and so takes part.
    pub(super) fn acknowledge(&mut self, now: Instant) {
        self.peer.release_dtls();
        if !self.acknowledged {
            self.acknowledged = true;
            self.view.restart_own(now);
        }
    }

    /// DTLS is done: media can flow.
    pub(super) fn connect(&mut self, now: Instant) {
        self.connected = true;
        self.renegotiated();
        self.view.restart_own(now);
    }

    /// Returns whether `ack` has come.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Returns whether media may go out: `ack` has come, and ICE and DTLS are done.
    pub(super) fn receives(&self) -> bool {
        self.acknowledged && self.connected
    }

    /// Sends a frame. A connection that takes nothing loses it, and nobody waits.
    pub(super) fn send(&self, frame: &media::Frame, timestamp: u32) {
        let sender = match frame.codec.kind() {
            Kind::Audio => &self.audio,
            Kind::Video => &self.video,
        };
        if let Some(sender) = sender
            && let Err(error) = sender.send(frame, timestamp)
        {
            tracing::trace!(call = %self.uuid, %error, "a frame was not sent");
        }
    }

    /// Asks the source for the key frame that somebody needs, unless it was asked a moment ago.
    pub(super) fn request_key_frame(&mut self, now: Instant) {
        let asked = self.key_frame_requested;
        if self.key_frame_wanted && is_past(asked, now, KEY_REQUEST_INTERVAL) {
            self.key_frame_wanted = false;
            self.key_frame_requested = Some(now);
            self.inflow.key_frame_wanted.notify_one();
        }
    }

    /// Answers a receiver's wish for a key frame if the picture is the room's own.
    /// Returns `false` when a source must be asked.
    pub(super) fn grant_key_frame(&mut self, now: Instant) -> bool {
        if self.view.shows().is_some() {
            return false;
        }
        if is_past(self.own_picture_restarted, now, KEY_REQUEST_INTERVAL) {
            self.own_picture_restarted = Some(now);
            self.view.restart_own(now);
        }
        true
    }

    /// Notes that the far end has reported on what it receives.
    pub(super) fn reported(&mut self, now: Instant, kind: Kind) {
        match kind {
            Kind::Audio => self.reported_audio = Some(now),
            Kind::Video => self.reported_video = Some(now),
        }
    }

    /// Returns whether audio and video flow, in either direction.
    pub(super) fn flowing(&self, now: Instant) -> (bool, bool) {
        let audio =
            self.inflow.flows(Kind::Audio, now) || !is_past(self.reported_audio, now, RECEIVED_FOR);
        let video =
            self.inflow.flows(Kind::Video, now) || !is_past(self.reported_video, now, RECEIVED_FOR);
        (audio, video)
    }

    /// Returns its figures, as far as the room knows them.
    pub(super) fn counters(&self) -> CallCounters {
        let (ear, counts) = (self.hearing.ear(), self.hearing.ear().counts());
        CallCounters {
            call: self.uuid.clone(),
            participant: self.participant.clone(),
            acknowledged: self.acknowledged,
            connected: self.connected,
            stats: PeerStats::default(),
            rates: BitRates::default(),
            audio_late: counts.late,
            audio_concealed: counts.concealed,
            audio_dropped: counts.dropped,
            audio_delay: ear.delay(),
        }
    }

    /// Notes whether ICE has failed; a restart may still mend it.
    pub(super) fn set_ice_failed(&mut self, now: Instant, failed: bool) {
        self.ice_failed = failed.then(|| self.ice_failed.unwrap_or(now));
    }

    /// Returns whether ICE failed and was not mended in time. Tells it once.
    pub(super) fn take_loss(&mut self, now: Instant) -> bool {
        let failed =
            self.ice_failed.is_some() && is_past(self.ice_failed, now, GRACE_AFTER_FAILURE);
        if failed {
            self.ice_failed = None;
        }
        failed
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Whether `time` has passed since, or it never was.
fn is_past(since: Option<Instant>, now: Instant, time: Duration) -> bool {
    since.is_none_or(|since| now.saturating_duration_since(since) >= time)
}
