//! Everything the room knows, behind one lock that nobody holds for longer than a tick's work.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use infinity::{CallUuid, ParticipantUuid};
use media::{Codec, Frame, Kind, MediaError};
use peer::{Peer, PeerEvent};
use tokio::sync::mpsc;

use super::babble::Babble;
use super::call::{Call, CallKey};
use super::counters::CallCounters;
use super::encoding::MixEncoder;
use super::far_end::FarEnd;
use super::mix_age::MixAge;
use super::pictures::Pictures;
use super::stage::Stage;
use super::transcode::Transcoders;
use super::types::{Admission, MediaFaults, RoomEvent};
use super::view::View;

/// How a participant stands, with or without a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it takes part.
    pub admission: Admission,
    /// Whether it is left out of the mix.
    pub muted: bool,
    /// Whether its picture is kept from the others.
    pub video_muted: bool,
}

/// Everything the room knows.
pub(super) struct State {
    pub(super) calls: BTreeMap<CallKey, Call>,
    pub(super) far_ends: BTreeMap<ParticipantUuid, FarEnd>,
    pub(super) standings: BTreeMap<ParticipantUuid, Standing>,
    pub(super) stage: Stage<CallKey>,
    /// Who stands before all others on the stage, whoever speaks.
    pub(super) spotlights: Vec<ParticipantUuid>,
    pub(super) shared_mix: MixEncoder,
    pub(super) mix_age: MixAge,
    pub(super) babble: Babble,
    pub(super) faults: MediaFaults,
    pub(super) pictures: Pictures,
    pub(super) transcoders: Transcoders,
    pub(super) ticks: u64,
    pub(super) events: mpsc::Sender<RoomEvent>,
    pub(super) told: super::tell::Told,
    /// Calls that broke down, until the event has been told; one for each call at most.
    pub(super) failures: VecDeque<(CallUuid, String)>,
    next_key: CallKey,
}

impl State {
    /// An empty room.
    ///
    /// # Errors
    ///
    /// Fails if there is no encoder for the mix.
    pub(super) fn new(
        faults: MediaFaults,
        pictures: Pictures,
        events: mpsc::Sender<RoomEvent>,
    ) -> Result<Self, MediaError> {
        Ok(Self {
            calls: BTreeMap::new(),
            far_ends: BTreeMap::new(),
            standings: BTreeMap::new(),
            stage: Stage::default(),
            spotlights: Vec::new(),
            shared_mix: MixEncoder::new()?,
            mix_age: MixAge::default(),
            babble: Babble::default(),
            faults,
            pictures,
            transcoders: Transcoders::default(),
            ticks: 0,
            events,
            told: super::tell::Told::default(),
            failures: VecDeque::new(),
            next_key: 0,
        })
    }

    /// Takes a call in. Returns its key.
    ///
    /// # Errors
    ///
    /// Fails if there is no decoder for it.
    pub(super) fn add(
        &mut self,
        now: Instant,
        uuid: CallUuid,
        participant: ParticipantUuid,
        peer: Peer,
    ) -> Result<CallKey, MediaError> {
        let codec = video_codec(&peer).unwrap_or(self.pictures.codec());
        let painted = self.pictures.of(codec)?;
        let standing = self.standing(&participant);
        let splash = painted.splash(standing.admission);
        let view = View::new(now, splash, painted.replacement());
        let call = Call::new(now, uuid, (participant, standing), peer, view)?;
        let key = self.new_key();
        self.calls.insert(key, call);
        self.stage.enter(&key);
        Ok(key)
    }

    /// Takes up what a further offer and answer left us with, such as another codec.
    ///
    /// # Errors
    ///
    /// Fails if there are no pictures in that codec.
    pub(super) fn renegotiated(&mut self, now: Instant, uuid: &CallUuid) -> Result<(), MediaError> {
        let Some(key) = self.find(uuid) else {
            return Ok(());
        };
        let Some(call) = self.calls.get_mut(&key) else {
            return Ok(());
        };
        let before = call.codec;
        call.renegotiated();
        if let Some(codec) = call.codec.filter(|codec| Some(*codec) != before) {
            let admission = call.standing.admission;
            let painted = self.pictures.of(codec)?;
            if let Some(call) = self.calls.get_mut(&key) {
                call.view = View::new(now, painted.splash(admission), painted.replacement());
            }
            self.transcoders.forget(key);
            self.hide(now, key);
        }
        Ok(())
    }

    /// Returns a key that nothing in the room has had.
    pub(super) fn new_key(&mut self) -> CallKey {
        self.next_key += 1;
        self.next_key
    }

