//! One call: a participant's media leg, as the room keeps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use infinity::{CallUuid, ParticipantUuid};
use media::{Codec, Kind, MediaError};
use peer::{IceConnectionState, MediaSender, Peer, PeerStats, ReceiverReport};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::counters::{BitRates, CallCounters, VideoCounts};
use super::encoding::MixEncoder;
use super::hearing::Hearing;
use super::state::Standing;
use super::types::Admission;
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
    /// How that participant stands.
    pub standing: Standing,
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
    /// How old its mix is, as its sender was told last.
    mix_age: Duration,
    /// Whether somebody needs a key frame of it.
    pub key_frame_wanted: bool,
    /// The codec of its video, if it has any.
    pub codec: Option<Codec>,
    /// Whether its sound and picture flow, as was told last.
    pub told_flowing: (bool, bool),
    audio: Option<MediaSender>,
    video: Option<MediaSender>,
    answered: Instant,
    acknowledged: Option<Instant>,
    connected: bool,
    key_frame_requested: Option<Instant>,
    own_picture_restarted: Option<Instant>,
    /// What the far end said last about our sound and our picture.
    reported: [Option<(Instant, ReceiverReport)>; 2],
    ice: IceConnectionState,
    ice_failed: Option<Instant>,
    video_counts: VideoCounts,
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
        (participant, standing): (ParticipantUuid, Standing),
        peer: Peer,
        view: View<CallKey>,
    ) -> Result<Self, MediaError> {
        let mut call = Self {
            uuid,
            participant,
            standing,
            peer,
            inflow: Arc::new(Inflow::new(now)),
            hearing: Hearing::new()?,
            voice: VoiceActivity::default(),
            view,
            own_mix: None,
            own_mix_until: 0,
            mix_age: Duration::ZERO,
            key_frame_wanted: false,
            codec: None,
            told_flowing: (false, false),
            audio: None,
            video: None,
            answered: now,
            acknowledged: None,
            connected: false,
            key_frame_requested: None,
            own_picture_restarted: None,
            reported: [None; 2],
            ice: IceConnectionState::New,
            ice_failed: None,
            video_counts: VideoCounts::default(),
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
        self.codec = self.peer.negotiated().video.map(|video| video.codec);
    }

    /// The client is ready for media, and so takes part.
    pub(super) fn acknowledge(&mut self, now: Instant, with_dtls: bool) {
        if with_dtls {
            self.peer.release_dtls();
        }
        if self.acknowledged.is_none() {
            self.acknowledged = Some(now);
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
        self.acknowledged.is_some()
    }

    /// Returns whether what it sends may reach others.
    pub(super) fn takes_part(&self) -> bool {
        self.is_acknowledged() && self.standing.admission == Admission::InConference
    }

    /// Returns whether the picture that it sends may be seen by others.
    pub(super) fn may_be_seen(&self) -> bool {
        self.takes_part() && !self.standing.video_muted
    }

    /// Returns whether media may go out: `ack` has come, and ICE and DTLS are done.
    pub(super) fn receives(&self) -> bool {
        self.is_acknowledged() && self.connected
    }

    /// Sends a frame. A connection that takes nothing loses it, and nobody waits.
    pub(super) fn send(&mut self, frame: &media::Frame, timestamp: u32) {
        let sender = match frame.codec.kind() {
            Kind::Audio => &self.audio,
            Kind::Video => {
                self.video_counts.frames_out += 1;
                self.video_counts.key_frames_out += u64::from(frame.is_key);
                &self.video
            }
        };
        if let Some(sender) = sender
            && let Err(error) = sender.send(frame, timestamp)
        {
            tracing::trace!(call = %self.uuid, %error, "a frame was not sent");
        }
    }

    /// Notes how old the mix is that goes out.
    pub(super) fn set_mix_age(&mut self, age: Duration) {
        if let Some(audio) = &self.audio
            && self.mix_age != age
        {
            self.mix_age = age;
            audio.set_age(age);
        }
    }

    /// Asks the source for the key frame that somebody needs, unless it was asked a moment ago.
    pub(super) fn request_key_frame(&mut self, now: Instant) {
        let asked = self.key_frame_requested;
        if self.key_frame_wanted && is_past(asked, now, KEY_REQUEST_INTERVAL) {
            self.key_frame_wanted = false;
            self.key_frame_requested = Some(now);
            self.video_counts.key_frames_asked += 1;
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
    pub(super) fn reported(&mut self, now: Instant, report: ReceiverReport) {
        self.reported[report.kind as usize] = Some((now, report));
    }

    /// Counts a picture that has come.
    pub(super) fn count_arrival(&mut self, is_key: bool) {
        self.video_counts.frames_in += 1;
        self.video_counts.key_frames_in += u64::from(is_key);
    }

    fn is_reported_on(&self, kind: Kind, now: Instant) -> bool {
        let at = self.reported[kind as usize].as_ref().map(|(at, _)| *at);
        !is_past(at, now, RECEIVED_FOR)
    }

    /// Returns whether audio and video flow, in either direction.
    pub(super) fn flowing(&self, now: Instant) -> (bool, bool) {
        let flows = |kind| self.inflow.flows(kind, now) || self.is_reported_on(kind, now);
        (flows(Kind::Audio), flows(Kind::Video))
    }

    /// Returns its figures, as far as the room knows them.
    pub(super) fn counters(&self) -> CallCounters {
        let (ear, counts) = (self.hearing.ear(), self.hearing.ear().counts());
        CallCounters {
            call: self.uuid.clone(),
            participant: self.participant.clone(),
            answered: self.answered,
            acknowledged: self.acknowledged,
            ice: self.ice,
            connected: self.connected,
            negotiated: self.peer.negotiated(),
            stats: PeerStats::default(),
            rates: BitRates::default(),
            reported: self.reported,
            video: self.video_counts,
            sees: None,
            audio_late: counts.late,
            audio_concealed: counts.concealed,
            audio_dropped: counts.dropped,
            audio_delay: ear.delay(),
        }
    }

    /// Notes how ICE stands. Once failed it counts as lost until it is connected again, which a
    /// restart may bring about.
    pub(super) fn set_ice(&mut self, now: Instant, state: IceConnectionState) {
        self.ice = state;
        match state {
            IceConnectionState::Failed => {
                self.ice_failed.get_or_insert(now);
            }
            IceConnectionState::Connected | IceConnectionState::Completed => {
                self.ice_failed = None;
            }
            _ => {}
        }
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