    /// Lets a call go, and returns its connection to be closed.
    pub(super) fn remove(&mut self, now: Instant, key: CallKey) -> Option<Peer> {
        let call = self.calls.remove(&key)?;
        self.stage.leave(&key);
        self.hide(now, key);
        self.transcoders.forget(key);
        self.failures.retain(|(failed, _)| *failed != call.uuid);
        Some(call.peer.clone())
    }

    /// Finds a call by its id.
    pub(super) fn find(&self, uuid: &CallUuid) -> Option<CallKey> {
        self.calls
            .iter()
            .find(|(_, call)| call.uuid == *uuid)
            .map(|(key, _)| *key)
    }

    /// Returns every call's connection, and its figures as far as the room knows them.
    pub(super) fn counters(&self) -> Vec<(Peer, CallCounters)> {
        let whose = |key| Some(self.calls.get(key)?.participant.clone());
        let calls = self.calls.values().map(|call| {
            let counters = CallCounters {
                sees: call.view.shows().and_then(whose),
                ..call.counters()
            };
            (call.peer.clone(), counters)
        });
        calls.collect()
    }

    /// Finds all calls of a participant.
    pub(super) fn calls_of(&self, participant: &ParticipantUuid) -> Vec<CallKey> {
        let of = self
            .calls
            .iter()
            .filter(|(_, call)| call.participant == *participant);
        of.map(|(key, _)| *key).collect()
    }

    /// Returns how a participant stands; one we have not been told about takes part.
    pub(super) fn standing(&self, participant: &ParticipantUuid) -> Standing {
        let unknown = Standing {
            admission: Admission::InConference,
            muted: false,
            video_muted: false,
        };
        self.standings.get(participant).copied().unwrap_or(unknown)
    }

    /// Takes note of how a participant stands, in its call too, where every tick needs it.
    fn stand(&mut self, participant: &ParticipantUuid, standing: Standing) {
        self.standings.insert(participant.clone(), standing);
        for call in self.calls.values_mut() {
            if call.participant == *participant {
                call.standing = standing;
            }
        }
    }

    /// Lets a participant in, or sends it to wait.
    pub(super) fn set_admission(
        &mut self,
        now: Instant,
        participant: &ParticipantUuid,
        admission: Admission,
    ) {
        let standing = Standing {
            admission,
            ..self.standing(participant)
        };
        self.stand(participant, standing);
        for key in self.calls_of(participant) {
            if admission == Admission::Waiting {
                self.hide(now, key);
            }
            if let Some(call) = self.calls.get_mut(&key)
                && let Ok(painted) = self
                    .pictures
                    .of(call.codec.unwrap_or(self.pictures.codec()))
            {
                call.view.set_splash(now, painted.splash(admission));
            }
        }
    }

    /// Leaves a participant out of the mix, or takes it in again.
    pub(super) fn set_muted(&mut self, participant: &ParticipantUuid, muted: bool) {
        let standing = Standing {
            muted,
            ..self.standing(participant)
        };
        self.stand(participant, standing);
    }

    /// Keeps the picture of a participant from the others, or shows it again.
    pub(super) fn set_video_muted(
        &mut self,
        now: Instant,
        participant: &ParticipantUuid,
        video_muted: bool,
    ) {
        let standing = Standing {
            video_muted,
            ..self.standing(participant)
        };
        self.stand(participant, standing);
        if video_muted {
            for key in self.calls_of(participant) {
                self.hide(now, key);
            }
        }
    }

    /// Takes a picture from everyone who sees it.
    pub(super) fn hide(&mut self, now: Instant, key: CallKey) {
        for other in self.calls.values_mut() {
            other.view.forget(now, &key);
        }
    }

    /// Passes a frame of a source on to everyone who sees that source.
    pub(super) fn forward(
        &mut self,
        now: Instant,
        from: CallKey,
        frame: &Arc<Frame>,
        rtp_timestamp: u32,
    ) {
        if let Some(source) = self.calls.get_mut(&from) {
            source.count_arrival(frame.is_key);
        }
        if !self.calls.get(&from).is_some_and(Call::may_be_seen) {
            return;
        }
        self.forward_to_viewers(now, from, frame, rtp_timestamp);
    }

    /// Passes a frame on to everyone who sees its source, and has it encoded anew for those who have
    /// another codec.
    pub(super) fn forward_to_viewers(
        &mut self,
        now: Instant,
        from: CallKey,
        frame: &Arc<Frame>,
        rtp_timestamp: u32,
    ) {
        self.transcoders.take(from, frame, rtp_timestamp);
        self.show(now, from, frame, rtp_timestamp);
    }

    /// Passes a frame on to everyone who sees its source and has its codec.
    fn show(&mut self, now: Instant, from: CallKey, frame: &Arc<Frame>, rtp_timestamp: u32) {
        for (key, call) in &mut self.calls {
            if *key == from || !call.receives() || call.codec != Some(frame.codec) {
                continue;
            }
            if let Some(shown) = call.view.forward(now, &from, frame, rtp_timestamp) {
                call.send(&shown.frame, shown.timestamp);
            }
        }
    }

    /// Chooses what everyone sees, sends what is due of the room's own pictures, and asks sources
    /// for the key frames that somebody waits for.
    pub(super) fn tick_video(&mut self, now: Instant) {
        let sources: Vec<(CallKey, bool)> = self
            .calls
            .iter()
            .map(|(key, call)| {
                let sends = call.may_be_seen() && call.inflow.flows(Kind::Video, now);
                (*key, sends)
            })
            .collect();
        for (key, sends) in sources {
            self.stage.set_sends_video(&key, sends);
        }
        self.show_far_ends(now);
        for (source, (frame, rtp_timestamp)) in self.transcoders.made(now) {
            self.show(now, source, &frame, rtp_timestamp);
        }
        let lit = self
            .spotlights
            .iter()
            .flat_map(|participant| {
                let far_end = self.far_ends.get(participant).map(|one| one.key);
                self.calls_of(participant).into_iter().chain(far_end)
            })
            .filter(|key| {
                let call = self.calls.get(key);
                call.is_none_or(Call::takes_part)
            });
        let lit = lit.collect();
        self.stage.set_spotlights(lit);
        let mut needed = Vec::new();
        for (key, call) in &mut self.calls {
            if !call.receives() {
                continue;
            }
            let wanted = match call.standing.admission {
                Admission::Waiting => None,
                Admission::InConference => self.stage.shown_to(key),
            };
            call.view.want(now, wanted);
            while let Some(shown) = call.view.poll(now) {
                call.send(&shown.frame, shown.timestamp);
            }
            let (awaits, shows) = (call.view.awaits(), call.view.shows());
            needed.extend(awaits.map(|source| (*source, call.codec, true)));
            needed.extend(shows.map(|source| (*source, call.codec, false)));
        }
        for (source, codec, always) in needed {
            self.need(now, source, codec, always);
        }
        for call in self.calls.values_mut() {
            call.request_key_frame(now);
        }
    }

    /// Sees to it that a source comes in this codec, with a key frame soon if `key`.
    fn need(&mut self, now: Instant, source: CallKey, codec: Option<Codec>, key: bool) {
        let call = self.calls.get_mut(&source);
        let from = match &call {
            Some(call) => call.codec,
            None => Some(self.pictures.codec()),
        };
        let key = match (from, codec) {
            (Some(from), Some(to)) if from != to => {
                self.transcoders.need(now, source, (from, to), key)
            }
            _ => key,
        };
        // Whose picture is shown is asked only if it stands still because packets were lost.
        if let Some(call) = call {
            let broken = call.inflow.awaits_key_frame.load(Ordering::Relaxed);
            call.key_frame_wanted |= key || broken;
        }
    }

    /// Takes what a peer has noticed. Tracks are not for here.
    pub(super) fn peer_event(&mut self, now: Instant, key: CallKey, event: &PeerEvent) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        match event {
            PeerEvent::DtlsConnected => {
                tracing::debug!(call = %call.uuid, "media can flow");
                call.connect(now);
            }
            PeerEvent::IceConnectionState(state) => call.set_ice(now, *state),
            PeerEvent::ConnectionFailed { reason } => {
                let (uuid, why) = (call.uuid.clone(), reason.clone());
                self.fail(uuid, why);
            }
            PeerEvent::KeyFrameRequested { kind: Kind::Video } => {
                if !call.grant_key_frame(now)
                    && let Some(source) = call.view.shows().copied()
                {
                    let codec = call.codec;
                    self.need(now, source, codec, true);
                }
            }
            PeerEvent::ReceiverReport(report) => call.reported(now, *report),
            _ => {}
        }
    }

    /// A call's connection ended without having been hung up.
    pub(super) fn peer_ended(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get(&key) {
            let uuid = call.uuid.clone();
            self.fail(uuid, "the connection has ended".to_owned());
        }
    }

    pub(super) fn fail(&mut self, uuid: CallUuid, why: String) {
        if !self.failures.iter().any(|(failed, _)| *failed == uuid) {
            self.failures.push_back((uuid, why));
        }
    }
}

/// Returns the codec of a call's video, if it has any.
fn video_codec(peer: &Peer) -> Option<Codec> {
    peer.negotiated().video.map(|video| video.codec)
}
